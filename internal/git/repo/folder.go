package repo

import (
	"path"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// maxRemembered is how many entries of folders all mirrors together remember, at some 150 bytes each. Two commits of one
// branch share all folders but a few.
const maxRemembered = 400_000

// folderKey names a folder by its object. What one repository says that an object is does not count in another.
type folderKey struct {
	mirror string
	tree   plumbing.Hash
}

// child is an entry of a folder.
type child struct {
	name string
	mode filemode.FileMode
	hash plumbing.Hash
	blob string // hash as text, of a file
}

// folder reads one tree object. An entry that could lead out of the tree is Invalid: git itself never writes one.
func (s *Mirrors) folder(m *mirror, objects *reader, h plumbing.Hash) ([]child, error) {
	key := folderKey{m.dir, h}
	if children, ok := s.folders.Find(key); ok {
		return children, nil
	}
	t, err := object.GetTree(objects, h)
	if err != nil {
		return nil, err
	}
	children := make([]child, len(t.Entries))
	for i, e := range t.Entries {
		if e.Name == "" || e.Name == "." || e.Name == ".." || path.Base(e.Name) != e.Name {
			return nil, waybill.Errorf(waybill.Invalid, "the tree holds a file named %q", e.Name)
		}
		children[i] = child{name: e.Name, mode: e.Mode, hash: e.Hash}
		if isFile(children[i]) {
			children[i].blob = e.Hash.String()
		}
	}
	s.folders.Put(key, children, int64(len(children))+1)
	return children, nil
}

// isFile reports whether e is a file or a link. Submodules count: one that moves is a change.
func isFile(e child) bool { return e.mode != filemode.Empty && e.mode != filemode.Dir }

// folderOf returns the tree object of an entry that is a folder, else none.
func folderOf(e child) plumbing.Hash {
	if e.mode == filemode.Dir {
		return e.hash
	}
	return plumbing.ZeroHash
}
