package store

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

var errSkeleton = waybill.Errorf(waybill.Internal, "the store is not here yet")

// Options say which database to open and how.
type Options struct {
	URL string       // path of the SQLite file, or postgres://…
	Log *slog.Logger // required
	Now func() time.Time
	// Commit wraps the commit of the named transactions; nil outside tests. Crash tests kill the process before or
	// after run.
	Commit func(names []string, run func() error) error
}

// DB is an open database.
type DB struct{}

// Open opens the database and brings its schema up to date.
func Open(ctx context.Context, o Options) (*DB, error) { return nil, errSkeleton }

// Close ends all work and closes the database.
func (db *DB) Close() error { return errSkeleton }

// Write runs fn in one transaction.
func (db *DB) Write(ctx context.Context, name string, fn func(tx *Tx) error) error {
	return errSkeleton
}

// Query returns the read pool.
func (db *DB) Query() Querier { return nil }

// Subscribe wakes on a topic.
func (db *DB) Subscribe(topic string) (wake <-chan struct{}, stop func()) { return nil, nil }

// Tx is one transaction.
type Tx struct{}

// Now is the time of the transaction.
func (tx *Tx) Now() time.Time { return time.Time{} }

// Notify wakes the subscribers of topic after the commit.
func (tx *Tx) Notify(topic string) {}

// After runs fn once after the commit succeeded.
func (tx *Tx) After(fn func()) {}

// QueryContext runs a query in the transaction.
func (tx *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return nil, errSkeleton
}

// QueryRowContext runs a query for at most one row in the transaction.
func (tx *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row { return nil }

// ExecContext runs a statement in the transaction.
func (tx *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return nil, errSkeleton
}

// Querier reads: a *Tx, or DB.Query.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// NewID returns a ULID.
func NewID(now time.Time) string { return "" }

// Record adds e to the audit trail.
func Record(ctx context.Context, tx *Tx, e waybill.Entry) error { return errSkeleton }

// HistoryFilter selects entries; zero fields select all.
type HistoryFilter struct {
	Subject       string // exact
	SubjectPrefix string
	Repository    string
	Commit        string
	Before        string // id: only older entries
	Limit         int    // 0: 50
}

// History lists entries, newest first.
func History(ctx context.Context, q Querier, f HistoryFilter) ([]waybill.Entry, error) {
	return nil, errSkeleton
}

// Token is a bearer token at rest.
type Token struct {
	ID       string
	Name     string
	Hash     string
	Scope    string
	Created  time.Time
	Expires  time.Time // zero: never
	LastUsed time.Time
}

// InsertToken stores t. Conflict when the hash is there.
func InsertToken(ctx context.Context, tx *Tx, t Token) error { return errSkeleton }

// TokenByHash returns a token, or NotFound.
func TokenByHash(ctx context.Context, q Querier, hash string) (Token, error) {
	return Token{}, errSkeleton
}

// Tokens lists all tokens, oldest first.
func Tokens(ctx context.Context, q Querier) ([]Token, error) { return nil, errSkeleton }

// TouchToken stores when a token was last used.
func TouchToken(ctx context.Context, tx *Tx, id string, at time.Time) error { return errSkeleton }

// DeleteToken removes a token, or reports NotFound.
func DeleteToken(ctx context.Context, tx *Tx, id string) error { return errSkeleton }
