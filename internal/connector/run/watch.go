package run

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// cause says why a program was asked to end.
type cause string

// The causes. Empty: it was not asked.
const (
	byCancel  cause = "cancel"
	byTimeout cause = "timeout"
	byOutput  cause = "output"
)

// watch copies the output of the container of r from the beginning into fresh logs until its program ends, and asks it
// to end when somebody cancels, when its time is over or when it prints too much. It returns what it saw; err is that
// of the wait, with NotFound for a container that vanished and Invalid for a program that the engine cannot run.
func (e *Engine) watch(ctx context.Context, r waybill.Run, timeout time.Duration) (exit runner.Exit, asked cause, err error) {
	out, err := e.openOutputs(r)
	if err != nil {
		return exit, asked, err
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	var waitErr error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		exit, waitErr = e.Runner.Wait(waiting, r.Container, out.stdout, out.stderr)
	}()
	asked, err = e.supervise(ctx, r, timeout, ended, out.over)
	cancel() // ends the wait when supervision failed
	<-ended
	return exit, asked, errors.Join(err, waitErr, out.Close())
}

// supervise returns when ended is closed, with the cause for which the program was asked to end. An error means that
// nobody looks after the container any more.
func (e *Engine) supervise(ctx context.Context, r waybill.Run, timeout time.Duration, ended, over <-chan struct{}) (asked cause, err error) {
	wake, unsubscribe := e.DB.Subscribe("run:" + r.ID)
	defer unsubscribe()
	var late <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(max(0, r.Started.Add(timeout).Sub(e.Now())))
		defer timer.Stop()
		late = timer.C
	}
	cancelled, err := e.cancelled(ctx, r) // perhaps before anybody listened
	grace := e.Grace
	for err == nil && asked == "" && !cancelled {
		select {
		case <-ended:
			return "", nil
		case <-wake:
			cancelled, err = e.cancelled(ctx, r)
		case <-late:
			asked = byTimeout
		case <-over:
			asked, grace = byOutput, 0
		}
	}
	if cancelled {
		asked = byCancel
	}
	if err == nil {
		err = e.Runner.Stop(ctx, r.Container, grace)
	}
	if err == nil {
		<-ended
	}
	return asked, err
}

// cancelled reports whether somebody asked for the end of r.
func (e *Engine) cancelled(ctx context.Context, r waybill.Run) (bool, error) {
	now, err := connectorstore.Run(ctx, e.DB.Query(), r.ID)
	return now.Cancel, err
}

// outputs are the two logs of a run.
type outputs struct {
	stdout, stderr *meter
	over           chan struct{} // closed when both together are too much
}

// openOutputs begins both logs anew.
func (e *Engine) openOutputs(r waybill.Run) (*outputs, error) {
	o := &outputs{over: make(chan struct{})}
	left := &atomic.Int64{}
	left.Store(e.MaxOutput)
	stdout, err := e.Logs.Create(r.Stdout)
	if err != nil {
		return nil, err
	}
	stderr, err := e.Logs.Create(r.Stderr)
	if err != nil {
		return nil, errors.Join(err, stdout.Close())
	}
	o.stdout = &meter{log: stdout, left: left, over: o.over}
	o.stderr = &meter{log: stderr, left: left, over: o.over}
	return o, nil
}

// Close closes both logs.
func (o *outputs) Close() error { return errors.Join(o.stdout.log.Close(), o.stderr.log.Close()) }

// meter passes on what is written until the limit that it shares with others is used up, and drops the rest.
type meter struct {
	log  io.WriteCloser
	left *atomic.Int64
	over chan<- struct{}
}

// Write reports all of p as written, also what it drops, so that the program can be watched to its end.
func (m *meter) Write(p []byte) (int, error) {
	n := int64(len(p))
	left := m.left.Add(-n)
	if left >= 0 {
		return m.log.Write(p)
	}
	if left+n >= 0 { // this write crossed the line
		close(m.over)
		if _, err := m.log.Write(p[:left+n]); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
