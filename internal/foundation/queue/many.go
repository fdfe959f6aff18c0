package queue

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/store"
)

// EnqueueAll is Enqueue of the entries of a list, of equal keys once. On PostgreSQL, where each statement is a journey, it takes one.
func EnqueueAll(ctx context.Context, tx *store.Tx, list []Entry) error {
	if tx.Dialect() == store.Postgres && len(list) > 1 {
		return enqueueAtOnce(ctx, tx, list)
	}
	for _, m := range merge(tx, list) {
		_, err := tx.ExecContext(ctx, insert+`VALUES ($1, $2, $8, 0, 0, $3, 0, '', 0, $4, $5, $6, 0, '', $7)`+wantMore,
			m.Kind, m.Key, store.Micros(m.Due), m.Priority, m.Tenant, m.Payload, store.Micros(tx.Now()), m.times)
		if err != nil {
			return err
		}
		tx.Notify(topic(m.Kind))
	}
	return nil
}

// enqueueAtOnce wants each key once, as often as it is in the list: a statement may change a row only once.
func enqueueAtOnce(ctx context.Context, tx *store.Tx, list []Entry) error {
	var kinds, keys, tenants, payloads []string
	var wanted, dues, priorities []int64
	for _, m := range merge(tx, list) {
		kinds, keys, wanted = append(kinds, m.Kind), append(keys, m.Key), append(wanted, m.times)
		dues, priorities = append(dues, store.Micros(m.Due)), append(priorities, int64(m.Priority))
		tenants, payloads = append(tenants, m.Tenant), append(payloads, m.Payload)
		tx.Notify(topic(m.Kind))
	}
	_, err := tx.ExecContext(ctx, insert+`SELECT kind, key, wanted, 0, 0, due, 0, '', 0, priority, tenant, payload, 0, '', $8
		FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[])
			AS more (kind, key, wanted, due, priority, tenant, payload)`+wantMore,
		kinds, keys, wanted, dues, priorities, tenants, payloads, store.Micros(tx.Now()))
	return err
}

// merged is an entry that is wanted several times.
type merged struct {
	Entry
	times int64
}

// merge returns one entry of each key: the last, due when the first of them is. They are in the order of their keys,
// so that writers which want the same do not block one another.
func merge(tx *store.Tx, list []Entry) []merged {
	var all []merged
	for _, e := range list {
		if e.Due.IsZero() {
			e.Due = tx.Now()
		}
		all = append(all, merged{e, 1})
	}
	slices.SortStableFunc(all, func(a, b merged) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Key, b.Key))
	})
	out := all[:0]
	for _, m := range all {
		if n := len(out); n > 0 && out[n-1].Kind == m.Kind && out[n-1].Key == m.Key {
			m.times += out[n-1].times
			if before := out[n-1].Due; before.Before(m.Due) {
				m.Due = before
			}
			out = out[:n-1]
		}
		out = append(out, m)
	}
	return out
}
