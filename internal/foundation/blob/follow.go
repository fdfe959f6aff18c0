package blob

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// recheck is how often a waiting follower asks whether it is done: nobody wakes it for that.
const recheck = 200 * time.Millisecond

// follower reads a blob while it grows.
type follower struct {
	ctx   context.Context //nolint:containedctx // A reader has no other way to be told.
	store *Store
	id    string
	done  func() bool
	live  *live
	epoch int
	file  *os.File
	at    int64
}

// Follow returns a reader of what a blob holds and of what is appended, starting again when the blob is truncated. It
// waits for a blob that is not there yet. It ends with io.EOF once done reported true and everything written before
// that was read, and with Unavailable when ctx ends. Close the reader.
func (s *Store) Follow(ctx context.Context, id string, done func() bool) io.ReadCloser {
	l := s.join(id)
	epoch, _ := s.state(l)
	return &follower{ctx: ctx, store: s, id: id, done: done, live: l, epoch: epoch}
}

// Read returns what is there, or waits.
func (f *follower) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	ticker := time.NewTicker(recheck)
	defer ticker.Stop()
	for {
		if f.ctx.Err() != nil {
			return 0, waybill.Wrap(waybill.Unavailable, context.Cause(f.ctx), "following the log was ended")
		}
		epoch, bell := f.store.state(f.live)
		if epoch != f.epoch {
			f.forget()
			f.epoch, f.at = epoch, 0
		}
		done := f.done() // before reading, so that nothing written before is missed
		n, err := f.next(p)
		if n > 0 || err != nil {
			return n, err
		}
		if done {
			return 0, io.EOF
		}
		select {
		case <-bell:
		case <-ticker.C:
		case <-f.ctx.Done():
		}
	}
}

// next reads on; nothing and no error at the end.
func (f *follower) next(p []byte) (int, error) {
	if f.file == nil {
		if err := check(f.id); err != nil {
			return 0, err
		}
		file, err := f.store.root.Open(f.id)
		if errors.Is(err, os.ErrNotExist) {
			return 0, nil
		}
		if err != nil {
			return 0, translate(err, f.id)
		}
		f.file = file
	}
	n, err := f.file.ReadAt(p, f.at)
	f.at += int64(n)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, translate(err, f.id)
}

func (f *follower) forget() {
	if f.file != nil {
		_ = f.file.Close() // it was only read
		f.file = nil
	}
}

// Close gives the file back. It must not run while Read does.
func (f *follower) Close() error {
	if f.live != nil {
		f.store.leave(f.id, f.live)
		f.live = nil
	}
	f.forget()
	return nil
}
