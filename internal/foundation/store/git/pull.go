package git

import (
	"context"
	"strconv"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const pullColumns = `body, comment, told, note, against`

func pullRow(p *waybill.Pull) []any {
	return []any{store.JSON(p), &p.Comment, &p.Told, &p.Note, &p.Against}
}

// PutPull stores what the forge says of p, replacing what it said before. Comment, Told, Note and Against stay.
func PutPull(ctx context.Context, tx *store.Tx, p waybill.Pull) error {
	tx.Notify(RepositoryTopic(p.Repository))
	p.Comment, p.Told, p.Note, p.Against = "", "", "", ""
	_, err := tx.ExecContext(ctx, `INSERT INTO pulls (repository, number, is_open, body) VALUES ($1, $2, $3, $4)
		ON CONFLICT (repository, number) DO UPDATE SET is_open = excluded.is_open, body = excluded.body`,
		p.Repository, p.Number, &p.Open, store.JSON(&p))
	return err
}

// SetPullAgainst remembers which commit of its base the newest check of a pull request was made with.
func SetPullAgainst(ctx context.Context, tx *store.Tx, repository string, number int, commit string) error {
	return setPull(ctx, tx, `UPDATE pulls SET against = $3 WHERE repository = $1 AND number = $2`, repository, number, commit)
}

// SetPullComment remembers the forge's id of the comment and what identifies its text.
func SetPullComment(ctx context.Context, tx *store.Tx, repository string, number int, id, told string) error {
	return setPull(ctx, tx, `UPDATE pulls SET comment = $3, told = $4 WHERE repository = $1 AND number = $2`, repository, number, id, told)
}

// SetPullNote remembers what the comment has to say of the last command.
func SetPullNote(ctx context.Context, tx *store.Tx, repository string, number int, note string) error {
	return setPull(ctx, tx, `UPDATE pulls SET note = $3 WHERE repository = $1 AND number = $2`, repository, number, note)
}

func setPull(ctx context.Context, tx *store.Tx, statement, repository string, number int, values ...any) error {
	tx.Notify(RepositoryTopic(repository))
	changed, err := tx.Exec(ctx, statement, append([]any{repository, number}, values...)...)
	return store.Exists(changed, err, "pull request "+strconv.Itoa(number))
}

// Pull returns a pull request, or NotFound.
func Pull(ctx context.Context, q store.Querier, repository string, number int) (waybill.Pull, error) {
	return store.Get(ctx, q, "pull request "+strconv.Itoa(number), pullRow,
		`SELECT `+pullColumns+` FROM pulls WHERE repository = $1 AND number = $2`, repository, number)
}

// OpenPulls lists the pull requests of a repository that are open, lowest number first.
func OpenPulls(ctx context.Context, q store.Querier, repository string) ([]waybill.Pull, error) {
	return store.List(ctx, q, pullRow, `SELECT `+pullColumns+` FROM pulls WHERE repository = $1 AND is_open = 1 ORDER BY number`, repository)
}

// HearComment notes that a delivery tells of a comment, and returns the id of the one that did so first.
func HearComment(ctx context.Context, tx *store.Tx, repository, comment, delivery string) (first string, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO comments (repository, comment, delivery) VALUES ($1, $2, $3)
		ON CONFLICT (repository, comment) DO UPDATE SET delivery = comments.delivery RETURNING delivery`,
		repository, comment, delivery).Scan(&first)
	return first, err
}
