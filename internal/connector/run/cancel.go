package run

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Cancel asks a run to end; whoever watches its container stops it, also after a restart. A run that has ended, or was
// asked before, is left as it is. NotFound: no such run.
func (e *Engine) Cancel(ctx context.Context, id string, by waybill.Actor) error {
	return e.DB.Write(ctx, "run.cancel", func(tx *store.Tx) error {
		r, err := connectorstore.Run(ctx, tx, id)
		if err != nil {
			return err
		}
		return e.cancel(ctx, tx, r, by, "")
	})
}

// cancel is Cancel within a transaction. why may be empty.
func (e *Engine) cancel(ctx context.Context, tx *store.Tx, r waybill.Run, by waybill.Actor, why string) error {
	if r.State.Final() || r.Cancel {
		return nil
	}
	r.Cancel = true
	if err := connectorstore.SaveRun(ctx, tx, r, r.State); err != nil {
		return err
	}
	if err := record(ctx, tx, r, by, "run.cancel", string(r.State), why); err != nil {
		return err
	}
	announce(tx, r)
	return e.wake(ctx, tx, r, e.Now())
}

// wake makes the work of r due at a time.
func (e *Engine) wake(ctx context.Context, tx *store.Tx, r waybill.Run, at time.Time) error {
	site, err := connectorstore.Site(ctx, tx, r.Site)
	if err != nil {
		return err
	}
	_, err = queue.Enqueue(ctx, tx, queue.Entry{Kind: Kind, Key: r.ID, Tenant: site.Owner, Due: at})
	return err
}
