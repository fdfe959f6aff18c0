package git

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// atATime bounds what one transaction forgets, so that writers wait for none.
const atATime = 1000

// PruneChecks forgets checks that were opened before a time, except the newest of each ref, those of commits that were
// released, and those that go on. Then it forgets the statuses that arrived of commits without any check or release. At
// most a thousand checks go at a time; it returns how many went.
func PruneChecks(ctx context.Context, tx *store.Tx, before time.Time) (removed int64, err error) {
	removed, err = tx.Exec(ctx, `DELETE FROM checks WHERE id IN (
			SELECT c.id FROM checks c WHERE c.id < $1 AND c.phase = $2
				AND EXISTS (SELECT 1 FROM checks n WHERE n.repository = c.repository AND n.ref = c.ref AND n.id > c.id)
				AND NOT EXISTS (SELECT 1 FROM releases r WHERE r.repository = c.repository AND r.sha = c.sha)
			ORDER BY c.id LIMIT $3)`, store.FirstID(before), waybill.Planned, atATime)
	if err != nil || removed == 0 {
		return removed, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM statuses WHERE updated < $1 AND seq = sent
		AND NOT EXISTS (SELECT 1 FROM checks c WHERE c.repository = statuses.repository AND c.sha = statuses.sha)
		AND NOT EXISTS (SELECT 1 FROM releases r WHERE r.repository = statuses.repository AND r.sha = statuses.sha)`,
		store.Micros(before))
	return removed, err
}

// PruneRefs forgets refs that are gone since before a time.
func PruneRefs(ctx context.Context, tx *store.Tx, before time.Time) (removed int64, err error) {
	return tx.Exec(ctx, `DELETE FROM refs WHERE tip = '' AND observed < $1`, store.Micros(before))
}

// PruneComments forgets comments of which deliveries told before a time.
func PruneComments(ctx context.Context, tx *store.Tx, before time.Time) (removed int64, err error) {
	return tx.Exec(ctx, `DELETE FROM comments WHERE delivery < $1`, store.FirstID(before))
}
