package manifest

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Name is the name of every manifest.
const Name = "waybill.yaml"

// index knows what is where in a tree.
type index struct {
	tree      waybill.Tree
	files     map[string]waybill.File
	folders   map[string]bool
	manifests []string // sorted; symbolic links too
	misnamed  []string // sorted
}

// newIndex walks the tree once. Manifests outside the wanted folders are not looked at; nil wants all.
func newIndex(ctx context.Context, tree waybill.Tree, wanted []string) (*index, error) {
	x := &index{tree: tree, files: map[string]waybill.File{}, folders: map[string]bool{".": true}}
	err := tree.Walk(ctx, func(f waybill.File) error {
		x.files[f.Path] = f
		folder, name := path.Dir(f.Path), path.Base(f.Path)
		for d := folder; !x.folders[d]; d = path.Dir(d) {
			x.folders[d] = true
		}
		if wanted != nil && !slices.Contains(wanted, folder) {
			return nil
		}
		switch {
		case name == Name:
			x.manifests = append(x.manifests, f.Path)
		case strings.EqualFold(name, Name) || strings.EqualFold(name, "waybill.yml"):
			x.misnamed = append(x.misnamed, f.Path)
		}
		return nil
	})
	slices.Sort(x.manifests)
	slices.Sort(x.misnamed)
	return x, err
}

// isLink reports whether name is a symbolic link.
func (x *index) isLink(name string) bool { return x.files[name].Mode&fs.ModeSymlink != 0 }

// within reports whether a file has at most limit bytes.
func (x *index) within(ctx context.Context, name string, limit int64) (bool, error) {
	size, err := x.tree.Size(ctx, name)
	return size <= limit, err
}

// linkOn returns the first symbolic link on the way to name, or "".
func (x *index) linkOn(name string) string {
	for i := range len(name) {
		if name[i] == '/' && x.isLink(name[:i]) {
			return name[:i]
		}
	}
	if x.isLink(name) {
		return name
	}
	return ""
}

// inside joins a path of a manifest in folder, and reports whether it stays in the repository.
func inside(folder, name string) (joined string, ok bool) {
	joined = path.Join(folder, name)
	return joined, !path.IsAbs(name) && joined != ".." && !strings.HasPrefix(joined, "../")
}
