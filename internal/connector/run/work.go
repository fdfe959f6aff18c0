package run

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// awayPause is how long a run waits before it looks again for an engine that is away.
const awayPause = 10 * time.Second

// Handle does the work of one run from wherever it stands: queued, running in a container that may be adopted, or ended
// with a container that is still there. A run whose turn has not come is left queued; the one before wakes it.
func (e *Engine) Handle(ctx context.Context, item queue.Item) queue.Result {
	err := e.work(ctx, item)
	switch {
	case err != nil && ctx.Err() != nil:
		return queue.Retry(err)
	case waybill.IsCode(err, waybill.Unavailable):
		return queue.Snooze(awayPause, err.Error())
	}
	return queue.Of(err)
}

func (e *Engine) work(ctx context.Context, item queue.Item) error {
	r, err := connectorstore.Run(ctx, e.DB.Query(), item.Key)
	if err != nil {
		return err
	}
	if r.State == waybill.RunQueued {
		if r, err = e.launch(ctx, item, r); err != nil || r.State == waybill.RunQueued {
			return err
		}
	}
	if r.State == waybill.RunRunning {
		if err := e.attend(ctx, item, r); err != nil {
			return err
		}
	}
	return e.Runner.Remove(ctx, containerName(r))
}

// launch starts the container of a queued run when its turn has come, and records that it runs, or why it cannot.
func (e *Engine) launch(ctx context.Context, item queue.Item, r waybill.Run) (waybill.Run, error) {
	if r.Cancel {
		return e.end(ctx, item, r, 0, verdict{
			state: waybill.RunCancelled, class: waybill.ClassOK, reason: "cancelled before it started",
		})
	}
	before, err := inProgress(ctx, e.DB.Query(), r.Connector, r.Major, r.Site)
	if err != nil || len(before) > 0 && before[0].ID != r.ID {
		return r, err
	}
	wanted, err := e.prepare(ctx, r)
	if err != nil {
		return e.refuse(ctx, item, r, err, waybill.ClassUser)
	}
	c, err := e.Runner.Start(ctx, wanted)
	if err != nil {
		return e.refuse(ctx, item, r, err, waybill.ClassConnector)
	}
	return e.running(ctx, item, r, c)
}

// refuse ends a run that cannot be started, or passes err on when a later attempt may succeed.
func (e *Engine) refuse(ctx context.Context, item queue.Item, r waybill.Run, err error, invalid waybill.ExitClass) (waybill.Run, error) {
	if v, ok := notStarted(err, invalid); ok && ctx.Err() == nil {
		return e.end(ctx, item, r, 0, v)
	}
	return r, err
}

// prepare describes the container of r: pinned to its release, with the values that its site has now.
func (e *Engine) prepare(ctx context.Context, r waybill.Run) (runner.Spec, error) {
	release, err := connectorstore.Release(ctx, e.DB.Query(), r.Release)
	if err != nil {
		return runner.Spec{}, err
	}
	assignment, _, err := connectorstore.FindAssignment(ctx, e.DB.Query(), r.Site, r.Connector, r.Major)
	if err != nil {
		return runner.Spec{}, err
	}
	t := target{Identity: identity(r), site: waybill.Site{Name: r.Site}, assignment: assignment, release: release}
	values, err := t.values(r.Values)
	return spec(r, release, values), err
}

// running records that the container of r runs. Started is the engine's time, as is the end that will be compared to it.
func (e *Engine) running(ctx context.Context, item queue.Item, r waybill.Run, c runner.Container) (waybill.Run, error) {
	var next waybill.Run
	err := e.DB.Write(ctx, "run.running", func(tx *store.Tx) error {
		if err := item.Fence(ctx, tx); err != nil {
			return err
		}
		next = r
		next.Container, next.PID = c.ID, c.PID
		if err := next.Move(waybill.RunRunning, e.Now()); err != nil {
			return err
		}
		if !c.Started.IsZero() {
			next.Started = c.Started
		}
		if err := connectorstore.SaveRun(ctx, tx, next, r.State); err != nil {
			return err
		}
		announce(tx, next)
		return record(ctx, tx, next, system(), "run.running", string(r.State), "")
	})
	return next, err
}

// attend watches the container of a running run to its end and records it.
func (e *Engine) attend(ctx context.Context, item queue.Item, r waybill.Run) error {
	release, err := connectorstore.Release(ctx, e.DB.Query(), r.Release)
	if err != nil {
		return err
	}
	settings := release.Declaration.Connector.Run
	exit, asked, err := e.watch(ctx, r, settings.Timeout)
	v, ok := conclude(r, exit, asked, err, limits{settings.Timeout, settings.Memory, e.MaxOutput})
	if !ok {
		return err
	}
	_, err = e.end(ctx, item, r, settings.Retries, v)
	return err
}
