package store

import (
	"context"
	"time"
)

// Token is a bearer token at rest.
type Token struct {
	ID       string // ULID
	Name     string
	Hash     string // of the token; the token itself is not kept
	Scope    string
	Created  time.Time
	Expires  time.Time // zero: never
	LastUsed time.Time // zero: never
}

const tokenColumns = `id, name, hash, scope, created, expires, last_used`

func tokenRow(t *Token) []any {
	return []any{&t.ID, &t.Name, &t.Hash, &t.Scope, Time(&t.Created), Time(&t.Expires), Time(&t.LastUsed)}
}

// InsertToken stores t. It reports Conflict when the id or the hash is there.
func InsertToken(ctx context.Context, tx *Tx, t Token) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO tokens (`+tokenColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		tokenRow(&t)...)
	return err
}

// TokenByHash returns the token with a hash, expired or not, or NotFound.
func TokenByHash(ctx context.Context, q Querier, hash string) (Token, error) {
	return Get(ctx, q, "such token", tokenRow, `SELECT `+tokenColumns+` FROM tokens WHERE hash = $1`, hash)
}

// Tokens lists all tokens, oldest first.
func Tokens(ctx context.Context, q Querier) ([]Token, error) {
	return List(ctx, q, tokenRow, `SELECT `+tokenColumns+` FROM tokens ORDER BY id`)
}

// TouchToken stores when a token was last used. A token that is gone is no error.
func TouchToken(ctx context.Context, tx *Tx, id string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE tokens SET last_used = $2 WHERE id = $1`, id, Micros(at))
	return err
}

// DeleteToken removes a token, or reports NotFound.
func DeleteToken(ctx context.Context, tx *Tx, id string) error {
	changed, err := tx.Exec(ctx, `DELETE FROM tokens WHERE id = $1`, id)
	return Exists(changed, err, "token "+id)
}
