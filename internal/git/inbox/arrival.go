package inbox

import (
	"context"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// arrival is a delivery on its way into the database, and what became of it there.
type arrival struct {
	repository waybill.Repository
	delivery   waybill.Delivery
	gitstore.Accepted
}

// stored is the delivery under the id that it has in the database.
func (a *arrival) stored() waybill.Delivery {
	d := a.delivery
	d.ID = a.ID
	return d
}

// refs names the refs that the delivery speaks of.
func (a *arrival) refs() []gitstore.RefName {
	names := make([]gitstore.RefName, len(a.delivery.Event.Refs))
	for i, u := range a.delivery.Event.Refs {
		names[i] = gitstore.RefName{Repository: a.repository.ID, Name: u.Name}
	}
	return names
}

// arrive stores deliveries that came at once, with as few statements as will do, and wants what follows from them.
func arrive(ctx context.Context, tx *store.Tx, list []*arrival) error {
	deliveries := make([]waybill.Delivery, len(list))
	for i, a := range list {
		deliveries[i] = a.delivery
	}
	accepted, err := gitstore.AcceptDeliveries(ctx, tx, deliveries)
	if err != nil {
		return err
	}
	var fresh []*arrival
	for i, a := range list {
		if a.Accepted = accepted[i]; a.Fresh {
			fresh = append(fresh, a)
		}
	}
	work, err := looks(ctx, tx, fresh)
	if err != nil {
		return err
	}
	for _, a := range fresh {
		more, err := want(ctx, tx, a)
		if err != nil {
			return err
		}
		work = append(work, more...)
	}
	if err := queue.EnqueueAll(ctx, tx, work); err != nil {
		return err
	}
	return finish(ctx, tx, list)
}

// finish does what few of the deliveries ask for.
func finish(ctx context.Context, tx *store.Tx, list []*arrival) error {
	told := map[string]bool{}
	for _, a := range list {
		if !a.Fresh {
			if err := wantAgain(ctx, tx, a.repository, a.stored()); err != nil {
				return err
			}
		}
		r, now := a.repository, a.delivery.Received
		if told[r.ID] || !stale(r, now) {
			continue
		}
		if err := gitstore.SetTold(ctx, tx, r.ID, now); err != nil {
			return err
		}
		told[r.ID] = true
	}
	return nil
}
