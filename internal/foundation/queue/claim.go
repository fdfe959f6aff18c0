package queue

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
)

// The statements that differ between the databases stand here side by side. On SQLite all writes run one after
// another. On PostgreSQL the claims of a kind do, under an advisory lock, so that they see each other's tenants; rows
// that some transaction is changing are left for the next claim.

// chosen picks the keys of a kind ($1) that are due at $2: at most $3, so that no tenant has more than $4 running
// (0: any number), the tenants with the least running first.
const chosen = `WITH running AS (
		SELECT tenant, COUNT(*) AS n FROM work
		WHERE kind = $1 AND wanted <> done AND lease_end > $2 GROUP BY tenant
	), ready AS (
		SELECT w.key, w.priority, w.due, COALESCE(r.n, 0) + ROW_NUMBER() OVER (
			PARTITION BY w.tenant ORDER BY w.priority DESC, w.due, w.key) AS place
		FROM work w LEFT JOIN running r ON r.tenant = w.tenant
		WHERE w.kind = $1 AND w.wanted <> w.done
		  AND ((w.lease_owner = '' AND w.due <= $2) OR (w.lease_owner <> '' AND w.lease_end <= $2))
	), chosen AS (
		SELECT key FROM ready WHERE $4 = 0 OR place <= $4
		ORDER BY place, priority DESC, due, key LIMIT $3
	)`

// chosenOne is chosen for $3 = 1: the first row of all is the first of a tenant with the least running. It needs no order
// within tenants, which with thousands of rows is most of the cost, and a pool that is busy claims one at a time.
const chosenOne = `WITH running AS (
		SELECT tenant, COUNT(*) AS n FROM work
		WHERE kind = $1 AND wanted <> done AND lease_end > $2 GROUP BY tenant
	), chosen AS (
		SELECT w.key FROM work w LEFT JOIN running r ON r.tenant = w.tenant
		WHERE w.kind = $1 AND w.wanted <> w.done
		  AND ((w.lease_owner = '' AND w.due <= $2) OR (w.lease_owner <> '' AND w.lease_end <= $2))
		  AND ($4 = 0 OR COALESCE(r.n, 0) < $4)
		ORDER BY COALESCE(r.n, 0), w.priority DESC, w.due, w.key LIMIT $3
	)`

// chosenKnown is chosen for one key ($7) that is known to be the only one that is due: what every push meets that comes
// alone.
const chosenKnown = `WITH chosen AS (
		SELECT w.key FROM work w
		WHERE w.kind = $1 AND w.key = $7 AND w.wanted <> w.done
		  AND ((w.lease_owner = '' AND w.due <= $2) OR (w.lease_owner <> '' AND w.lease_end <= $2))
		  AND ($4 = 0 OR $4 > (SELECT COUNT(*) FROM work r
			WHERE r.kind = $1 AND r.wanted <> r.done AND r.lease_end > $2 AND r.tenant = w.tenant))
		LIMIT $3
	)`

const claimSet = ` UPDATE work SET claimed = wanted, attempt = attempt + 1, lease_owner = $5, lease_end = $6
	WHERE kind = $1 AND key IN `

const claimReturning = ` RETURNING key, tenant, payload, claimed, attempt, due`

const (
	takeSQLite   = claimSet + `(SELECT key FROM chosen)` + claimReturning
	takePostgres = `, free AS MATERIALIZED (
		SELECT key FROM work WHERE kind = $1 AND key IN (SELECT key FROM chosen) AND wanted <> done
		  AND ((lease_owner = '' AND due <= $2) OR (lease_owner <> '' AND lease_end <= $2))
		FOR UPDATE SKIP LOCKED
	)` + claimSet + `(SELECT key FROM free)` + claimReturning
	lockPostgres = `SELECT pg_advisory_xact_lock(hashtext('waybill claim'), hashtext(current_schema()::text || $1))`
)

const (
	fenceSQLite   = `SELECT wanted FROM work WHERE kind = $1 AND key = $2 AND lease_owner = $3`
	fencePostgres = fenceSQLite + ` FOR UPDATE`
)

func fence(d store.Dialect) string {
	if d == store.Postgres {
		return fencePostgres
	}
	return fenceSQLite
}

// claim takes up to limit items of a kind, of which only is the one that is due; empty when there are others.
func (q *Queue) claim(ctx context.Context, kind, only string, limit, perTenant int) ([]Item, error) {
	var items []Item
	lease := q.options.Owner + "/" + store.NewID(q.options.Now())
	err := q.db.WriteStatements(ctx, "queue.claim", func(tx *store.Tx) error {
		now := q.options.Now()
		choose, take := chosen, takeSQLite
		args := []any{kind, store.Micros(now), limit, perTenant, lease, store.Micros(now.Add(q.options.Lease))}
		switch {
		case only != "":
			choose, args = chosenKnown, append(args, only)
		case limit == 1:
			choose = chosenOne
		}
		if tx.Dialect() == store.Postgres {
			take = takePostgres
			if _, err := tx.ExecContext(ctx, lockPostgres, kind); err != nil {
				return err
			}
		}
		row := func(i *Item) []any {
			return []any{&i.Key, &i.Tenant, &i.Payload, &i.Wanted, &i.Attempt, store.Time(&i.due)}
		}
		var err error
		items, err = store.List(ctx, tx, row, choose+take, args...)
		return err
	})
	for n := range items {
		items[n].Kind, items[n].lease, items[n].read = kind, lease, q.db.Query()
	}
	return items, err
}

// outlook is when work of a kind is next free to be claimed.
type outlook struct {
	ready int       // how many are now
	key   string    // of one that is
	next  time.Time // the earliest that is not due yet; zero without any
}

// only returns the key of the work that is ready alone.
func (o outlook) only() string {
	if o.ready == 1 {
		return o.key
	}
	return ""
}

// look reads, and writes nothing: an idle queue stays off the writer.
func (q *Queue) look(ctx context.Context, kind string, now time.Time) (outlook, error) {
	row := func(o *outlook) []any { return []any{&o.ready, &o.key, store.Time(&o.next)} }
	return store.Get(ctx, q.db.Query(), "outlook", row, `SELECT COUNT(CASE WHEN free <= $2 THEN 1 END),
			COALESCE(MIN(CASE WHEN free <= $2 THEN key END), ''), COALESCE(MIN(CASE WHEN free > $2 THEN free END), 0) FROM (
			SELECT key, CASE WHEN lease_owner = '' THEN due ELSE lease_end END AS free
			FROM work WHERE kind = $1 AND wanted <> done) AS open`, kind, store.Micros(now))
}
