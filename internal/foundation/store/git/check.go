package git

import (
	"context"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func checkRow(c *waybill.Check) []any { return []any{store.JSON(c)} }

// RepositoryTopic wakes whenever a check, a ref or a status of the repository changes.
func RepositoryTopic(repository string) string { return "repository:" + repository }

// PutCheck stores c, replacing what its ID had.
func PutCheck(ctx context.Context, tx *store.Tx, c waybill.Check) error {
	tx.Notify(RepositoryTopic(c.Repository))
	_, err := tx.ExecContext(ctx, `INSERT INTO checks (id, repository, ref, sha, phase, body)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET repository = excluded.repository, ref = excluded.ref, sha = excluded.sha,
			phase = excluded.phase, body = excluded.body`,
		c.ID, c.Repository, c.Ref, c.Commit, c.Phase, store.JSON(&c))
	return err
}

// Check returns a check by id, or NotFound.
func Check(ctx context.Context, q store.Querier, id string) (waybill.Check, error) {
	return store.Get(ctx, q, "check "+id, checkRow, `SELECT body FROM checks WHERE id = $1`, id)
}

// OpenChecks lists the checks of a ref that are not planned yet, oldest first.
func OpenChecks(ctx context.Context, q store.Querier, repository, ref string) ([]waybill.Check, error) {
	return store.List(ctx, q, checkRow, `SELECT body FROM checks
		WHERE repository = $1 AND ref = $2 AND phase <> $3 ORDER BY id`, repository, ref, waybill.Planned)
}

// LatestCheck finds the newest check of a ref.
func LatestCheck(ctx context.Context, q store.Querier, repository, ref string) (waybill.Check, bool, error) {
	return store.Find(ctx, q, checkRow, `SELECT body FROM checks
		WHERE repository = $1 AND ref = $2 ORDER BY id DESC LIMIT 1`, repository, ref)
}

// CheckBefore finds the newest check of a ref that is older than the one with the id.
func CheckBefore(ctx context.Context, q store.Querier, repository, ref, id string) (waybill.Check, bool, error) {
	return store.Find(ctx, q, checkRow, `SELECT body FROM checks
		WHERE repository = $1 AND ref = $2 AND id < $3 ORDER BY id DESC LIMIT 1`, repository, ref, id)
}

// Checks lists the checks of a commit, or the newest 50 of the repository when commit is empty; newest first.
func Checks(ctx context.Context, q store.Querier, repository, commit string) ([]waybill.Check, error) {
	if commit == "" {
		return store.List(ctx, q, checkRow, `SELECT body FROM checks WHERE repository = $1 ORDER BY id DESC LIMIT 50`,
			repository)
	}
	return store.List(ctx, q, checkRow, `SELECT body FROM checks WHERE repository = $1 AND sha = $2 ORDER BY id DESC`,
		repository, commit)
}

// CommitRef names a commit of a repository.
type CommitRef struct {
	Repository string // Repository.ID
	Commit     string
}

func commitRow(c *CommitRef) []any { return []any{&c.Repository, &c.Commit} }

// FindCommit lists the checked commits of watched repositories whose ids begin with prefix, at most 20. It reports
// Invalid for fewer than 4 characters or any that is no hexadecimal digit.
func FindCommit(ctx context.Context, q store.Querier, prefix string) ([]CommitRef, error) {
	prefix = strings.ToLower(prefix)
	if len(prefix) < 4 || strings.Trim(prefix, "0123456789abcdef") != "" {
		return nil, waybill.Errorf(waybill.Invalid, "a commit is given by at least 4 hexadecimal digits, not %q", prefix)
	}
	// g follows f in every order of text, and digits precede letters.
	return store.List(ctx, q, commitRow, `SELECT DISTINCT repository, sha FROM checks
		WHERE sha >= $1 AND sha < $2 AND repository IN (SELECT id FROM repositories)
		ORDER BY sha, repository LIMIT 20`, prefix, prefix+"g")
}
