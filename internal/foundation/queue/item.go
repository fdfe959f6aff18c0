package queue

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Item is work that a worker has claimed. One made by hand, as tests do, has no lease to lose: Fence allows everything
// and Moved is false.
type Item struct {
	Kind, Key, Tenant string
	Payload           string
	Wanted            int64 // what was claimed
	Attempt           int   // 1 at first; attempts that were snoozed do not count

	due   time.Time
	lease string // unique for this claim
	read  store.Querier
}

// Fence reports Conflict when the lease is not ours any more, and otherwise keeps others from taking it before the
// transaction ends. Call it first in every transaction of the work.
func (i Item) Fence(ctx context.Context, tx *store.Tx) error {
	if i.lease == "" {
		return nil
	}
	_, found, err := store.Find(ctx, tx, func(n *int64) []any { return []any{n} }, fence(tx.Dialect()),
		i.Kind, i.Key, i.lease)
	if err == nil && !found {
		err = lost(i)
	}
	return err
}

// Moved reports whether the work was wanted again since it was claimed; it will then run once more.
func (i Item) Moved(ctx context.Context) (bool, error) {
	if i.read == nil {
		return false, nil
	}
	_, found, err := store.Find(ctx, i.read, func(n *int64) []any { return []any{n} },
		`SELECT wanted FROM work WHERE kind = $1 AND key = $2 AND wanted > $3`, i.Kind, i.Key, i.Wanted)
	return found, err
}

func lost(i Item) error {
	return waybill.Errorf(waybill.Conflict, "the lease of %s %s is lost", i.Kind, i.Key)
}
