package repo

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"path"
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
	files   []waybill.File
	byPath  map[string]int
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
	files, err := t.list(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
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
	if _, err := t.list(ctx); err != nil {
		return nil, err
	}
	i, ok := t.byPath[path.Clean("/" + name)[1:]]
	if !ok {
		return nil, waybill.Errorf(waybill.NotFound, "there is no file %s in commit %s", name, waybill.ShortCommit(t.commit.String()))
	}
	f := t.files[i]
	if f.Size > t.mirrors.o.MaxFileSize {
		return nil, waybill.Errorf(waybill.TooLarge, "%s has %d bytes; the limit for one file is %d", f.Path, f.Size, t.mirrors.o.MaxFileSize)
	}
	var content io.ReadCloser
	err := t.mirrors.healing(ctx, t.mirror, t.repository, func(objects *reader) (err error) {
		content, err = objects.content(plumbing.NewHash(f.Blob))
		return err
	})
	return content, err
}

// list reads the list of files once.
func (t *tree) list(ctx context.Context) ([]waybill.File, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byPath != nil {
		return t.files, nil
	}
	err := t.mirrors.healing(ctx, t.mirror, t.repository, func(objects *reader) error {
		t.objects = objects // keeps the reader, and so its cache, for as long as the tree lives
		l := lister{ctx: ctx, objects: objects, limit: t.mirrors.o.MaxFiles}
		c, err := object.GetCommit(objects, t.commit)
		if err == nil {
			err = l.add(c.TreeHash, "", 0)
		}
		t.files = l.files
		return err
	})
	if err != nil {
		return nil, err
	}
	t.byPath = make(map[string]int, len(t.files))
	for i, f := range t.files {
		t.byPath[f.Path] = i
	}
	return t.files, nil
}

// lister collects the files of a tree.
type lister struct {
	ctx     context.Context //nolint:containedctx // lives for one call
	objects *reader
	limit   int
	files   []waybill.File
	folders int // also those without a file: a few objects can name one another as folders without end
}

// add lists the folder whose tree object is h. An entry that could lead out of the tree is Invalid: git itself never
// writes one.
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
	t, err := object.GetTree(l.objects, h)
	if err != nil {
		return err
	}
	for _, e := range t.Entries {
		name := path.Join(folder, e.Name)
		if e.Name == "" || e.Name == "." || e.Name == ".." || path.Base(name) != e.Name {
			return waybill.Errorf(waybill.Invalid, "the tree holds a file named %q", e.Name)
		}
		switch e.Mode {
		case filemode.Dir:
			err = l.add(e.Hash, name, depth+1)
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

func (l *lister) file(name string, e object.TreeEntry) error {
	if len(l.files) >= l.limit {
		return waybill.Errorf(waybill.TooLarge, "the commit has more than %d files", l.limit)
	}
	size, err := l.objects.EncodedObjectSize(e.Hash)
	if err != nil {
		return err
	}
	l.files = append(l.files, waybill.File{Path: name, Mode: modeOf(e.Mode), Blob: e.Hash.String(), Size: size})
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

// content opens a blob. Small ones are read whole here, under the lock; large ones are streamed from their pack.
func (r *reader) content(h plumbing.Hash) (io.ReadCloser, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	obj, err := r.EncodedObjectStorer.EncodedObject(plumbing.BlobObject, h)
	if err != nil {
		return nil, err
	}
	stream, err := obj.Reader()
	if err != nil || obj.Size() > streamFrom {
		return stream, err
	}
	defer func() { _ = stream.Close() }()
	b, err := io.ReadAll(io.LimitReader(stream, obj.Size()+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) != obj.Size() {
		return nil, io.ErrUnexpectedEOF
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}
