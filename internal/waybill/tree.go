package waybill

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"path"
	"strings"
)

// File is one file of a commit's tree.
type File struct {
	// Path is slash separated and relative to the root of the tree.
	Path string
	// Mode holds the permission bits and fs.ModeSymlink for a symbolic link. Folders are never listed.
	Mode fs.FileMode
	// Blob is the git blob id in hex.
	Blob string
}

// Tree is the files of one commit. Nothing is checked out: content is read from the object store.
// Its methods may be called from several goroutines at once.
type Tree interface {
	// Walk calls fn for every file, in any order, until fn fails; that error is returned as it is.
	Walk(ctx context.Context, fn func(File) error) error
	// Open reads the file at the path; for a symbolic link, the target text. NotFound when there is no such file.
	Open(ctx context.Context, path string) (io.ReadCloser, error)
	// Size returns the length of what Open reads, in bytes. It is asked for apart, because Git's own lists of files do
	// not hold it. NotFound when there is no such file.
	Size(ctx context.Context, path string) (int64, error)
}

// Sub is the part of a tree below a folder, with paths relative to it. The folder "." or "" is the tree itself.
func Sub(t Tree, folder string) Tree {
	folder = path.Clean("/" + folder)[1:]
	if folder == "" {
		return t
	}
	return subTree{tree: t, folder: folder}
}

// walkerBelow is a tree that can list a folder without going through all others.
type walkerBelow interface {
	// WalkBelow is Walk for the files whose paths begin with prefix, which ends with a slash.
	WalkBelow(ctx context.Context, prefix string, fn func(File) error) error
}

// ReadFile reads a whole file; Invalid when it is larger than limit bytes.
func ReadFile(ctx context.Context, t Tree, name string, limit int64) ([]byte, error) {
	r, err := t.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, Errorf(Invalid, "%s is larger than %d bytes", name, limit)
	}
	return b.Bytes(), nil
}

type subTree struct {
	tree   Tree
	folder string
}

func (s subTree) Walk(ctx context.Context, fn func(File) error) error {
	walk := s.tree.Walk
	if t, ok := s.tree.(walkerBelow); ok {
		walk = func(ctx context.Context, fn func(File) error) error { return t.WalkBelow(ctx, s.folder+"/", fn) }
	}
	return walk(ctx, func(f File) error {
		rest, ok := strings.CutPrefix(f.Path, s.folder+"/")
		if !ok {
			return nil
		}
		f.Path = rest
		return fn(f)
	})
}

func (s subTree) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	return s.tree.Open(ctx, s.whole(name))
}

func (s subTree) Size(ctx context.Context, name string) (int64, error) {
	return s.tree.Size(ctx, s.whole(name))
}

// whole returns the path of a file of s in the tree that s is a part of.
func (s subTree) whole(name string) string { return path.Join(s.folder, path.Clean("/" + name)[1:]) }
