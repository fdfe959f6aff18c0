package build

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/patternmatcher/ignorefile"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/tonistiigi/fsutil"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// What a build may read. A context above these limits is a mistake, most often a data file that was committed.
const (
	maxFiles      = 200_000
	maxBytes      = 2 << 30
	maxDockerfile = 1 << 20
	maxLink       = 4 << 10
	maxMatches    = 20_000_000 // files times patterns of .dockerignore: some seconds
)

// manifestName is the file that declares connectors. It is no part of any context: changing a title changes no image.
const manifestName = "waybill.yaml"

// source is everything a build reads from the commit.
type source struct {
	dockerfile     string // path in the repository
	dockerfileText []byte
	ignoreText     []byte             // the .dockerignore in force; empty when there is none
	platform       *ocispecs.Platform // nil: the engine's own
	context        *files             // what is left after .dockerignore
}

// readSource collects the context and the Dockerfile, or reports Invalid when paths or sizes are wrong.
func readSource(ctx context.Context, tree waybill.Tree, folder string, spec waybill.Build) (*source, error) {
	dir, err := inside(folder, spec.Context, "build.context")
	if err != nil {
		return nil, err
	}
	dockerfile, err := inside(folder, spec.Dockerfile, "build.dockerfile")
	if err != nil {
		return nil, err
	}
	s := &source{dockerfile: dockerfile}
	if s.platform, err = parsePlatform(spec.Platform); err != nil {
		return nil, err
	}
	list, err := listContext(ctx, tree, dir, dockerfile)
	if err != nil {
		return nil, err
	}
	if s.dockerfileText, err = readDockerfile(ctx, tree, dockerfile); err != nil {
		return nil, err
	}
	if s.ignoreText, err = readIgnore(ctx, tree, dir, dockerfile); err != nil {
		return nil, err
	}
	sub := waybill.Sub(tree, dir)
	all := newFiles(list, func(name string) (io.ReadCloser, error) { return sub.Open(ctx, name) })
	s.context, err = withoutIgnored(ctx, all, s.ignoreText)
	return s, err
}

func parsePlatform(text string) (*ocispecs.Platform, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no platform is a legal choice.
	}
	p, err := platforms.Parse(text)
	if err != nil {
		return nil, waybill.Errorf(waybill.Invalid, "build.platform %q is not a platform such as linux/amd64", text)
	}
	p = platforms.Normalize(p)
	return &p, nil
}

// inside joins folder and name and refuses a result outside the repository.
func inside(folder, name, field string) (string, error) {
	p := path.Join(folder, name)
	if path.IsAbs(name) || p == ".." || strings.HasPrefix(p, "../") {
		return "", waybill.Errorf(waybill.Invalid, "%s %q lies outside the repository", field, name)
	}
	return p, nil
}

// listContext lists the files below dir without manifests, and refuses a Dockerfile that is a symbolic link.
func listContext(ctx context.Context, tree waybill.Tree, dir, dockerfile string) ([]entry, error) {
	if err := refuseLink(ctx, tree, dockerfile); err != nil {
		return nil, err
	}
	var list []entry
	err := waybill.Sub(tree, dir).Walk(ctx, func(f waybill.File) error {
		name := f.Path
		if path.Base(name) == manifestName && f.Mode.IsRegular() {
			return nil
		}
		if !fs.ValidPath(name) {
			return waybill.Errorf(waybill.Invalid, "the commit holds the unsafe path %q", strings.TrimPrefix(dir+"/"+name, "./"))
		}
		if len(list) == maxFiles {
			return waybill.Errorf(waybill.Invalid, "the build context has more than %d files: set build.context to a smaller folder", maxFiles)
		}
		f.Path, f.Mode = name, normalMode(f.Mode)
		list = append(list, entry{File: f})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, readLinks(ctx, waybill.Sub(tree, dir), list)
}

// refuseLink refuses a Dockerfile that is a symbolic link.
func refuseLink(ctx context.Context, tree waybill.Tree, dockerfile string) error {
	return waybill.Sub(tree, path.Dir(dockerfile)).Walk(ctx, func(f waybill.File) error {
		if f.Path == path.Base(dockerfile) && f.Mode&fs.ModeSymlink != 0 {
			return waybill.Errorf(waybill.Invalid, "build.dockerfile: %s is a symbolic link", dockerfile)
		}
		return nil
	})
}

// readLinks fills in the targets of symbolic links.
func readLinks(ctx context.Context, tree waybill.Tree, list []entry) error {
	for i, e := range list {
		if e.Mode&fs.ModeSymlink == 0 {
			continue
		}
		target, err := waybill.ReadFile(ctx, tree, e.Path, maxLink)
		if err != nil {
			return err
		}
		list[i].link = string(target)
	}
	return nil
}

// normalMode keeps what Git knows of a mode: executable or not, link or not.
func normalMode(m fs.FileMode) fs.FileMode {
	switch {
	case m&fs.ModeSymlink != 0:
		return fs.ModeSymlink | 0o777
	case m&0o111 != 0:
		return 0o755
	default:
		return 0o644
	}
}

func readDockerfile(ctx context.Context, tree waybill.Tree, name string) ([]byte, error) {
	text, err := waybill.ReadFile(ctx, tree, name, maxDockerfile)
	if waybill.IsCode(err, waybill.NotFound) {
		return nil, waybill.Errorf(waybill.Invalid, "build.dockerfile: %s does not exist in the commit", name)
	}
	if err == nil && len(bytes.TrimSpace(text)) == 0 {
		return nil, waybill.Errorf(waybill.Invalid, "%s is empty", name)
	}
	return text, err
}

// readIgnore reads <Dockerfile>.dockerignore or else .dockerignore of the context, as docker build does.
func readIgnore(ctx context.Context, tree waybill.Tree, dir, dockerfile string) ([]byte, error) {
	for _, name := range []string{dockerfile + ".dockerignore", path.Join(dir, ".dockerignore")} {
		text, err := waybill.ReadFile(ctx, tree, name, maxDockerfile)
		if err == nil || !waybill.IsCode(err, waybill.NotFound) {
			return text, err
		}
	}
	return nil, nil
}

// withoutIgnored applies .dockerignore with the code that the engine's own transfer uses.
func withoutIgnored(ctx context.Context, all *files, ignore []byte) (*files, error) {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(ignore))
	if err != nil {
		return nil, waybill.Errorf(waybill.Invalid, ".dockerignore cannot be read: %w", err)
	}
	if matches := len(patterns) * len(all.entries); matches > maxMatches {
		return nil, waybill.Errorf(waybill.Invalid, ".dockerignore has %d patterns for %d files: write fewer, or set build.context to a smaller folder",
			len(patterns), len(all.entries))
	}
	filtered, err := fsutil.NewFilterFS(all, &fsutil.FilterOpt{ExcludePatterns: patterns})
	if err != nil {
		return nil, waybill.Errorf(waybill.Invalid, ".dockerignore holds a wrong pattern: %w", err)
	}
	byPath := make(map[string]entry, len(all.entries))
	for _, e := range all.entries {
		byPath[e.Path] = e
	}
	left := &files{open: all.open}
	err = filtered.Walk(ctx, "/", func(name string, _ fs.DirEntry, err error) error {
		left.entries = append(left.entries, byPath[name])
		return err
	})
	return left, err
}

// measure learns the sizes of a context and refuses one that is too large. Only a build needs them.
func (s *source) measure(ctx context.Context, tree waybill.Tree, folder string) error {
	var sum int64
	for i := range s.context.entries {
		e := &s.context.entries[i]
		if e.Mode.IsDir() {
			continue
		}
		var err error
		if e.size, err = tree.Size(ctx, path.Join(folder, e.Path)); err != nil {
			return err
		}
		sum += e.size
	}
	if sum > maxBytes {
		return waybill.Errorf(waybill.Invalid, "the build context is %d MiB, more than %d MiB: list what the build does not need in .dockerignore",
			sum>>20, int64(maxBytes)>>20)
	}
	return nil
}
