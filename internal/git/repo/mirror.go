package repo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/waybill-dev/waybill/internal/waybill"
)

const (
	// cacheSize bounds what one reader of a mirror keeps of small objects.
	cacheSize = 16 * cache.MiByte
	// streamFrom is the size from which a file is read in pieces instead of whole.
	streamFrom = 1 << 20
	// maxOpenPacks is how many packs a reader keeps open. They are closed when the reader is collected.
	maxOpenPacks = 8
	// maxHaves bounds how many commits a fetch says it has: enough for the branches people work on.
	maxHaves = 64
)

// mirror is one bare repository on disk.
type mirror struct {
	dir  string
	busy chan struct{} // held by whoever writes: fetch, rebuild, repack

	large atomic.Bool // the git program fetches, without history

	ready  bool            // under busy: the folders exist
	recent []plumbing.Hash // under busy: pinned commits, newest first, at most maxHaves

	mu     sync.Mutex
	cached weak.Pointer[reader] // shared by the trees in use; nobody keeps it when there are none
}

func (m *mirror) lock(ctx context.Context) error {
	select {
	case m.busy <- struct{}{}:
		return nil
	case <-ctx.Done():
		return waybill.Wrap(waybill.Unavailable, ctx.Err(), "the mirror is busy")
	}
}

func (m *mirror) unlock() { <-m.busy }

// prepare makes what is missing of the mirror, removes what a killed process left, and learns the newest pins.
// The result is a valid bare repository, so that git can be run in it.
func (m *mirror) prepare() error {
	if m.ready {
		return nil
	}
	for _, d := range []string{"objects/pack", "objects/info", "refs/heads", "refs/tags", "refs/waybill"} {
		if err := os.MkdirAll(filepath.Join(m.dir, d), 0o750); err != nil {
			return err
		}
	}
	const config = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n[gc]\n\tauto = 0\n"
	for name, text := range map[string]string{"HEAD": "ref: refs/heads/none\n", "config": config} {
		if err := m.put(name, text); err != nil {
			return err
		}
	}
	if err := m.sweep(); err != nil {
		return err
	}
	pins, err := m.pins()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(m.dir, largeMark)); err == nil {
		m.large.Store(true)
	}
	m.recent, m.ready = pins[:min(maxHaves, len(pins))], true
	return nil
}

// sweep removes temporary files and locks, and indexes whose pack never arrived: go-git would trust a half-written one.
func (m *mirror) sweep() error {
	for _, name := range []string{"shallow.lock", "packed-refs.lock", "config.lock", "HEAD.lock", incoming + ".lock"} {
		if err := os.Remove(filepath.Join(m.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	folder := filepath.Join(m.dir, "objects", "pack")
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		stem, isIndex := strings.CutSuffix(path, ".idx")
		if isIndex {
			_, err := os.Stat(stem + ".pack")
			isIndex = errors.Is(err, fs.ErrNotExist)
		}
		if isIndex || strings.HasPrefix(e.Name(), "tmp_") || strings.HasSuffix(e.Name(), ".keep") {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// put writes a small file whole or not at all.
func (m *mirror) put(name, text string) error {
	f, err := os.CreateTemp(m.dir, "tmp_*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(m.dir, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

func pinName(h plumbing.Hash) string { return filepath.Join("refs", "waybill", h.String()) }

// pin says that a commit is here with everything it needs.
func (m *mirror) pin(h plumbing.Hash) error {
	if err := m.put(pinName(h), h.String()+"\n"); err != nil {
		return err
	}
	m.recent = append([]plumbing.Hash{h}, m.recent[:min(maxHaves-1, len(m.recent))]...)
	return nil
}

func (m *mirror) pinned(h plumbing.Hash) bool {
	_, err := os.Stat(filepath.Join(m.dir, pinName(h)))
	return err == nil
}

// pins lists the pinned commits, newest first.
func (m *mirror) pins() ([]plumbing.Hash, error) {
	entries, err := os.ReadDir(filepath.Join(m.dir, "refs", "waybill"))
	if err != nil {
		return nil, err
	}
	type pin struct {
		hash plumbing.Hash
		at   time.Time
	}
	var found []pin
	for _, e := range entries {
		if info, err := e.Info(); err == nil && plumbing.IsHash(e.Name()) {
			found = append(found, pin{plumbing.NewHash(e.Name()), info.ModTime()})
		}
	}
	slices.SortFunc(found, func(a, b pin) int { return b.at.Compare(a.at) })
	hashes := make([]plumbing.Hash, len(found))
	for i, p := range found {
		hashes[i] = p.hash
	}
	return hashes, nil
}

// storage opens the mirror's object store.
func (m *mirror) storage() *filesystem.Storage {
	return filesystem.NewStorageWithOptions(osfs.New(m.dir), cache.NewObjectLRU(cacheSize),
		filesystem.Options{LargeObjectThreshold: streamFrom, MaxOpenDescriptors: maxOpenPacks})
}

// objects returns the reader that the trees in use share.
func (m *mirror) objects() *reader {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.cached.Value(); r != nil {
		return r
	}
	r := &reader{EncodedObjectStorer: m.storage()}
	m.cached = weak.Make(r)
	return r
}

// forget makes the next tree look at the packs anew. Trees in use keep what they know.
func (m *mirror) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cached = weak.Pointer[reader]{}
}

// reader makes go-git's object store, which builds its index on first use, safe for several trees at once.
type reader struct {
	mu sync.Mutex
	storer.EncodedObjectStorer
}

// EncodedObject reads one object.
func (r *reader) EncodedObject(t plumbing.ObjectType, h plumbing.Hash) (plumbing.EncodedObject, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.EncodedObjectStorer.EncodedObject(t, h)
}

// EncodedObjectSize reads the size of one object.
func (r *reader) EncodedObjectSize(h plumbing.Hash) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.EncodedObjectStorer.EncodedObjectSize(h)
}

// HasEncodedObject returns nil when the object is there.
func (r *reader) HasEncodedObject(h plumbing.Hash) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.EncodedObjectStorer.HasEncodedObject(h)
}
