package apitest

import (
	"context"
	"errors"
	"strconv"

	"github.com/waybill-dev/waybill/internal/connector/run"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/git/reconcile"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// engines stand for the real ones: they do to the store what a caller can see, and nothing else.
type engines struct{ s *Server }

// Rollback points at the release before the live one.
func (e *engines) Rollback(ctx context.Context, connector string, major int, env waybill.Environment, by waybill.Actor) (waybill.Live, error) {
	rows, err := connectorstore.Releases(ctx, e.s.DB.Query(), connectorstore.ReleaseFilter{Connector: connector, Major: major, Environment: env})
	if err != nil {
		return waybill.Live{}, err
	}
	live, found, err := connectorstore.FindLive(ctx, e.s.DB.Query(), connector, major, env)
	if err != nil || !found {
		return live, errors.Join(err, waybill.Errorf(waybill.Conflict, "nothing of %s is live on %s", connector, env))
	}
	for _, r := range rows {
		if r.Outcome == waybill.OK && r.ID < live.Release {
			return e.point(ctx, live, r.ID)
		}
	}
	return live, waybill.Errorf(waybill.Conflict, "nothing was live before %s on %s", connector, env)
}

// Promote points at a release.
func (e *engines) Promote(ctx context.Context, id string, _ waybill.Actor) (waybill.Live, error) {
	r, err := connectorstore.Release(ctx, e.s.DB.Query(), id)
	if err != nil {
		return waybill.Live{}, err
	}
	if r.Outcome != waybill.OK {
		return waybill.Live{}, waybill.Errorf(waybill.Conflict, "release %s is %s and cannot be live", id, r.Outcome)
	}
	live, _, err := connectorstore.FindLive(ctx, e.s.DB.Query(), r.Declaration.Name, r.Declaration.Major, r.Environment)
	if err != nil {
		return live, err
	}
	return e.point(ctx, live, id)
}

func (e *engines) point(ctx context.Context, live waybill.Live, release string) (waybill.Live, error) {
	live.Release, live.Since = release, Now()
	err := e.s.DB.Write(ctx, "live.point", func(tx *store.Tx) error { return connectorstore.SetLive(ctx, tx, live) })
	return live, err
}

// Retry remembers nothing: it only says whether the commit could be examined again.
func (e *engines) Retry(ctx context.Context, repository, commit string, by waybill.Actor) error {
	return e.s.DB.Write(ctx, "check.retry", func(tx *store.Tx) error {
		return store.Record(ctx, tx, waybill.Entry{
			Actor: by.Name, Channel: by.Channel, Repository: repository, Commit: commit, Subject: "repository:" + repository, Action: "check.retry",
		})
	})
}

// Preview finds a mistake in the first file that came with content, and one change. A real engine is asked in package server.
func (e *engines) Preview(ctx context.Context, q reconcile.Question) (reconcile.Preview, error) {
	p := reconcile.Preview{}
	err := q.Tree.Walk(ctx, func(f waybill.File) error {
		p.Loaded.Files++
		text, err := waybill.ReadFile(ctx, q.Tree, f.Path, 16<<20)
		if err == nil && len(text) > 0 && len(p.Findings) == 0 {
			p.Findings = waybill.Findings{{Code: "WB302", Severity: waybill.SeverityError, File: f.Path, Line: 4, Column: 9, Message: "owner is not the team of this repository"}}
		}
		return err
	})
	if q.Repository == "" || err != nil {
		return p, err
	}
	p.Repository = waybill.Repository{ID: Repository, Owner: "feeds", Name: "shop-feed"}
	p.Changes = []waybill.Change{{
		Identity: waybill.Identity{Kind: waybill.KindConnector, Name: "shop-feed", Major: 1}, Class: waybill.Redeploy, Environment: waybill.Dev,
		Parts: []string{"spec.fields"}, Affected: []string{"site:feeds-dev"},
	}}
	return p, nil
}

// Start queues a run. It prints its values to stdout, a line to stderr, and ends with the value of exit as exit code;
// with the value hold it goes on until it is cancelled.
func (e *engines) Start(ctx context.Context, q run.Request) (waybill.Run, error) {
	if _, err := connectorstore.GetConnector(ctx, e.s.DB.Query(), q.Connector); err != nil {
		return waybill.Run{}, err
	}
	if _, err := connectorstore.Site(ctx, e.s.DB.Query(), q.Site); err != nil {
		return waybill.Run{}, err
	}
	id := store.NewID(Now())
	r := waybill.Run{
		ID: id, Connector: q.Connector, Major: max(1, q.Major), Site: q.Site, Environment: waybill.Dev, Trigger: waybill.TriggerManual,
		Attempt: 1, Actor: q.By.Name, Values: q.Values, State: waybill.RunQueued, Created: Now(),
		Stdout: "run/" + id + "/stdout", Stderr: "run/" + id + "/stderr",
	}
	err := e.s.DB.Write(ctx, "run.start", func(tx *store.Tx) error { return connectorstore.InsertRun(ctx, tx, r) })
	if err != nil {
		return r, err
	}
	if q.Values["hold"] == "" {
		e.s.work.Go(func() { e.execute(context.WithoutCancel(ctx), r) })
	}
	return r, nil
}

// execute takes a run to its end. Its errors show as a run that never ends.
func (e *engines) execute(ctx context.Context, r waybill.Run) {
	code, _ := strconv.Atoi(r.Values["exit"])
	if e.save(ctx, &r, waybill.RunRunning) != nil {
		return
	}
	for id, text := range map[string]string{
		r.Stdout: `{"level":"info","message":"reading"}` + "\n" + `{"id":1}` + "\n",
		r.Stderr: "a warning\n",
	} {
		w, err := e.s.Blobs.Append(id)
		if err != nil {
			return
		}
		_, _ = w.Write([]byte(text))
		_ = w.Close()
	}
	state := waybill.RunSucceeded
	if code != 0 {
		state = waybill.RunFailed
	}
	r.ExitCode, r.Class = &code, waybill.ClassOf(code, false, false)
	_ = e.save(ctx, &r, state)
}

func (e *engines) save(ctx context.Context, r *waybill.Run, to waybill.RunState) error {
	from := r.State
	if err := r.Move(to, Now()); err != nil {
		return err
	}
	return e.s.DB.Write(ctx, "run.move", func(tx *store.Tx) error {
		tx.Notify("run:" + r.ID)
		return connectorstore.SaveRun(ctx, tx, *r, from)
	})
}

// Cancel ends a run at once.
func (e *engines) Cancel(ctx context.Context, id string, _ waybill.Actor) error {
	r, err := connectorstore.Run(ctx, e.s.DB.Query(), id)
	if err != nil || r.State.Final() {
		return err
	}
	r.Reason = "cancelled"
	return e.save(ctx, &r, waybill.RunCancelled)
}
