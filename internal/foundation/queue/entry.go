package queue

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
)

// Entry is work that is wanted. Its tenant, priority and payload replace those of earlier entries of the same key.
type Entry struct {
	Kind, Key string
	Tenant    string // the workers of a kind are shared out fairly between tenants
	Priority  int    // higher is sooner, among the work of a tenant
	Due       time.Time
	Payload   string
}

// topic wakes the workers of a kind.
func topic(kind string) string { return "work:" + kind }

// Enqueue wants e once more, now or when it is due, and returns how often it has been wanted. Work that waits for a
// retry, or was discarded, begins again with its first attempt. Work that waits for an earlier time keeps that time.
func Enqueue(ctx context.Context, tx *store.Tx, e Entry) (wanted int64, err error) {
	if e.Due.IsZero() {
		e.Due = tx.Now()
	}
	row := func(n *int64) []any { return []any{n} }
	wanted, err = store.Get(ctx, tx, "work", row, insert+`VALUES ($1, $2, 1, 0, 0, $3, 0, '', 0, $4, $5, $6, 0, '', $7)`+
		wantMore+` RETURNING wanted`, e.Kind, e.Key, store.Micros(e.Due), e.Priority, e.Tenant, e.Payload, store.Micros(tx.Now()))
	tx.Notify(topic(e.Kind))
	return wanted, err
}

const (
	insert = `INSERT INTO work (kind, key, wanted, claimed, done, due, attempt,
		lease_owner, lease_end, priority, tenant, payload, discarded, error, updated) `
	wantMore = ` ON CONFLICT (kind, key) DO UPDATE SET wanted = work.wanted + excluded.wanted,
		due = CASE WHEN work.wanted = work.done OR (work.lease_owner <> '' AND work.wanted = work.claimed)
			OR excluded.due < work.due THEN excluded.due ELSE work.due END,
		attempt = CASE WHEN work.lease_owner = '' THEN 0 ELSE work.attempt END,
		priority = excluded.priority, tenant = excluded.tenant, payload = excluded.payload,
		discarded = 0, error = '', updated = excluded.updated`
)

// Pending reports whether work is wanted that is not done: waiting, running or to be retried, but not discarded.
func Pending(ctx context.Context, q store.Querier, kind, key string) (bool, error) {
	_, found, err := store.Find(ctx, q, func(n *int64) []any { return []any{n} },
		`SELECT wanted FROM work WHERE kind = $1 AND key = $2 AND wanted <> done`, kind, key)
	return found, err
}

// Standing is how work stands.
type Standing struct {
	Pending   bool // wanted and not done
	Discarded bool // given up, and not wanted again since
}

// StandingBelow returns how the work stands whose keys begin with prefix, by key.
func StandingBelow(ctx context.Context, q store.Querier, kind, prefix string) (map[string]Standing, error) {
	type row struct {
		key string
		Standing
	}
	rows, err := store.List(ctx, q, func(r *row) []any { return []any{&r.key, &r.Pending, &r.Discarded} },
		`SELECT key, CASE WHEN wanted <> done THEN 1 ELSE 0 END, CASE WHEN discarded > 0 THEN 1 ELSE 0 END
		FROM work WHERE kind = $1 AND substr(key, 1, length($2)) = $2`, kind, prefix)
	all := make(map[string]Standing, len(rows))
	for _, r := range rows {
		all[r.key] = r.Standing
	}
	return all, err
}

// untried is work that is pending and was not tried in vain, so that it is worth waiting for.
const untried = `wanted <> done AND (attempt = 0 OR attempt = 1 AND lease_owner <> '')`

// Untried reports whether work is pending that was not tried in vain.
func Untried(ctx context.Context, q store.Querier, kind, key string) (bool, error) {
	_, found, err := store.Find(ctx, q, func(n *int64) []any { return []any{n} },
		`SELECT wanted FROM work WHERE kind = $1 AND key = $2 AND `+untried, kind, key)
	return found, err
}

// UntriedBelow is Untried for any key that begins with prefix, other than except.
func UntriedBelow(ctx context.Context, q store.Querier, kind, prefix, except string) (bool, error) {
	_, found, err := store.Find(ctx, q, func(n *int64) []any { return []any{n} }, `SELECT wanted FROM work
		WHERE kind = $1 AND `+untried+` AND key <> $3 AND substr(key, 1, length($2)) = $2 LIMIT 1`, kind, prefix, except)
	return found, err
}

// Level is how much work of a kind is in a state: ready (due, no worker yet), scheduled (due later), running,
// discarded.
type Level struct {
	Kind, State string
	Count       int
	Oldest      time.Time // the earliest due time, or time of discarding
}

// Depth counts the work that is not done, for metrics.
func Depth(ctx context.Context, q store.Querier, now time.Time) ([]Level, error) {
	row := func(l *Level) []any { return []any{&l.Kind, &l.State, &l.Count, store.Time(&l.Oldest)} }
	return store.List(ctx, q, row, `SELECT kind, state, COUNT(*), MIN(since) FROM (
			SELECT kind, CASE WHEN lease_end > $1 THEN 'running' WHEN due <= $1 THEN 'ready' ELSE 'scheduled' END AS state,
				due AS since
			FROM work WHERE wanted <> done AND discarded = 0
			UNION ALL SELECT kind, 'discarded', discarded FROM work WHERE discarded > 0) AS open
		GROUP BY kind, state ORDER BY kind, state`, store.Micros(now))
}

// Dead is work that was discarded.
type Dead struct {
	Kind, Key, Tenant string
	Attempt           int    // how often it was tried
	Error             string // why it was discarded
	Since             time.Time
}

// Discarded lists the work that was discarded, latest first.
func Discarded(ctx context.Context, q store.Querier) ([]Dead, error) {
	row := func(d *Dead) []any {
		return []any{&d.Kind, &d.Key, &d.Tenant, &d.Attempt, &d.Error, store.Time(&d.Since)}
	}
	return store.List(ctx, q, row, `SELECT kind, key, tenant, attempt, error, discarded FROM work
		WHERE discarded > 0 ORDER BY discarded DESC, kind, key`)
}

// Requeue wants discarded work again, or reports NotFound.
func Requeue(ctx context.Context, tx *store.Tx, kind, key string) error {
	changed, err := tx.Exec(ctx, `UPDATE work SET wanted = wanted + 1, discarded = 0, attempt = 0, error = '',
		due = $3, updated = $3 WHERE kind = $1 AND key = $2 AND discarded > 0`, kind, key, store.Micros(tx.Now()))
	tx.Notify(topic(kind))
	return store.Exists(changed, err, "discarded work "+kind+" "+key)
}

// Prune forgets work that has been done since before a time. Discarded work stays.
func Prune(ctx context.Context, tx *store.Tx, before time.Time) (removed int64, err error) {
	return tx.Exec(ctx, `DELETE FROM work WHERE wanted = done AND discarded = 0 AND lease_owner = '' AND updated < $1`,
		store.Micros(before))
}
