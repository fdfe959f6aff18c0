package repo

import (
	"context"
	"path"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Changed lists the paths that differ between two commits that Fetch pinned, sorted: added, removed, other content or
// other mode. Without an old commit every file has changed. NotFound when a commit is not here.
func (s *Mirrors) Changed(ctx context.Context, r waybill.Repository, old, commit string) ([]string, error) {
	m, to, err := s.pinnedCommit(r, commit)
	if err != nil {
		return nil, err
	}
	var from plumbing.Hash
	if old != "" {
		if _, from, err = s.pinnedCommit(r, old); err != nil {
			return nil, err
		}
	}
	var paths []string
	err = s.healing(ctx, m, r, func(objects *reader) error {
		d := differ{ctx: ctx, read: func(h plumbing.Hash) ([]child, error) { return s.folder(m, objects, h) }}
		a, err := rootOf(objects, from)
		if err != nil {
			return err
		}
		b, err := rootOf(objects, to)
		if err != nil {
			return err
		}
		err = d.compare(a, b, "", 0)
		paths = d.paths
		return err
	})
	slices.Sort(paths)
	return paths, err
}

// differ compares trees and never reads what is equal.
type differ struct {
	ctx   context.Context //nolint:containedctx // lives for one call
	read  func(tree plumbing.Hash) ([]child, error)
	paths []string
}

// rootOf returns the tree of a commit; the zero hash has none.
func rootOf(objects *reader, commit plumbing.Hash) (plumbing.Hash, error) {
	if commit.IsZero() {
		return commit, nil
	}
	c, err := object.GetCommit(objects, commit)
	if err != nil {
		return commit, err
	}
	return c.TreeHash, nil
}

// compare lists what differs between two tree objects, either of which may be missing.
func (d *differ) compare(a, b plumbing.Hash, folder string, depth int) error {
	if a == b {
		return nil
	}
	if err := d.ctx.Err(); err != nil {
		return err
	}
	if depth > maxDepth {
		return waybill.Errorf(waybill.TooLarge, "folders lie more than %d deep", maxDepth)
	}
	before, err := d.entries(a)
	if err != nil {
		return err
	}
	after, err := d.entries(b)
	if err != nil {
		return err
	}
	for name, e := range after {
		if err := d.entry(before[name], e, path.Join(folder, name), depth); err != nil {
			return err
		}
		delete(before, name)
	}
	for name, e := range before {
		if err := d.entry(e, child{}, path.Join(folder, name), depth); err != nil {
			return err
		}
	}
	return nil
}

// entry compares two entries of one name. A file that became a folder is both: gone as a file, new as files below.
func (d *differ) entry(a, b child, name string, depth int) error {
	if a.hash == b.hash && a.mode == b.mode {
		return nil
	}
	if isFile(a) || isFile(b) {
		d.paths = append(d.paths, name)
	}
	return d.compare(folderOf(a), folderOf(b), name, depth+1)
}

func (d *differ) entries(h plumbing.Hash) (map[string]child, error) {
	if h.IsZero() {
		return nil, nil
	}
	children, err := d.read(h)
	if err != nil {
		return nil, err
	}
	m := make(map[string]child, len(children))
	for _, e := range children {
		m[e.name] = e
	}
	return m, nil
}
