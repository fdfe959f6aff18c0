package store

import (
	"context"
	"database/sql"
	"hash/maphash"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Limits of one write to PostgreSQL.
const (
	maxTries = 40          // of a transaction that others interfere with
	maxWrite = time.Minute // of one try
	maxPause = 50 * time.Millisecond
)

// openPostgres connects, migrates under a lock and starts to listen.
func (db *DB) openPostgres(ctx context.Context, url string) error {
	db.dialect = Postgres
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return waybill.Wrap(waybill.Invalid, err, "the URL of the database cannot be read")
	}
	// Sequential scans of small tables lock them whole for serializable transactions, which then fail each other.
	config.RuntimeParams["enable_seqscan"] = "off"
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "waybill"
	}
	db.origin = NewID(db.now())
	db.write, db.read = connections(*config), connections(*config)
	if err := db.migrateLocked(ctx); err != nil {
		_ = db.release()
		return err
	}
	conn, err := dial(ctx, config)
	if err != nil {
		_ = db.release()
		return err
	}
	listening, hangUp := context.WithCancel(db.ctx)
	db.hangUp = hangUp
	db.jobs = make(chan *job, maxBatch)
	db.owned.Go(db.writer)
	db.owned.Go(func() { db.listen(listening, config, conn) })
	return nil
}

// connections returns a pool. What a burst opened stays open for the next: another connection costs PostgreSQL a
// process, and a statement its preparation.
func connections(config pgx.ConnConfig) *sql.DB {
	const most = 16
	pool := stdlib.OpenDB(config)
	pool.SetMaxOpenConns(most)
	pool.SetMaxIdleConns(most)
	pool.SetConnMaxIdleTime(time.Minute)
	return pool
}

// migrateLocked lets only one of several servers migrate at a time.
func (db *DB) migrateLocked(ctx context.Context) error {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return translate(err)
	}
	defer conn.Close()
	const key = `(hashtext('waybill migrations'), hashtext(current_schema()))`
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock`+key); err != nil {
		return translate(err)
	}
	failed := db.migrate(ctx, db.write)
	if _, err := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock`+key); err != nil && failed == nil {
		failed = translate(err)
	}
	return failed
}

// writePostgres runs the write until nobody interfered with it and its connection held until the commit: those that
// wait in the pool may have been cut off.
func (db *DB) writePostgres(ctx context.Context, name string, level sql.IsolationLevel, fn func(tx *Tx) error) error {
	for try := 1; ; try++ {
		tx, committing, err := db.try(ctx, name, level, fn)
		if err == nil {
			tx.committed()
			return nil
		}
		if try == maxTries || !contended(err) && (committing || !cutOff(err)) {
			return translate(err)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// try runs the write once. With committing, an error may have come after the commit.
func (db *DB) try(ctx context.Context, name string, level sql.IsolationLevel, fn func(tx *Tx) error) (tx *Tx, committing bool, err error) {
	db.busy.RLock()
	defer db.busy.RUnlock()
	select {
	case <-db.closed:
		return nil, false, errClosed
	default:
	}
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return nil, false, translate(err)
	}
	defer conn.Close()
	// The commit is not the caller's to cancel: half-way its outcome would be unknown.
	limited, cancel := context.WithTimeout(db.ctx, maxWrite)
	defer cancel()
	begun, err := conn.BeginTx(limited, &sql.TxOptions{Isolation: level})
	if err != nil {
		return nil, false, translate(err)
	}
	defer begun.Rollback()
	tx = db.newTx(begun)
	if err := tx.call(fn); err != nil {
		return nil, false, err
	}
	if err := tx.announce(limited); err != nil {
		return nil, false, err
	}
	if err := db.commit([]string{name}, begun.Commit); err != nil {
		return nil, true, translate(err)
	}
	db.topics.wake(tx.topics...)
	return tx, true, nil
}

// pause waits a little longer after each try, each time a different while, so that rivals part.
func pause(ctx context.Context, try int) error {
	share := float64(maphash.Comparable(maphash.MakeSeed(), try)) / math.MaxUint64
	timer := time.NewTimer(time.Duration(share * float64(min(maxPause, time.Duration(try)*2*time.Millisecond))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return translate(context.Cause(ctx))
	}
}
