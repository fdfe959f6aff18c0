package blob

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Store is a folder of blobs. It is safe for concurrent use.
type Store struct {
	root *os.Root
	now  func() time.Time

	mu   sync.Mutex
	live map[string]*live // blobs that are being written or followed
}

// live connects the writer of a blob with its followers.
type live struct {
	users int
	epoch int           // counts how often the content began anew
	bell  chan struct{} // closed at the next change
}

// Open opens the folder dir, which it makes when it is not there, readable by the owner only.
func Open(dir string, now func() time.Time) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, waybill.Wrap(waybill.Unavailable, err, "the folder of the logs cannot be made: "+dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, waybill.Wrap(waybill.Unavailable, err, "the folder of the logs cannot be opened: "+dir)
	}
	return &Store{root: root, now: now, live: map[string]*live{}}, nil
}

// Close gives the folder back. Open files stay usable.
func (s *Store) Close() error { return translate(s.root.Close(), "") }

// Open returns what a blob holds now, or NotFound.
func (s *Store) Open(id string) (io.ReadSeekCloser, error) {
	if err := check(id); err != nil {
		return nil, err
	}
	file, err := s.root.Open(id)
	if err != nil {
		return nil, translate(err, id)
	}
	return file, nil
}

// Size returns the number of bytes of a blob, or NotFound.
func (s *Store) Size(id string) (int64, error) {
	if err := check(id); err != nil {
		return 0, err
	}
	info, err := s.root.Stat(id)
	if err != nil {
		return 0, translate(err, id)
	}
	return info.Size(), nil
}

// Remove deletes a blob, or a folder of blobs such as release/01J…. One that is not there is no error.
func (s *Store) Remove(id string) error {
	if err := check(id); err != nil {
		return err
	}
	err := s.root.RemoveAll(id)
	s.renew(id)
	return translate(err, id)
}

// Sweep deletes the blobs that were last written to before olderThan ago, and folders that are empty then.
func (s *Store) Sweep(olderThan time.Duration) (removed int, err error) {
	limit := s.now().Add(-olderThan)
	var folders []string
	err = fs.WalkDir(s.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // somebody else removed it
		case err != nil:
			return err
		case entry.IsDir():
			folders = append(folders, name)
			return nil
		}
		info, err := entry.Info()
		if err != nil || !info.ModTime().Before(limit) {
			return ignoreMissing(err)
		}
		if err := s.root.Remove(name); err != nil {
			return ignoreMissing(err)
		}
		removed++
		return nil
	})
	s.removeEmpty(folders)
	return removed, translate(err, "")
}

// removeEmpty removes those of the folders that are empty, innermost first. Failing is how the others say that they
// are not; a writer whose folder goes away makes it again.
func (s *Store) removeEmpty(folders []string) {
	for i := len(folders) - 1; i > 0; i-- {
		_ = s.root.Remove(folders[i])
	}
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// check reports Invalid for anything that is not a plain relative path: letters, digits and ._-@+~ between slashes.
func check(id string) error {
	strange := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-@+~/", r)
	}
	if !fs.ValidPath(id) || id == "." || len(id) > 500 || strings.ContainsFunc(id, strange) {
		return waybill.Errorf(waybill.Invalid, "%q cannot name a log", id)
	}
	return nil
}

// translate gives an error of the file system a code.
func translate(err error, id string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return waybill.Wrap(waybill.NotFound, err, "no log "+id)
	default:
		return waybill.Wrap(waybill.Unavailable, err, "the log cannot be used: "+id)
	}
}

// join makes the connection of a blob last until leave.
func (s *Store) join(id string) *live {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.live[id]
	if l == nil {
		l = &live{bell: make(chan struct{})}
		s.live[id] = l
	}
	l.users++
	return l
}

func (s *Store) leave(id string, l *live) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(s.live, id)
	}
}

// state returns what a follower has to know before it reads.
func (s *Store) state(l *live) (epoch int, bell <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.epoch, l.bell
}

// ring wakes the followers of a blob.
func (s *Store) ring(l *live) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(l.bell)
	l.bell = make(chan struct{})
}

// renew tells the followers of a blob, or of all in a folder, that it begins anew.
func (s *Store) renew(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, l := range s.live {
		if name == id || strings.HasPrefix(name, path.Clean(id)+"/") {
			l.epoch++
			close(l.bell)
			l.bell = make(chan struct{})
		}
	}
}
