package release

import (
	"context"
	"slices"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// job is one release in the hands of the worker of its lane.
type job struct {
	item    queue.Item
	release waybill.Release
}

// outcome is what became of a step.
type outcome struct {
	step   waybill.Step
	to     waybill.Outcome
	detail string // for people, at most a sentence; equal for equal results
}

// record is the one place where outcomes are written: step, history, audit and commit status in one transaction with
// whatever effects add, and the metric once after its commit. name names the transaction.
func (e *Engine) record(ctx context.Context, j *job, name string, o outcome, effects ...func(*store.Tx) error) error {
	return e.write(ctx, j, name, func(tx *store.Tx, r *waybill.Release) error {
		for _, effect := range effects {
			if err := effect(tx); err != nil {
				return err
			}
		}
		return e.move(ctx, tx, r, o)
	})
}

// end ends the release at a step that did not succeed: what was not reached is closed too, so that nothing stays pending.
func (e *Engine) end(ctx context.Context, j *job, o outcome, effects ...func(*store.Tx) error) error {
	rest := outcome{to: waybill.Skipped, detail: "skipped, " + string(o.step) + " ended as " + string(o.to)}
	if o.to == waybill.Superseded {
		rest = o
	}
	return e.write(ctx, j, "release."+string(o.step)+"."+string(o.to), func(tx *store.Tx, r *waybill.Release) error {
		for _, effect := range effects {
			if err := effect(tx); err != nil {
				return err
			}
		}
		if err := e.move(ctx, tx, r, o); err != nil {
			return err
		}
		for _, st := range r.Steps {
			if st.Outcome != waybill.Waiting {
				continue
			}
			if err := e.move(ctx, tx, r, outcome{st.Step, rest.to, rest.detail}); err != nil {
				return err
			}
		}
		return e.wakeProd(ctx, tx, *r)
	})
}

// write runs change on a copy of the release in one fenced transaction, and keeps the copy when it is committed.
func (e *Engine) write(ctx context.Context, j *job, name string, change func(*store.Tx, *waybill.Release) error) error {
	var next waybill.Release
	err := e.DB.Write(ctx, name, func(tx *store.Tx) error {
		if err := j.item.Fence(ctx, tx); err != nil {
			return err
		}
		next = clone(j.release)
		return change(tx, &next)
	})
	if err == nil {
		j.release = next
	}
	return err
}

// move changes one step of r and writes everything that follows from it.
func (e *Engine) move(ctx context.Context, tx *store.Tx, r *waybill.Release, o outcome) error {
	now := e.Now()
	before, _ := r.Step(o.step)
	if before.Outcome == o.to && before.Detail == o.detail {
		return connectorstore.SaveRelease(ctx, tx, *r)
	}
	if err := r.Move(o.step, o.to, o.detail, now); err != nil {
		return err
	}
	if o.step == waybill.StepBuild && o.to == waybill.Running {
		r.KeepLog(o.step, buildLog(*r))
	}
	if err := connectorstore.SaveRelease(ctx, tx, *r); err != nil {
		return err
	}
	entry := waybill.Entry{
		At: now, Actor: r.Actor, Channel: waybill.ChannelGit, Repository: r.Repository, Commit: r.Commit, Subject: subject(*r),
		Action: "step." + string(o.step), Before: string(before.Outcome), After: string(o.to), Message: o.detail,
	}
	if err := store.Record(ctx, tx, entry); err != nil {
		return err
	}
	if o.to.Final() && r.Environment == waybill.Try {
		if err := e.discuss(ctx, tx, *r); err != nil {
			return err
		}
	}
	if o.to.Final() {
		tx.After(func() { e.Observer.Step(o.step, o.to) })
	}
	return e.report(ctx, tx, *r)
}

// report brings the commit's statuses to where the steps of r are, as far as r speaks for its commit.
func (e *Engine) report(ctx context.Context, tx *store.Tx, r waybill.Release) error {
	says, err := speech(ctx, tx, r)
	if err != nil {
		return err
	}
	var statuses []waybill.Status
	for _, st := range r.Steps {
		if !slices.Contains(says, st.Step) {
			continue
		}
		description := st.Detail
		if description == "" {
			description = string(st.Outcome)
		}
		statuses = append(statuses, waybill.Status{
			Context: waybill.ContextOf(r.Declaration.Identity, st.Step), State: st.Outcome.State(), Outcome: st.Outcome,
			Description: waybill.Describe(description), URL: "/releases/" + r.ID, Started: st.Started,
		})
	}
	tx.Notify("connector:" + r.Declaration.Name)
	tx.Notify("release:" + r.ID)
	return gitstore.SetStatuses(ctx, tx, r.Repository, r.Commit, statuses)
}

// speech returns the steps of which r speaks to its commit, where several releases of one commit share the contexts.
// Of several versions the highest speaks. It leaves to the dev release what that has to say, unless that did not succeed.
func speech(ctx context.Context, q store.Querier, r waybill.Release) ([]waybill.Step, error) {
	steps := waybill.StepsTo(r.Environment)
	if r.Environment == waybill.Dev {
		return steps, nil
	}
	siblings, err := connectorstore.Releases(ctx, q, connectorstore.ReleaseFilter{
		Connector: r.Declaration.Name, Major: r.Declaration.Major, Repository: r.Repository, Commit: r.Commit,
	})
	dev := slices.IndexFunc(siblings, func(o waybill.Release) bool { return o.Environment == waybill.Dev }) // the newest
	switch {
	case err != nil:
		return nil, err
	case r.Environment == waybill.Try && slices.ContainsFunc(siblings, func(o waybill.Release) bool { return o.Environment != waybill.Try }):
		return nil, nil // what goes somewhere says more
	case r.Environment == waybill.Try:
		return steps, nil
	case slices.ContainsFunc(siblings, func(o waybill.Release) bool {
		return o.Environment == waybill.Prod && compareSemver(o.Semver, r.Semver) > 0
	}):
		return nil, nil
	case dev >= 0 && (siblings[dev].Outcome == waybill.OK || !siblings[dev].Outcome.Final()):
		return []waybill.Step{waybill.StepProd}, nil
	}
	return steps, nil
}

// wakeProd lets a tag that waited for dev go on, once the dev release of a connector has ended.
func (e *Engine) wakeProd(ctx context.Context, tx *store.Tx, r waybill.Release) error {
	if r.Environment != waybill.Dev {
		return nil
	}
	waiting, err := connectorstore.Lane(ctx, tx, r.Declaration.Name, r.Declaration.Major, waybill.Prod)
	if err != nil || len(waiting) == 0 {
		return err
	}
	return wake(ctx, tx, waiting[0])
}

// clone copies r so that a transaction that runs again starts from the same steps.
func clone(r waybill.Release) waybill.Release {
	r.Steps = append([]waybill.StepState(nil), r.Steps...)
	return r
}
