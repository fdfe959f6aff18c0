package build

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// entry is a file, a symbolic link or a folder of a file set.
type entry struct {
	waybill.File
	size int64  // known when it is built
	link string // target of a symbolic link
}

// files is a set of files that is served to the engine. It implements fsutil.FS.
// Git knows no times, so every file has the same one: the same content makes the same layers.
type files struct {
	entries []entry // folders before their content, in the order of fsutil.ComparePath
	open    func(path string) (io.ReadCloser, error)
}

// newFiles completes list with the folders that its paths imply and brings everything into order.
func newFiles(list []entry, open func(string) (io.ReadCloser, error)) *files {
	seen := map[string]bool{}
	entries := slices.Clone(list)
	for _, e := range list {
		for dir := path.Dir(e.Path); dir != "." && !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
			entries = append(entries, entry{File: waybill.File{Path: dir, Mode: fs.ModeDir | 0o755}})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return fsutil.ComparePath(a.Path, b.Path) })
	return &files{entries: entries, open: open}
}

// Walk calls fn for target and everything below it. A target that does not exist is an empty walk.
func (f *files) Walk(ctx context.Context, target string, fn fs.WalkDirFunc) error {
	target = path.Clean("/" + filepath.ToSlash(target))[1:]
	skip := "" // a folder whose remaining entries are passed over
	for _, e := range f.below(target) {
		if skip != "" && strings.HasPrefix(e.Path, skip) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		err := fn(e.Path, &fsutil.DirEntryInfo{Stat: e.stat()}, nil)
		switch {
		case errors.Is(err, fs.SkipAll):
			return nil
		case errors.Is(err, fs.SkipDir) && e.Mode.IsDir():
			skip = e.Path + "/"
		case errors.Is(err, fs.SkipDir) && !strings.Contains(e.Path, "/"):
			return nil
		case errors.Is(err, fs.SkipDir):
			skip = path.Dir(e.Path) + "/"
		case err != nil:
			return err
		}
	}
	return nil
}

// below returns target and the entries in it; the empty target is everything.
func (f *files) below(target string) []entry {
	if target == "" {
		return f.entries
	}
	from := sort.Search(len(f.entries), func(i int) bool { return fsutil.ComparePath(f.entries[i].Path, target) >= 0 })
	to := from
	for to < len(f.entries) && (f.entries[to].Path == target || strings.HasPrefix(f.entries[to].Path, target+"/")) {
		to++
	}
	return f.entries[from:to]
}

// Open reads one file.
func (f *files) Open(name string) (io.ReadCloser, error) {
	return f.open(path.Clean("/" + filepath.ToSlash(name))[1:])
}

func (e entry) stat() *types.Stat {
	return &types.Stat{
		Path: e.Path, Mode: uint32(e.Mode), Size: e.size, Linkname: e.link,
		ModTime: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano(), // the earliest that zip archives can hold
	}
}
