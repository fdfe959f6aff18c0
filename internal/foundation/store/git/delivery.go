package git

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
)

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
			ORDER BY d.id LIMIT 1000)`, store.NewID(before)[:10], keep)
}
