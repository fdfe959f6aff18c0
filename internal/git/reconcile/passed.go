package reconcile

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// accepting is how much longer than its time of arrival says a delivery may take to be stored.
const accepting = time.Minute

// pass opens a check for every commit that a delivery since the last look named as the tip of the branch, and that it
// left before anybody looked. Such a commit is validated and nothing else. Their ids lie before that of the tip's check,
// which stays the newest of the branch, in the order in which they were told.
func (e *Engine) pass(ctx context.Context, tx *store.Tx, w *work, known waybill.Ref, now time.Time) error {
	w.passed = nil
	if _, branch := waybill.Branch(w.ref); !branch {
		return nil // what a tag is said to be may be an object of its own
	}
	commits, err := gitstore.Passed(ctx, tx, w.repository.ID, w.ref, w.tip, known.Observed.Add(-accepting))
	if err != nil {
		return err
	}
	before := now
	if known.Tip == w.tip {
		before = known.Observed
	}
	for n, commit := range commits {
		at := before.Add(time.Duration(n-len(commits)) * time.Millisecond)
		c := waybill.Check{
			ID: store.NewID(at), Repository: w.repository.ID, Ref: w.ref, Commit: commit,
			Cause: "push", Phase: waybill.Fetched, State: waybill.StateSuccess, Opened: now,
		}
		if c.Actor, err = gitstore.Pusher(ctx, tx, w.repository.ID, w.ref, commit); err != nil {
			return err
		}
		if err := e.open(ctx, tx, w, c); err != nil {
			return err
		}
		w.passed = append(w.passed, c)
	}
	return nil
}

// open stores a new check and makes its commit say that it is looked at.
func (e *Engine) open(ctx context.Context, tx *store.Tx, w *work, c waybill.Check) error {
	if err := gitstore.PutCheck(ctx, tx, c); err != nil {
		return err
	}
	return gitstore.SetStatuses(ctx, tx, c.Repository, c.Commit, []waybill.Status{
		{Context: waybill.AggregateContext, URL: commitPage(w.repository, c.Commit)},
	})
}

// files reads the commit of the check. One that the ref has passed may lie in the history of the tip.
func (e *Engine) files(ctx context.Context, w *work) (waybill.Tree, error) {
	t, err := e.Mirrors.Tree(ctx, w.repository, w.check.Commit)
	if !waybill.IsCode(err, waybill.NotFound) || w.tip == w.check.Commit {
		return t, err
	}
	if err := e.Mirrors.Keep(ctx, w.repository, w.check.Commit); err != nil {
		return nil, err
	}
	return e.Mirrors.Tree(ctx, w.repository, w.check.Commit)
}

// gone reports whether a commit that the ref has passed cannot be read any more.
func (w *work) gone(cause error) bool {
	return w.tip != w.check.Commit && waybill.IsCode(cause, waybill.NotFound)
}
