package store

import (
	"context"
	"database/sql"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Querier reads: a *Tx, or what DB.Query returns. Arguments may be strings, integers, booleans (stored as 0 and 1),
// named types and pointers of these, and the columns [Time] and [JSON]; on PostgreSQL also slices of string and int64,
// which are arrays. Bytes that are no UTF-8 are replaced.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// pool is the Querier outside transactions.
type pool struct {
	db       *sql.DB
	prepared *prepared // SQLite
}

func (p pool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := p.prepared.query(ctx, p.db, query, clean(args))
	return rows, translate(err)
}

func (p pool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return p.prepared.row(ctx, p.db, query, clean(args))
}

// Tx is one transaction. It belongs to the function that Write called, and to one goroutine.
type Tx struct {
	sql    *sql.Tx
	db     *DB
	now    time.Time
	topics []string
	after  []func()
	ended  bool // the function that it belongs to has returned
}

func (db *DB) newTx(tx *sql.Tx) *Tx {
	return &Tx{sql: tx, db: db, now: db.now().UTC().Truncate(time.Microsecond)}
}

// Now is the time of the transaction: UTC, microseconds, the same at every call.
func (tx *Tx) Now() time.Time { return tx.now }

// Dialect says which database it is.
func (tx *Tx) Dialect() Dialect { return tx.db.dialect }

// Notify wakes the subscribers of topic, in every process on the same database, after the commit. Topics are at most
// 500 bytes.
func (tx *Tx) Notify(topic string) { tx.topics = append(tx.topics, topic) }

// After runs fn once after the commit succeeded, before Write returns.
func (tx *Tx) After(fn func()) { tx.after = append(tx.after, fn) }

// QueryContext runs a query in the transaction. On SQLite it is run by its text, as the same may run within its rows.
func (tx *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, translate(context.Cause(ctx))
	}
	rows, err := tx.sql.QueryContext(tx.statement(ctx), query, clean(args)...)
	return rows, translate(err)
}

// queryPrepared is QueryContext for whoever reads all rows before anything else runs.
func (tx *Tx) queryPrepared(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, translate(context.Cause(ctx))
	}
	rows, err := tx.prepared().query(tx.statement(ctx), tx.sql, query, clean(args))
	return rows, translate(err)
}

// QueryRowContext runs a query for at most one row in the transaction.
func (tx *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return tx.prepared().row(tx.statement(ctx), tx.sql, query, clean(args))
}

// ExecContext runs a statement in the transaction. It reports Conflict when a unique value is there already.
func (tx *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, translate(context.Cause(ctx))
	}
	res, err := tx.prepared().exec(tx.statement(ctx), tx.sql, query, clean(args))
	return res, translate(err)
}

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (changed int64, err error) {
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	changed, err = res.RowsAffected()
	return changed, translate(err)
}

// prepared returns the statements of the one connection that SQLite is written through, on which the transaction is.
func (tx *Tx) prepared() *prepared {
	if tx.ended {
		return nil
	}
	return tx.db.writes
}

// statement returns the context that a statement runs with. SQLite rolls back the whole transaction when a statement
// is interrupted, which would take the other members of a group commit along.
func (tx *Tx) statement(ctx context.Context) context.Context {
	if tx.db.dialect == SQLite {
		return tx.db.calm
	}
	return ctx
}

// call runs fn; a panic becomes an error.
func (tx *Tx) call(fn func(tx *Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = waybill.Wrap(waybill.Internal, fmt.Errorf("%v\n%s", p, debug.Stack()), "a transaction panicked")
		}
	}()
	defer func() { tx.ended = true }()
	return translate(fn(tx))
}

// committed runs what was asked for after the commit, in the goroutine of the caller.
func (tx *Tx) committed() {
	for _, fn := range tx.after {
		fn()
	}
}
