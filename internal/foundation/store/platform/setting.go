// Package platform keeps what the platform repository declares: one setting for each declaration, as it was applied last.
package platform

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Setting is one applied declaration of the platform repository.
type Setting struct {
	Kind, Name string
	Digest     string // Declaration.Digest
	Commit     string
	File       string // manifest in the tree
	Line       int
	Applied    time.Time
	Spec       waybill.Platform
}

// Declaration returns the declaration that s was made from.
func (s Setting) Declaration() waybill.Declaration {
	return waybill.Declaration{
		Identity: waybill.Identity{Kind: s.Kind, Name: s.Name, Major: 1}, File: s.File, Line: s.Line, Digest: s.Digest,
		Platform: &s.Spec,
	}
}

const columns = `kind, name, digest, sha, file, line, applied, body`

func row(s *Setting) []any {
	return []any{&s.Kind, &s.Name, &s.Digest, &s.Commit, &s.File, &s.Line, store.Time(&s.Applied), store.JSON(&s.Spec)}
}

// Put stores s, replacing what its kind and name had.
func Put(ctx context.Context, tx *store.Tx, s Setting) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO settings (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (kind, name) DO UPDATE SET digest = excluded.digest, sha = excluded.sha, file = excluded.file,
			line = excluded.line, applied = excluded.applied, body = excluded.body`, row(&s)...)
	return err
}

// Remove forgets a setting. One that is not there is no error.
func Remove(ctx context.Context, tx *store.Tx, kind, name string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM settings WHERE kind = $1 AND name = $2`, kind, name)
	return err
}

// List returns the settings of a kind by name, or all by kind and name when kind is empty.
func List(ctx context.Context, q store.Querier, kind string) ([]Setting, error) {
	if kind == "" {
		return store.List(ctx, q, row, `SELECT `+columns+` FROM settings ORDER BY kind, name`)
	}
	return store.List(ctx, q, row, `SELECT `+columns+` FROM settings WHERE kind = $1 ORDER BY name`, kind)
}
