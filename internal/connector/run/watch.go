package run

import (
	"context"
	"errors"
	"io"
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
	over           chan struct{} // receives when one of them is too long
}

// openOutputs begins both logs anew.
func (e *Engine) openOutputs(r waybill.Run) (*outputs, error) {
	stdout, err := e.Logs.Create(r.Stdout)
	if err != nil {
		return nil, err
	}
	stderr, err := e.Logs.Create(r.Stderr)
	if err != nil {
		return nil, errors.Join(err, stdout.Close())
	}
	over := make(chan struct{}, 2)
	return &outputs{
		stdout: &meter{log: stdout, left: e.MaxOutput, over: over},
		stderr: &meter{log: stderr, left: e.MaxOutput, over: over},
		over:   over,
	}, nil
}

// Close closes both logs.
func (o *outputs) Close() error { return errors.Join(o.stdout.log.Close(), o.stderr.log.Close()) }

// meter passes on what is written up to a limit, then says so and wants no more.
type meter struct {
	log  io.WriteCloser
	left int64
	over chan<- struct{}
	full bool
}

// Write keeps what fits.
func (m *meter) Write(p []byte) (int, error) {
	keep := p[:min(int64(len(p)), m.left)]
	m.left -= int64(len(keep))
	if len(keep) > 0 {
		if n, err := m.log.Write(keep); err != nil {
			return n, err
		}
	}
	if len(keep) == len(p) {
		return len(p), nil
	}
	if !m.full {
		m.full = true
		m.over <- struct{}{} // there is a place for each meter
	}
	return len(keep), runner.ErrEnough
}
