// Package merge puts two trees together that came from one: what a branch would hold if another were merged into it.
//
// It is pure and goes by path: a file that one side changed is that side's, a file that both changed in the same way is
// theirs together, and a file that both changed in different ways is a conflict. Nothing is merged within a file, as the
// meaning of two manifests does not lie in their lines.
package merge

import (
	"context"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Result is what a merge makes.
type Result struct {
	// Tree is the merged one. Where there is a conflict it holds what comes: the file of the side that is merged, or,
	// where that side deleted it, the file of the other one.
	Tree waybill.Tree
	// Conflicts lists the paths at which the sides contradict each other, sorted. One is that of a file where the other side
	// has a folder.
	Conflicts []string
}

// Trees merges theirs into ours; base is what both came from, nil when they have nothing in common. Reading a tree may
// fail; that error is returned as it is.
func Trees(ctx context.Context, base, ours, theirs waybill.Tree) (Result, error) {
	var sides [3]map[string]waybill.File
	for i, t := range []waybill.Tree{base, ours, theirs} {
		var err error
		if sides[i], err = list(ctx, t); err != nil {
			return Result{}, err
		}
	}
	m := merger{base: sides[0], ours: sides[1], theirs: sides[2], conflicts: map[string]bool{}}
	m.merged = &tree{ours: ours, theirs: theirs, files: map[string]entry{}}
	for _, side := range sides[1:] {
		for name := range side {
			m.path(name)
		}
	}
	m.foldersOverFiles()
	m.merged.names = slices.Sorted(maps.Keys(m.merged.files))
	return Result{Tree: m.merged, Conflicts: slices.Sorted(maps.Keys(m.conflicts))}, nil
}

func list(ctx context.Context, t waybill.Tree) (map[string]waybill.File, error) {
	files := map[string]waybill.File{}
	if t == nil {
		return files, nil
	}
	err := t.Walk(ctx, func(f waybill.File) error {
		files[f.Path] = f
		return nil
	})
	return files, err
}

// merger is one merge.
type merger struct {
	base, ours, theirs map[string]waybill.File
	merged             *tree
	conflicts          map[string]bool
}

// path decides about one path. A file that is not there is the zero File.
func (m *merger) path(name string) {
	base, ours, theirs := m.base[name], m.ours[name], m.theirs[name]
	switch {
	case same(theirs, base) || same(ours, theirs):
		m.take(entry{File: ours})
	case same(ours, base):
		m.take(entry{File: theirs, theirs: true})
	case plain(base) && plain(ours) && plain(theirs) &&
		(ours.Blob == base.Blob || theirs.Blob == base.Blob || ours.Blob == theirs.Blob):
		// They differ in whether the file can be executed. Of two values, one is the changed one.
		mode := theirs.Mode
		if mode == base.Mode {
			mode = ours.Mode
		}
		e := entry{File: theirs, theirs: true}
		if theirs.Blob == base.Blob {
			e = entry{File: ours}
		}
		e.Mode = mode
		m.take(e)
	default:
		m.conflicts[name] = true
		if theirs.Path != "" {
			m.take(entry{File: theirs, theirs: true})
		} else {
			m.take(entry{File: ours})
		}
	}
}

func (m *merger) take(e entry) {
	if e.Path != "" {
		m.merged.files[e.Path] = e
	}
}

func same(a, b waybill.File) bool { return a.Path == b.Path && a.Blob == b.Blob && a.Mode == b.Mode }

// plain reports whether f is there and no link.
func plain(f waybill.File) bool { return f.Path != "" && f.Mode&fs.ModeSymlink == 0 }

// foldersOverFiles finds the files that stand where the other side has a folder, and keeps what comes.
func (m *merger) foldersOverFiles() {
	for name, e := range m.merged.files {
		for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
			file, both := m.merged.files[folder]
			if !both {
				continue
			}
			m.conflicts[folder] = true
			if file.theirs {
				delete(m.merged.files, name)
			} else if e.theirs {
				delete(m.merged.files, folder)
			}
		}
	}
}

// entry is a file of a merged tree, with the side that has its content.
type entry struct {
	waybill.File
	theirs bool
}

// tree is a merged tree. It never changes.
type tree struct {
	ours, theirs waybill.Tree
	files        map[string]entry
	names        []string // sorted
}

// Walk calls fn for every file, by path.
func (t *tree) Walk(ctx context.Context, fn func(waybill.File) error) error {
	for _, name := range t.names {
		if err := ctx.Err(); err != nil {
			return waybill.Wrap(waybill.Unavailable, err, "reading the merged tree was stopped")
		}
		if err := fn(t.files[name].File); err != nil {
			return err
		}
	}
	return nil
}

// Open reads a file from the side that it is of.
func (t *tree) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	side, name, err := t.side(name)
	if err != nil {
		return nil, err
	}
	return side.Open(ctx, name)
}

// Size asks the side that a file is of for its length.
func (t *tree) Size(ctx context.Context, name string) (int64, error) {
	side, name, err := t.side(name)
	if err != nil {
		return 0, err
	}
	return side.Size(ctx, name)
}

// side returns the tree that a file is of, and its path there.
func (t *tree) side(name string) (waybill.Tree, string, error) {
	e, ok := t.files[strings.TrimPrefix(path.Clean("/"+name), "/")]
	switch {
	case !ok:
		return nil, "", waybill.Errorf(waybill.NotFound, "there is no file %s", name)
	case e.theirs:
		return t.theirs, e.Path, nil
	default:
		return t.ours, e.Path, nil
	}
}
