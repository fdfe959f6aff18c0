package git

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const deliveryColumns = `id, repository, forge, hook, event_key, event, received`

// deliveryRow is a delivery as it is stored. The key of the event stands beside it, to be unique.
func deliveryRow(d *waybill.Delivery) []any {
	return []any{
		&d.ID, &d.Repository, &d.Forge, &d.Hook, &d.Event.Key, store.JSON(&d.Event), store.Time(&d.Received),
	}
}

// AcceptDelivery stores d unless the forge has sent it before, which its key within the hook tells. An empty ID and a
// zero Received are filled in. It returns the id under which the delivery is stored, and whether that happened now.
func AcceptDelivery(ctx context.Context, tx *store.Tx, d waybill.Delivery) (id string, fresh bool, err error) {
	if d.Received.IsZero() {
		d.Received = tx.Now()
	}
	if d.ID == "" {
		d.ID = store.NewID(d.Received)
	}
	changed, err := tx.Exec(ctx, `INSERT INTO deliveries (`+deliveryColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (forge, hook, event_key) DO NOTHING`, deliveryRow(&d)...)
	if err != nil || changed == 1 {
		return d.ID, err == nil, err
	}
	d.ID, err = knownDelivery(ctx, tx, d)
	return d.ID, false, err
}

// Accepted is what became of a delivery: the id under which it is stored, and whether that happened now.
type Accepted struct {
	ID    string
	Fresh bool
}

// AcceptDeliveries is AcceptDelivery for many, in the order of list, of which the first of two that are equal is fresh.
// All must have an ID and a time. On PostgreSQL, where each statement is a journey, it takes one.
func AcceptDeliveries(ctx context.Context, tx *store.Tx, list []waybill.Delivery) ([]Accepted, error) {
	if tx.Dialect() == store.Postgres && len(list) > 1 {
		return insertDeliveries(ctx, tx, list)
	}
	accepted := make([]Accepted, len(list))
	for i, d := range list {
		id, fresh, err := AcceptDelivery(ctx, tx, d)
		if err != nil {
			return nil, err
		}
		accepted[i] = Accepted{id, fresh}
	}
	return accepted, nil
}

// insertDeliveries inserts in the order of their keys, so that two servers which are told the same do not block one another.
func insertDeliveries(ctx context.Context, tx *store.Tx, list []waybill.Delivery) ([]Accepted, error) {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b waybill.Delivery) int {
		return cmp.Or(strings.Compare(a.Forge, b.Forge), strings.Compare(a.Hook, b.Hook), strings.Compare(a.Event.Key, b.Event.Key))
	})
	var ids, repositories, forges, hooks, keys, events []string
	var times []int64
	for _, d := range sorted {
		event, err := json.Marshal(d.Event)
		if err != nil {
			return nil, err
		}
		ids, repositories, forges = append(ids, d.ID), append(repositories, d.Repository), append(forges, d.Forge)
		hooks, keys, events = append(hooks, d.Hook), append(keys, d.Event.Key), append(events, string(event))
		times = append(times, store.Micros(d.Received))
	}
	fresh, err := store.List(ctx, tx, func(id *string) []any { return []any{id} }, `INSERT INTO deliveries (`+deliveryColumns+`)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
		ON CONFLICT (forge, hook, event_key) DO NOTHING RETURNING id`, ids, repositories, forges, hooks, keys, events, times)
	if err != nil {
		return nil, err
	}
	accepted := make([]Accepted, len(list))
	for i, d := range list {
		if slices.Contains(fresh, d.ID) {
			accepted[i] = Accepted{d.ID, true}
			continue
		}
		if accepted[i].ID, err = knownDelivery(ctx, tx, d); err != nil {
			return nil, err
		}
	}
	return accepted, nil
}

// knownDelivery returns the id under which a delivery was stored before.
func knownDelivery(ctx context.Context, tx *store.Tx, d waybill.Delivery) (string, error) {
	known, err := store.Get(ctx, tx, "delivery "+d.Event.Key, deliveryRow, `SELECT `+deliveryColumns+` FROM deliveries
		WHERE forge = $1 AND hook = $2 AND event_key = $3`, d.Forge, d.Hook, d.Event.Key)
	return known.ID, err
}

// SetTold stores when the hook of a repository said something. One that is gone is left out.
func SetTold(ctx context.Context, tx *store.Tx, id string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE repositories SET last_told = $2 WHERE id = $1 AND last_told < $2`, id, store.Micros(at))
	return err
}

// SetPath stores what the forge calls a repository today. One that is gone is left out.
func SetPath(ctx context.Context, tx *store.Tx, id, path string) error {
	_, err := tx.ExecContext(ctx, `UPDATE repositories SET path = $2 WHERE id = $1`, id, path)
	return err
}

// PruneDeliveries forgets deliveries that came before a time, except the latest keep of each repository and those whose
// command is not done. At most a thousand go at a time, so that writers wait for none; it returns how many went.
// Their ids begin with the time they came, so that no delivery pays for an index of times.
func PruneDeliveries(ctx context.Context, tx *store.Tx, before time.Time, keep int) (removed int64, err error) {
	return tx.Exec(ctx, `DELETE FROM deliveries WHERE id IN (
			SELECT d.id FROM deliveries d WHERE d.id < $1
				AND (SELECT COUNT(*) FROM (SELECT 1 FROM deliveries n WHERE n.repository = d.repository AND n.id > d.id LIMIT $2) AS newer) >= $2
				AND NOT EXISTS (SELECT 1 FROM work w WHERE w.kind = 'command' AND w.key = d.id AND (w.wanted <> w.done OR w.discarded > 0))
			ORDER BY d.id LIMIT 1000)`, store.FirstID(before), keep)
}
