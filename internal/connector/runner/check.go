package runner

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// removeTimeout bounds the removal of a checked container, which also happens when ctx has ended.
const removeTimeout = 30 * time.Second

// errCheckTimeout is the cause of the end of a check that took too long.
var errCheckTimeout = errors.New("the program did not end in time")

// Check runs the program of spec in a throw-away container and waits at most timeout for its end, counted from its start.
// Both of its outputs go to log. The container is removed in any case, also one that an earlier, interrupted check of
// the same name left behind. A program that is still running after timeout is no error but Exit.TimedOut.
// Errors are those of Start and Wait.
func Check(ctx context.Context, r Runner, spec Spec, timeout time.Duration, log io.Writer) (exit Exit, err error) {
	if err := r.Remove(ctx, spec.Name); err != nil {
		return Exit{}, err
	}
	c, err := r.Start(ctx, spec)
	if err != nil {
		return Exit{}, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTimeout)
		defer cancel()
		if rerr := r.Remove(ctx, c.ID); err == nil {
			err = rerr
		}
	}()
	wait, cancel := context.WithTimeoutCause(ctx, timeout, errCheckTimeout)
	defer cancel()
	both := &lockedWriter{w: log}
	exit, err = r.Wait(wait, c.ID, both, both)
	if errors.Is(err, errCheckTimeout) {
		return Exit{TimedOut: true, Started: c.Started, Ended: c.Started.Add(timeout)}, nil
	}
	return exit, err
}

// lockedWriter lets an adapter copy the two outputs at the same time.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
