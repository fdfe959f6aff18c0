package cli

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// treeRoot returns the root of the repository around the working folder, or that folder when there is none.
func treeRoot() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", waybill.Wrap(waybill.Unavailable, err, "cannot tell the working folder")
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return wd, nil
		}
	}
}

// selection says which manifests of a repository are meant: all, those at or below paths, those that something changed
// below since the branch left a ref, or both.
type selection struct {
	paths   []string
	changed string
}

// folders returns the folders of the manifests that are meant; nil, which is all, when nothing was selected.
func (s selection) folders(ctx context.Context, tree waybill.Tree, root string) ([]string, error) {
	if len(s.paths) == 0 && s.changed == "" {
		return nil, nil
	}
	wanted, err := s.wanted(root)
	if err != nil {
		return nil, err
	}
	touched := func(string) bool { return true }
	if s.changed != "" {
		changed, err := changedSince(ctx, root, s.changed)
		if err != nil {
			return nil, err
		}
		touched = func(folder string) bool {
			return slices.ContainsFunc(changed, func(c string) bool { return below(c, folder) })
		}
	}
	folders := []string{}
	err = tree.Walk(ctx, func(f waybill.File) error {
		dir := path.Dir(f.Path)
		if slices.ContainsFunc(wanted, func(w string) bool { return below(f.Path, w) }) && touched(dir) {
			folders = append(folders, dir)
		}
		return nil
	})
	slices.Sort(folders)
	return slices.Compact(folders), err
}

// wanted returns the paths relative to root, with slashes; the root itself when there are none.
func (s selection) wanted(root string) ([]string, error) {
	if len(s.paths) == 0 {
		return []string{"."}, nil
	}
	wanted := make([]string, 0, len(s.paths))
	for _, p := range s.paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			return nil, waybill.Errorf(waybill.Invalid, "cannot resolve %s: %w", p, err)
		}
		rel, err := filepath.Rel(root, abs)
		if err != nil || !filepath.IsLocal(rel) {
			return nil, misuse("%s is outside the repository %s", p, root)
		}
		if _, err := os.Lstat(abs); err != nil {
			return nil, misuse("there is no %s", p)
		}
		wanted = append(wanted, filepath.ToSlash(rel))
	}
	return wanted, nil
}

func below(name, folder string) bool {
	return folder == "." || name == folder || strings.HasPrefix(name, folder+"/")
}
