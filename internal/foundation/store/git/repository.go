package git

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const repositoryColumns = `id, owner, name, url, forge, hook, hook_secret, default_branch, push_notes, added, last_polled,
	forge_id, path, old_hook_secret, old_secret_ends, last_told, last_missed, archived`

func repositoryRow(r *waybill.Repository) []any {
	return []any{
		&r.ID, &r.Owner, &r.Name, &r.URL, &r.Forge, &r.Hook, &r.HookSecret, &r.DefaultBranch, &r.PushNotes,
		store.Time(&r.Added), store.Time(&r.LastPolled), &r.ForgeID, &r.Path, &r.OldHookSecret,
		store.Time(&r.OldSecretEnds), store.Time(&r.LastTold), store.Time(&r.LastMissed), &r.Archived,
	}
}

// AddRepository stores r. It reports Conflict, naming the rival, when the URL or owner and name are there already.
func AddRepository(ctx context.Context, tx *store.Tx, r waybill.Repository) error {
	rival, found, err := store.Find(ctx, tx, repositoryRow, `SELECT `+repositoryColumns+` FROM repositories
		WHERE url = $1 OR (owner = $2 AND name = $3) OR (forge = $4 AND forge_id = $5 AND forge_id <> '')`,
		r.URL, r.Owner, r.Name, r.Forge, r.ForgeID)
	switch {
	case err != nil:
		return err
	case found && (rival.URL == r.URL || rival.Forge == r.Forge && rival.ForgeID == r.ForgeID && r.ForgeID != ""):
		return waybill.Errorf(waybill.Conflict, "%s is watched already, as %s", r.URL, rival.FullName())
	case found:
		return waybill.Errorf(waybill.Conflict, "%s is there already, from %s", rival.FullName(), rival.URL)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO repositories (`+repositoryColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`, repositoryRow(&r)...)
	return err
}

// Repository returns a repository by id, or NotFound.
func Repository(ctx context.Context, q store.Querier, id string) (waybill.Repository, error) {
	return store.Get(ctx, q, "repository "+id, repositoryRow,
		`SELECT `+repositoryColumns+` FROM repositories WHERE id = $1`, id)
}

// RepositoryByHook returns the repository that a hook id belongs to, or NotFound. The id is not repeated in the error.
func RepositoryByHook(ctx context.Context, q store.Querier, hook string) (waybill.Repository, error) {
	return store.Get(ctx, q, "repository has this hook", repositoryRow,
		`SELECT `+repositoryColumns+` FROM repositories WHERE hook = $1 AND hook <> ''`, hook)
}

// RepositoryByForgeID returns the repository that a forge knows by a number, or NotFound.
func RepositoryByForgeID(ctx context.Context, q store.Querier, forge, forgeID string) (waybill.Repository, error) {
	return store.Get(ctx, q, "repository "+forgeID+" of "+forge, repositoryRow,
		`SELECT `+repositoryColumns+` FROM repositories WHERE forge = $1 AND forge_id = $2 AND forge_id <> ''`, forge, forgeID)
}

// RepositoryByName returns the repository that people mean by owner/name, by a name that only one team uses, by URL
// or by id. It reports NotFound, and Conflict listing the candidates when several teams use the name.
func RepositoryByName(ctx context.Context, q store.Querier, name string) (waybill.Repository, error) {
	list, err := store.List(ctx, q, repositoryRow, `SELECT `+repositoryColumns+` FROM repositories
		WHERE id = $1 OR url = $1 OR owner || '/' || name = $1 OR name = $1`, name)
	if err != nil {
		return waybill.Repository{}, err
	}
	byFullName(list)
	for _, r := range list { // a name that is exact wins over one that needs luck
		if r.ID == name || r.URL == name || r.FullName() == name {
			return r, nil
		}
	}
	switch len(list) {
	case 0:
		return waybill.Repository{}, waybill.Errorf(waybill.NotFound, "no repository %s", name)
	case 1:
		return list[0], nil
	}
	var names []string
	for _, r := range list {
		names = append(names, r.FullName())
	}
	return waybill.Repository{}, waybill.Errorf(waybill.Conflict, "%s could be %s", name, strings.Join(names, " or "))
}

// Repositories lists all repositories by full name.
func Repositories(ctx context.Context, q store.Querier) ([]waybill.Repository, error) {
	list, err := store.List(ctx, q, repositoryRow, `SELECT `+repositoryColumns+` FROM repositories`)
	byFullName(list)
	return list, err
}

// byFullName sorts here, because each PostgreSQL sorts text in its own way.
func byFullName(list []waybill.Repository) {
	slices.SortFunc(list, func(a, b waybill.Repository) int { return strings.Compare(a.FullName(), b.FullName()) })
}

// RemoveRepository forgets a repository with its refs and deliveries, or reports NotFound. Checks and statuses stay
// as history; nothing more of them is sent.
func RemoveRepository(ctx context.Context, tx *store.Tx, id string) error {
	changed, err := tx.Exec(ctx, `DELETE FROM repositories WHERE id = $1`, id)
	if err := store.Exists(changed, err, "repository "+id); err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM refs WHERE repository = $1`,
		`DELETE FROM deliveries WHERE repository = $1`,
		`DELETE FROM pulls WHERE repository = $1`,
		`DELETE FROM comments WHERE repository = $1`,
		`UPDATE statuses SET sent = seq WHERE repository = $1 AND sent < seq`,
	} {
		if _, err := tx.ExecContext(ctx, statement, id); err != nil {
			return err
		}
	}
	return nil
}

// SetDefaultBranch stores the short name of the default branch, or reports NotFound.
func SetDefaultBranch(ctx context.Context, tx *store.Tx, id, branch string) error {
	changed, err := tx.Exec(ctx, `UPDATE repositories SET default_branch = $2 WHERE id = $1`, id, branch)
	return store.Exists(changed, err, "repository "+id)
}

// SetIdentity stores where a forge says that a repository is, and what it calls it: ForgeID, Path, URL, DefaultBranch
// and Archived. It reports NotFound, and Conflict when another repository has the URL.
func SetIdentity(ctx context.Context, tx *store.Tx, r waybill.Repository) error {
	rival, found, err := store.Find(ctx, tx, repositoryRow, `SELECT `+repositoryColumns+` FROM repositories
		WHERE id <> $1 AND (url = $2 OR (forge = $3 AND forge_id = $4 AND forge_id <> ''))`, r.ID, r.URL, r.Forge, r.ForgeID)
	if err != nil {
		return err
	}
	if found {
		return waybill.Errorf(waybill.Conflict, "%s is watched already, as %s", r.URL, rival.FullName())
	}
	changed, err := tx.Exec(ctx, `UPDATE repositories SET forge_id = $2, path = $3, url = $4, default_branch = $5, archived = $6
		WHERE id = $1`, r.ID, r.ForgeID, r.Path, r.URL, r.DefaultBranch, &r.Archived)
	return store.Exists(changed, err, "repository "+r.ID)
}

// SetHookSecret gives a hook a new secret and keeps the one before until a time. A zero time ends it at once. It
// reports NotFound.
func SetHookSecret(ctx context.Context, tx *store.Tx, id, secret string, oldEnds time.Time) error {
	changed, err := tx.Exec(ctx, `UPDATE repositories SET old_hook_secret = CASE WHEN CAST($3 AS BIGINT) > 0 THEN hook_secret ELSE '' END,
		old_secret_ends = $3, hook_secret = $2 WHERE id = $1`, id, secret, store.Micros(oldEnds))
	return store.Exists(changed, err, "repository "+id)
}

// SetOldSecretEnd says until when the old secret of a hook is good.
func SetOldSecretEnd(ctx context.Context, tx *store.Tx, id string, at time.Time) error {
	changed, err := tx.Exec(ctx, `UPDATE repositories SET old_secret_ends = $2 WHERE id = $1`, id, store.Micros(at))
	return store.Exists(changed, err, "repository "+id)
}

// EndOldSecrets forgets the old secrets of hooks whose time is over.
func EndOldSecrets(ctx context.Context, tx *store.Tx, now time.Time) (ended int64, err error) {
	return tx.Exec(ctx, `UPDATE repositories SET old_hook_secret = '', old_secret_ends = 0
		WHERE old_hook_secret <> '' AND old_secret_ends <= $1`, store.Micros(now))
}

// SetPolled stores when repositories were last polled. Those that are gone are left out.
func SetPolled(ctx context.Context, tx *store.Tx, at map[string]time.Time) error {
	for id, t := range at {
		if _, err := tx.ExecContext(ctx, `UPDATE repositories SET last_polled = $2 WHERE id = $1`, id, store.Micros(t)); err != nil {
			return err
		}
	}
	return nil
}

// SetMissed stores when a push was found that the hook of a repository did not tell of, or reports NotFound.
func SetMissed(ctx context.Context, tx *store.Tx, id string, at time.Time) error {
	changed, err := tx.Exec(ctx, `UPDATE repositories SET last_missed = $2 WHERE id = $1`, id, store.Micros(at))
	return store.Exists(changed, err, "repository "+id)
}
