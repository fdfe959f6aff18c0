package reconcile

import (
	"context"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Retry examines a commit again, as a new cause: what did not succeed is tried once more, what did stays as it is.
// Conflict: no ref points at the commit any more, so that there is nothing to deploy it to.
func (e *Engine) Retry(ctx context.Context, repository, commit string, by waybill.Actor) error {
	r, err := gitstore.Repository(ctx, e.DB.Query(), repository)
	if err != nil {
		return err
	}
	return e.DB.Write(ctx, "check.retry", func(tx *store.Tx) error {
		refs, err := gitstore.Refs(ctx, tx, repository)
		if err != nil {
			return err
		}
		found := false
		for _, ref := range refs {
			if ref.Tip != commit {
				continue
			}
			found = true
			if err := e.reopen(ctx, tx, r, ref, 0, by); err != nil {
				return err
			}
		}
		pulls, err := gitstore.OpenPulls(ctx, tx, repository)
		if err != nil {
			return err
		}
		for _, p := range pulls {
			if p.Head != commit {
				continue
			}
			found = true
			if err := e.reopen(ctx, tx, r, waybill.Ref{Name: p.Ref, Tip: p.Head}, p.Number, by); err != nil {
				return err
			}
		}
		if !found {
			return waybill.Errorf(waybill.Conflict, "no branch, tag or open pull request of %s points at %s any more; push it again to retry it",
				r.FullName(), waybill.ShortCommit(commit))
		}
		return nil
	})
}

// reopen opens a check for a commit that had one, and wakes the worker of its ref or, where its number is not 0, of its
// pull request.
func (e *Engine) reopen(ctx context.Context, tx *store.Tx, r waybill.Repository, ref waybill.Ref, pull int, by waybill.Actor) error {
	now := e.Now()
	check := waybill.Check{
		ID: store.NewID(now), Repository: r.ID, Ref: ref.Name, Commit: ref.Tip, Pull: pull, Cause: "retry", Actor: by.Name,
		Phase: waybill.Fetched, State: waybill.StateSuccess, Opened: now,
	}
	if err := gitstore.PutCheck(ctx, tx, check); err != nil {
		return err
	}
	if err := gitstore.SetStatuses(ctx, tx, r.ID, ref.Tip, nil); err != nil {
		return err
	}
	entry := waybill.Entry{
		At: now, Actor: by.Name, Channel: by.Channel, Repository: r.ID, Commit: ref.Tip,
		Subject: "repository:" + r.FullName(), Action: "check.retry", After: check.ID,
	}
	if err := store.Record(ctx, tx, entry); err != nil {
		return err
	}
	if pull > 0 {
		return e.lookAt(ctx, tx, r, pull)
	}
	_, err := queue.Enqueue(ctx, tx, queue.Entry{Kind: Kind, Key: Key(r.ID, ref.Name), Tenant: r.Owner})
	return err
}
