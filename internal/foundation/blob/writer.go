package blob

import (
	"os"
	"path"
	"sync"
)

// maxSize bounds a blob, in bytes, before the marker.
const maxSize = 16 << 20

// marker is the last line of a blob that reached the limit.
const marker = "… truncated\n"

// Writer appends to one blob. It is safe for concurrent use. Followers see each write at once.
type Writer struct {
	store *Store
	id    string
	live  *live

	mu   sync.Mutex
	file *os.File
	size int64
	last byte
	full bool
}

// Append opens a blob for writing at its end and makes it when it is not there. Close the writer.
func (s *Store) Append(id string) (*Writer, error) {
	if err := check(id); err != nil {
		return nil, err
	}
	if dir := path.Dir(id); dir != "." {
		if err := s.root.MkdirAll(dir, 0o700); err != nil {
			return nil, translate(err, id)
		}
	}
	file, err := s.root.OpenFile(id, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return nil, translate(err, id)
	}
	w := &Writer{store: s, id: id, file: file, last: '\n'}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, translate(err, id)
	}
	if w.size = info.Size(); w.size > 0 {
		var b [1]byte
		if _, err := file.ReadAt(b[:], w.size-1); err == nil {
			w.last = b[0]
		}
	}
	w.full = w.size >= maxSize
	w.live = s.join(id)
	s.ring(w.live)
	return w, nil
}

// Write appends p. Beyond 16 MiB the blob ends with the line "… truncated" and the rest is dropped without an error,
// so that a chatty program is not stopped by its log.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.full || len(p) == 0 {
		return len(p), nil
	}
	keep := p[:min(int64(len(p)), maxSize-w.size)]
	if len(keep) > 0 {
		n, err := w.file.Write(keep)
		w.size += int64(n)
		if err != nil {
			return n, translate(err, w.id)
		}
		w.last = keep[len(keep)-1]
	}
	if len(keep) < len(p) {
		if err := w.mark(); err != nil {
			return len(keep), err
		}
	}
	w.store.ring(w.live)
	return len(p), nil
}

// mark ends the blob.
func (w *Writer) mark() error {
	text := marker
	if w.last != '\n' {
		text = "\n" + marker
	}
	w.full = true
	_, err := w.file.WriteString(text)
	return translate(err, w.id)
}

// Truncate empties the blob, to stream it again from the start. Followers begin anew.
func (w *Writer) Truncate() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.file.Truncate(0); err != nil {
		return translate(err, w.id)
	}
	w.size, w.last, w.full = 0, '\n', false
	w.store.renew(w.id)
	return nil
}

// Close ends the writing and wakes the followers. The blob may be appended to again.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	w.store.ring(w.live)
	w.store.leave(w.id, w.live)
	return translate(err, w.id)
}
