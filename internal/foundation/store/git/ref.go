package git

import (
	"context"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const refColumns = `repository, name, tip, observed`

func refRow(r *waybill.Ref) []any {
	return []any{&r.Repository, &r.Name, &r.Tip, store.Time(&r.Observed)}
}

// PutRef stores what was observed of a ref.
func PutRef(ctx context.Context, tx *store.Tx, ref waybill.Ref) error {
	tx.Notify(RepositoryTopic(ref.Repository))
	_, err := tx.ExecContext(ctx, `INSERT INTO refs (`+refColumns+`) VALUES ($1, $2, $3, $4)
		ON CONFLICT (repository, name) DO UPDATE SET tip = excluded.tip, observed = excluded.observed`, refRow(&ref)...)
	return err
}

// FindRef returns what was last observed of a ref, given its full name.
func FindRef(ctx context.Context, q store.Querier, repository, name string) (waybill.Ref, bool, error) {
	return store.Find(ctx, q, refRow, `SELECT `+refColumns+` FROM refs WHERE repository = $1 AND name = $2`,
		repository, name)
}

// RefName names a ref of any repository.
type RefName struct{ Repository, Name string }

// FindRefs returns those refs of names that were observed. On PostgreSQL, where each statement is a journey, it takes one.
func FindRefs(ctx context.Context, tx *store.Tx, names []RefName) (map[RefName]waybill.Ref, error) {
	found := make(map[RefName]waybill.Ref, len(names))
	if tx.Dialect() == store.Postgres && len(names) > 1 {
		list, err := refsAtOnce(ctx, tx, names)
		for _, r := range list {
			found[RefName{r.Repository, r.Name}] = r
		}
		return found, err
	}
	for _, n := range names {
		r, known, err := FindRef(ctx, tx, n.Repository, n.Name)
		if err != nil {
			return nil, err
		}
		if known {
			found[n] = r
		}
	}
	return found, nil
}

func refsAtOnce(ctx context.Context, tx *store.Tx, names []RefName) ([]waybill.Ref, error) {
	var repositories, refs []string
	for _, n := range names {
		repositories, refs = append(repositories, n.Repository), append(refs, n.Name)
	}
	return store.List(ctx, tx, refRow, `SELECT `+refColumns+` FROM refs
		WHERE (repository, name) IN (SELECT * FROM unnest($1::text[], $2::text[]))`, repositories, refs)
}

// Refs lists the refs of a repository by name, those that are gone (with an empty Tip) among them.
func Refs(ctx context.Context, q store.Querier, repository string) ([]waybill.Ref, error) {
	list, err := store.List(ctx, q, refRow, `SELECT `+refColumns+` FROM refs WHERE repository = $1`, repository)
	slices.SortFunc(list, func(a, b waybill.Ref) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

// ForgetRef forgets what was observed of a ref, so that the next look at it finds it new.
func ForgetRef(ctx context.Context, tx *store.Tx, repository, name string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM refs WHERE repository = $1 AND name = $2`, repository, name)
	return err
}
