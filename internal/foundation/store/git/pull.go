package git

import (
	"context"
	"strconv"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func pullRow(p *waybill.Pull) []any { return []any{store.JSON(p)} }

// PutPull stores p, replacing what was known of it.
func PutPull(ctx context.Context, tx *store.Tx, p waybill.Pull) error {
	tx.Notify(RepositoryTopic(p.Repository))
	_, err := tx.ExecContext(ctx, `INSERT INTO pulls (repository, number, is_open, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (repository, number) DO UPDATE SET is_open = excluded.is_open, body = excluded.body`,
		p.Repository, p.Number, &p.Open, store.JSON(&p))
	return err
}

// Pull returns a pull request, or NotFound.
func Pull(ctx context.Context, q store.Querier, repository string, number int) (waybill.Pull, error) {
	return store.Get(ctx, q, "pull request "+strconv.Itoa(number), pullRow,
		`SELECT body FROM pulls WHERE repository = $1 AND number = $2`, repository, number)
}

// OpenPulls lists the pull requests of a repository that are open, lowest number first.
func OpenPulls(ctx context.Context, q store.Querier, repository string) ([]waybill.Pull, error) {
	return store.List(ctx, q, pullRow, `SELECT body FROM pulls WHERE repository = $1 AND is_open = 1 ORDER BY number`, repository)
}
