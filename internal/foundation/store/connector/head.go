package connector

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Heads lists the newest release of every connector major and environment, and every release that is live, newest
// first: what an overview needs, however long the history is.
func Heads(ctx context.Context, q store.Querier) ([]waybill.Release, error) {
	return store.List(ctx, q, releaseRow, `SELECT `+releaseColumns+` FROM releases
		WHERE id IN (SELECT MAX(id) FROM releases WHERE environment <> 'try' GROUP BY connector, major, environment)
			OR id IN (SELECT release_id FROM lives)
		ORDER BY id DESC`)
}

// CountFailed counts the releases and runs made since then that failed, whoever is to blame. What was built for a pull
// request is not among them.
func CountFailed(ctx context.Context, q store.Querier, since time.Time) (int, error) {
	count := func(n *int) []any { return []any{n} }
	return store.Get(ctx, q, "count", count, `SELECT
		(SELECT COUNT(*) FROM releases WHERE id >= $1 AND environment <> 'try' AND outcome IN ('failed', 'error')) +
		(SELECT COUNT(*) FROM runs WHERE id >= $1 AND state IN ('failed', 'timed-out', 'lost'))`,
		store.FirstID(since))
}
