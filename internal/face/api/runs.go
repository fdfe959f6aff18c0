package api

import (
	"context"
	"net/http"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/run"
	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// runs starts and cancels runs.
type runs interface {
	Start(ctx context.Context, r run.Request) (waybill.Run, error)
	// Cancel asks a run to end; it does nothing for one that has ended.
	Cancel(ctx context.Context, id string, by waybill.Actor) error
}

// RunPath names a run.
type RunPath struct {
	ID string `path:"id" maxLength:"40" doc:"Id of the run."`
}

// runQuery selects runs.
type runQuery struct {
	Listing

	Connector string   `query:"connector" doc:"Only those of this connector."`
	Major     int      `query:"major" minimum:"0" doc:"Only those of this major version."`
	Site      string   `query:"site" doc:"Only those at this site."`
	State     []string `query:"state" enum:"queued,running,succeeded,failed,cancelled,timed-out,lost" doc:"Only those in one of these states."`
}

// maxWait is how long a request may wait for a run to end.
const maxWait = 60

func (a *API) addRuns() {
	add(a, operation{
		method: http.MethodGet, path: "/runs", id: "list-runs", tag: "runs",
		summary: "List runs, newest first. Values are shown one run at a time only.", action: auth.Read,
	}, a.listRuns)
	add(a, operation{
		method: http.MethodPost, path: "/runs", id: "start-run", tag: "runs", status: http.StatusCreated,
		summary: "Run a connector at a site.", action: auth.Act,
	}, func(ctx context.Context, in *create[wire.StartRun]) (*body[wire.Run], error) {
		return once(ctx, a.seen, "runs", in, a.startRun)
	})
	add(a, operation{
		method: http.MethodGet, path: "/runs/{id}", id: "get-run", tag: "runs",
		summary: "Show a run, at once or when it has ended.", action: auth.Read,
	}, func(ctx context.Context, in *struct {
		RunPath
		Wait int `query:"wait" minimum:"0" maximum:"60" doc:"Seconds to wait for the end of the run; the answer shows it as it is then."`
	},
	) (*body[wire.Run], error) {
		return a.getRun(ctx, in.ID, time.Duration(min(in.Wait, maxWait))*time.Second)
	})
	add(a, operation{
		method: http.MethodPost, path: "/runs/{id}/cancel", id: "cancel-run", tag: "runs", status: http.StatusAccepted,
		summary: "Ask a run to end. Doing it twice changes nothing.", action: auth.Act,
	}, func(ctx context.Context, in *RunPath) (*body[wire.Run], error) {
		if err := a.Runs.Cancel(ctx, in.ID, by(ctx)); err != nil {
			return nil, err
		}
		return a.getRun(ctx, in.ID, 0)
	})
}

func (a *API) listRuns(ctx context.Context, in *runQuery) (*body[wire.Page[wire.Run]], error) {
	before, err := in.before()
	if err != nil {
		return nil, err
	}
	rows, err := connectorstore.Runs(ctx, a.DB.Query(), connectorstore.RunFilter{
		Connector: in.Connector, Major: in.Major, Site: in.Site, Before: before, Limit: in.more(),
		States: each(in.State, func(s string) waybill.RunState { return waybill.RunState(s) }),
	})
	return answer(page(in.Listing, rows, func(r waybill.Run) string { return r.ID }, execution)), err
}

func (a *API) startRun(ctx context.Context, in wire.StartRun) (wire.Run, error) {
	r, err := a.Runs.Start(ctx, run.Request{
		Connector: in.Connector, Major: in.Major, Site: in.Site, Values: in.Values, By: by(ctx),
	})
	if err != nil {
		return wire.Run{}, err
	}
	return a.runWithValues(ctx, r)
}

func (a *API) getRun(ctx context.Context, id string, wait time.Duration) (*body[wire.Run], error) {
	var r waybill.Run
	read := func(ctx context.Context) (bool, error) {
		var err error
		r, err = connectorstore.Run(ctx, a.DB.Query(), id)
		return r.State.Final(), err
	}
	final, err := read(ctx)
	if err != nil {
		return nil, err
	}
	if !final && wait > 0 {
		limited, cancel := context.WithTimeout(ctx, wait)
		defer cancel()
		if err := a.await(limited, "run:"+id, read); err != nil && limited.Err() == nil {
			return nil, err
		}
	}
	shown, err := a.runWithValues(ctx, r)
	return answer(shown), err
}

// pollEvery is how often a waiting request looks when nothing wakes it.
const pollEvery = time.Second

// await returns when done reports true, looking again whenever topic is notified; it ends with the error of ctx.
func (a *API) await(ctx context.Context, topic string, done func(context.Context) (bool, error)) error {
	wake, stop := a.DB.Subscribe(topic)
	defer stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if ok, err := done(ctx); err != nil || ok {
			return err
		}
		select {
		case <-wake:
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// runWithValues converts a run with the values it was given, those of password fields hidden.
func (a *API) runWithValues(ctx context.Context, r waybill.Run) (wire.Run, error) {
	w := execution(r)
	if len(r.Values) == 0 {
		return w, nil
	}
	fields, err := a.fields(ctx, r.Connector, r.Major)
	w.Values = redact(fields, r.Values)
	return w, err
}

func execution(r waybill.Run) wire.Run {
	w := wire.Run{
		ID: r.ID, Connector: r.Connector, Major: r.Major, Site: r.Site, Environment: string(r.Environment),
		Release: r.Release, Commit: r.Commit, Image: r.Image, Trigger: string(r.Trigger), Actor: r.Actor,
		State: string(r.State), Class: string(r.Class), ExitCode: r.ExitCode, PID: r.PID, Reason: r.Reason,
		Created: r.Created, Started: r.Started, Ended: r.Ended,
	}
	if !r.Started.IsZero() && !r.Ended.IsZero() {
		w.Duration = r.Ended.Sub(r.Started).Seconds()
	}
	return w
}
