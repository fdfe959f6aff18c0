// Package secret reads secrets from files that may be exchanged while the program runs.
package secret

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// maxSize bounds what is read from a file that should hold a secret, in bytes.
const maxSize = 64 << 10

// File is a file that holds one secret. It is read at each use, so that a new secret acts at once. It is safe for
// concurrent use.
type File struct {
	What string // for people: "token of forge hub"
	Name string // of the file
	// Optional says that there may be no secret: the file is missing or empty then. Reading it is never an error.
	Optional bool
	Check    func(secret []byte) error // what is not one, such as half a key; nil: any text is
	Log      *slog.Logger

	mu       sync.Mutex
	last     []byte // that was read, nil before
	troubled bool   // and said so
}

// Read returns the secret, without space around it; none is nil. While the file cannot be read, or holds no secret, it
// is the last one that was read; without that one Read reports Denied.
func (f *File) Read() ([]byte, error) {
	found, err := f.look()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil && f.Check != nil && found != nil && !bytes.Equal(found, f.last) {
		err = f.refused(f.Check(found))
	}
	if err == nil {
		f.last = found
	}
	if f.last == nil && !f.Optional {
		return nil, err
	}
	f.tell(err)
	return f.last, nil
}

// tell logs when trouble begins and when it is over.
func (f *File) tell(err error) {
	switch {
	case err != nil && !f.troubled:
		f.Log.Warn("the last secret stays in use", "component", "secret", "file", f.Name, "error", err)
	case err == nil && f.troubled:
		f.Log.Info("the secret can be read again", "component", "secret", "file", f.Name)
	}
	f.troubled = err != nil
}

// look reads the secret that the file holds now.
func (f *File) look() ([]byte, error) {
	raw, err := f.raw()
	found := bytes.TrimSpace(raw)
	none := errors.Is(err, fs.ErrNotExist) || err == nil && len(found) == 0
	switch {
	case none && f.Optional:
		return nil, nil
	case err != nil:
		return nil, f.refused(err)
	case none || len(raw) > maxSize:
		return nil, f.refused(errors.New(f.Name + " is empty or too long"))
	}
	return found, nil
}

// refused says that there is no secret to use, and why.
func (f *File) refused(why error) error {
	if why == nil {
		return nil
	}
	return waybill.Wrap(waybill.Denied, why, "the "+f.What+" cannot be read: "+why.Error())
}

// raw reads a little more than a secret may have.
func (f *File) raw() ([]byte, error) {
	file, err := os.Open(f.Name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // nothing was written
	return io.ReadAll(io.LimitReader(file, maxSize+1))
}
