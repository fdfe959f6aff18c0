package repo

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// maxDepth bounds how deep folders may lie in each other.
const maxDepth = 256

// tree is the files of one commit, listed when they are first asked for.
type tree struct {
	mirrors    *Mirrors
	mirror     *mirror
	repository waybill.Repository
	commit     plumbing.Hash

	mu      sync.Mutex
	objects *reader
	files   []waybill.File // sorted by path; nil: not listed yet
}

// Tree returns the files of a commit that Fetch pinned. Submodules are left out. NotFound for any other commit;
// reading is TooLarge above the limits on number and size of files. The tree is safe for concurrent use.
func (s *Mirrors) Tree(ctx context.Context, r waybill.Repository, commit string) (waybill.Tree, error) {
	m, h, err := s.pinnedCommit(r, commit)
	if err != nil {
		return nil, err
	}
	t := &tree{mirrors: s, mirror: m, repository: r, commit: h}
	if _, err := t.list(ctx); err != nil {
		return nil, err
	}
	return t, nil
}

// pinnedCommit finds the mirror that has a commit.
func (s *Mirrors) pinnedCommit(r waybill.Repository, commit string) (*mirror, plumbing.Hash, error) {
	m, err := s.mirror(r)
	if err != nil {
		return nil, plumbing.ZeroHash, err
	}
	h := plumbing.NewHash(commit)
	if !plumbing.IsHash(commit) || !m.pinned(h) {
		return nil, h, waybill.Errorf(waybill.NotFound, "commit %s of %s was not fetched", waybill.ShortCommit(commit), r.FullName())
	}
	return m, h, nil
}

// Walk calls fn for every file in Git's order.
func (t *tree) Walk(ctx context.Context, fn func(waybill.File) error) error {
	return t.WalkBelow(ctx, "", fn)
}

// WalkBelow calls fn for every file whose path begins with prefix, in Git's order.
func (t *tree) WalkBelow(ctx context.Context, prefix string, fn func(waybill.File) error) error {
	files, err := t.list(ctx)
	if err != nil {
		return err
	}
	first, _ := slices.BinarySearchFunc(files, prefix, func(f waybill.File, prefix string) int { return strings.Compare(f.Path, prefix) })
	for _, f := range files[first:] {
		if !strings.HasPrefix(f.Path, prefix) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return waybill.Wrap(waybill.Unavailable, err, "reading "+t.repository.FullName()+" was stopped")
		}
		if err := fn(f); err != nil {
			return err
		}
	}
	return nil
}

// Open reads one file.
func (t *tree) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	f, err := t.find(ctx, name)
	if err != nil {
		return nil, err
	}
	var content io.ReadCloser
	limit := t.mirrors.o.MaxFileSize
	err = t.mirrors.healing(ctx, t.mirror, t.repository, func(objects *reader) error {
		var size int64
		if content, size, err = objects.content(plumbing.NewHash(f.Blob), limit); err == nil && size > limit {
			err = waybill.Errorf(waybill.TooLarge, "%s has %d bytes; the limit for one file is %d", f.Path, size, limit)
		}
		return err
	})
	return content, err
}

// Size reads the length of one file.
func (t *tree) Size(ctx context.Context, name string) (size int64, err error) {
	f, err := t.find(ctx, name)
	if err != nil {
		return 0, err
	}
	err = t.mirrors.healing(ctx, t.mirror, t.repository, func(objects *reader) error {
		size, err = objects.EncodedObjectSize(plumbing.NewHash(f.Blob))
		return err
	})
	return size, err
}

// find returns the file at a path.
func (t *tree) find(ctx context.Context, name string) (waybill.File, error) {
	files, err := t.list(ctx)
	if err != nil {
		return waybill.File{}, err
	}
	i, ok := slices.BinarySearchFunc(files, path.Clean("/" + name)[1:], func(f waybill.File, name string) int { return strings.Compare(f.Path, name) })
	if !ok {
		return waybill.File{}, waybill.Errorf(waybill.NotFound, "there is no file %s in commit %s", name, waybill.ShortCommit(t.commit.String()))
	}
	return files[i], nil
}

// list reads the list of files once.
func (t *tree) list(ctx context.Context) ([]waybill.File, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.files != nil {
		return t.files, nil
	}
	l := lister{ctx: ctx, limit: t.mirrors.o.MaxFiles}
	err := t.mirrors.healing(ctx, t.mirror, t.repository, func(objects *reader) error {
		t.objects = objects // keeps the reader, and so its cache, for as long as the tree lives
		l.files, l.folders = []waybill.File{}, 0
		l.read = func(h plumbing.Hash) ([]child, error) { return t.mirrors.folder(t.mirror, objects, h) }
		c, err := object.GetCommit(objects, t.commit)
		if err == nil {
			err = l.add(c.TreeHash, "", 0)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	byPath := func(a, b waybill.File) int { return strings.Compare(a.Path, b.Path) }
	if !slices.IsSortedFunc(l.files, byPath) { // git sorts; others may not
		slices.SortFunc(l.files, byPath)
	}
	t.files = l.files
	return t.files, nil
}

// lister collects the files of a tree.
type lister struct {
	ctx     context.Context //nolint:containedctx // lives for one call
	read    func(tree plumbing.Hash) ([]child, error)
	limit   int
	files   []waybill.File
	folders int // also those without a file: a few objects can name one another as folders without end
}

// add lists the folder whose tree object is h; folder is its path with a slash, "" for the root.
func (l *lister) add(h plumbing.Hash, folder string, depth int) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	if depth > maxDepth {
		return waybill.Errorf(waybill.TooLarge, "folders lie more than %d deep", maxDepth)
	}
	if l.folders++; l.folders > l.limit {
		return waybill.Errorf(waybill.TooLarge, "the commit has more than %d folders", l.limit)
	}
	children, err := l.read(h)
	if err != nil {
		return err
	}
	for _, e := range children {
		name := folder + e.name
		switch e.mode {
		case filemode.Dir:
			err = l.add(e.hash, name+"/", depth+1)
		case filemode.Submodule:
		default:
			err = l.file(name, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *lister) file(name string, e child) error {
	if len(l.files) >= l.limit {
		return waybill.Errorf(waybill.TooLarge, "the commit has more than %d files", l.limit)
	}
	l.files = append(l.files, waybill.File{Path: name, Mode: modeOf(e.mode), Blob: e.blob})
	return nil
}

func modeOf(m filemode.FileMode) fs.FileMode {
	switch m {
	case filemode.Symlink:
		return fs.ModeSymlink | 0o777
	case filemode.Executable:
		return 0o755
	default:
		return 0o644
	}
}

// content opens a blob of at most limit bytes. Small ones are read whole here, under the lock; large ones are streamed
// from their pack.
func (r *reader) content(h plumbing.Hash, limit int64) (content io.ReadCloser, size int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	obj, err := r.EncodedObjectStorer.EncodedObject(plumbing.BlobObject, h)
	if err != nil {
		return nil, 0, err
	}
	if size = obj.Size(); size > limit {
		return nil, size, nil
	}
	stream, err := obj.Reader()
	if err != nil || size > streamFrom {
		return stream, size, err
	}
	defer func() { _ = stream.Close() }()
	b, err := io.ReadAll(io.LimitReader(stream, size+1))
	if err != nil {
		return nil, size, err
	}
	if int64(len(b)) != size {
		return nil, size, io.ErrUnexpectedEOF
	}
	return io.NopCloser(bytes.NewReader(b)), size, nil
}
