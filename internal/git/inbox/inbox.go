// Package inbox is where pushes arrive: a delivery of a hook is stored, and its refs marked dirty, in one transaction
// before the hook is answered. What hooks missed is found by the poller. Neither looks into the repository's content.
package inbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// refWork is the kind of work that reconciles one ref.
const refWork = "ref"

// Options are what an Inbox needs.
type Options struct {
	DB  *store.DB
	Now func() time.Time
	Log *slog.Logger
	// PublicURL is where people reach the portal, without slash at the end.
	PublicURL string
	Observer  Observer
}

// Observer hears of measurements; every function may be called from several goroutines.
type Observer struct {
	Request  func(forge, event string, code int, took time.Duration)
	Delivery func(forge, result string)
	Missed   func(forge string)
}

// Inbox accepts deliveries.
type Inbox struct{ Options }

// New returns an Inbox.
func New(o Options) *Inbox { return &Inbox{Options: o} }

// Accept stores d and marks its refs dirty in one transaction. It returns the id under which the delivery is stored
// and false when the hook had sent it before.
func (in *Inbox) Accept(ctx context.Context, r waybill.Repository, e waybill.Event) (id string, fresh bool, err error) {
	now := in.Now()
	d := waybill.Delivery{ID: store.NewID(now), Repository: r.ID, Forge: r.Forge, Hook: r.Hook, Event: e, Received: now}
	err = in.DB.Write(ctx, "inbox.accept", func(tx *store.Tx) error {
		id, fresh, err = gitstore.AcceptDelivery(ctx, tx, d)
		if err != nil || !fresh {
			return err
		}
		for _, u := range e.Refs {
			if err := markDirty(ctx, tx, r, u.Name); err != nil {
				return err
			}
		}
		return nil
	})
	return id, fresh, err
}

// markDirty makes a worker look at the ref. It is cheap to call once too often.
func markDirty(ctx context.Context, tx *store.Tx, r waybill.Repository, ref string) error {
	_, err := queue.Enqueue(ctx, tx, queue.Entry{Kind: refWork, Key: r.ID + " " + ref, Tenant: r.Owner})
	return err
}
