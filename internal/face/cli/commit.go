package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/waybill-dev/waybill/internal/git/binary"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// commitTree is a [waybill.Tree] of a commit in the repository around the working folder. What loading manifests reads is
// fetched from one git process; other files cost a process each.
type commitTree struct {
	root  string
	files map[string]waybill.File
	sizes map[string]int64 // by path
	order []string
	texts map[string][]byte // by blob id
}

// maxFetched is how large a file may be to be fetched ahead.
const maxFetched = 256 << 10

// openCommit lists the files of a commit.
func openCommit(ctx context.Context, root, commit string) (*commitTree, error) {
	out, err := binary.Output(ctx, root, nil, "ls-tree", "-r", "-z", "-l", "--full-tree", commit)
	if err != nil {
		return nil, waybill.Wrap(waybill.Unavailable, err, "git cannot list the files of "+commit)
	}
	t := &commitTree{root: root, files: map[string]waybill.File{}, sizes: map[string]int64{}, texts: map[string][]byte{}}
	for line := range strings.SplitSeq(string(out), "\x00") {
		about, name, found := strings.Cut(line, "\t")
		words := strings.Fields(about) // mode, type, id, size
		if !found || len(words) != 4 || words[1] != "blob" {
			continue
		}
		size, err := strconv.ParseInt(words[3], 10, 64)
		if err != nil {
			return nil, waybill.Wrap(waybill.Internal, err, "git lists files in a way that cannot be read")
		}
		t.files[name] = waybill.File{Path: name, Mode: modeOf(words[0]), Blob: words[2]}
		t.sizes[name] = size
		t.order = append(t.order, name)
	}
	return t, t.fetch(ctx)
}

func modeOf(mode string) fs.FileMode {
	switch mode {
	case "120000":
		return fs.ModeSymlink | fs.ModePerm
	case "100755":
		return 0o755
	default:
		return 0o644
	}
}

// fetch reads the manifests, and the files that most of them name.
func (t *commitTree) fetch(ctx context.Context) error {
	var ids bytes.Buffer
	wanted := 0
	for _, name := range t.order {
		f := t.files[name]
		base := path.Base(name)
		if t.sizes[name] <= maxFetched && (base == manifest.Name || strings.HasPrefix(base, "Dockerfile")) {
			ids.WriteString(f.Blob + "\n")
			wanted++
		}
	}
	if wanted == 0 {
		return nil
	}
	out, err := binary.Output(ctx, t.root, ids.Bytes(), "cat-file", "--batch")
	if err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "git cannot read the files of a commit")
	}
	r := bufio.NewReader(bytes.NewReader(out))
	for range wanted {
		head, err := r.ReadString('\n')
		words := strings.Fields(head) // id, type, size
		if err != nil || len(words) != 3 {
			return waybill.Errorf(waybill.Internal, "git prints files in a way that cannot be read")
		}
		size, err := strconv.Atoi(words[2])
		if err != nil {
			return waybill.Wrap(waybill.Internal, err, "git prints files in a way that cannot be read")
		}
		text := make([]byte, size+1) // with the line end behind it
		if _, err := io.ReadFull(r, text); err != nil {
			return waybill.Wrap(waybill.Internal, err, "git prints files in a way that cannot be read")
		}
		t.texts[words[0]] = text[:size]
	}
	return nil
}

// Walk lists files and symbolic links.
func (t *commitTree) Walk(_ context.Context, fn func(waybill.File) error) error {
	for _, name := range t.order {
		if err := fn(t.files[name]); err != nil {
			return err
		}
	}
	return nil
}

// Open reads a file, or the target of a symbolic link.
func (t *commitTree) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	f, ok := t.files[name]
	if !ok {
		return nil, waybill.Errorf(waybill.NotFound, "no file %s", name)
	}
	text, there := t.texts[f.Blob]
	if !there {
		var err error
		if text, err = binary.Output(ctx, t.root, nil, "cat-file", "blob", f.Blob); err != nil {
			return nil, waybill.Wrap(waybill.Unavailable, err, "git cannot read "+name)
		}
	}
	return io.NopCloser(bytes.NewReader(text)), nil
}

// Size returns the length of a file, or of the target of a symbolic link.
func (t *commitTree) Size(_ context.Context, name string) (int64, error) {
	size, ok := t.sizes[name]
	if !ok {
		return 0, waybill.Errorf(waybill.NotFound, "no file %s", name)
	}
	return size, nil
}
