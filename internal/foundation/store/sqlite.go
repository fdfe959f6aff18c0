package store

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	_ "modernc.org/sqlite" // The driver named sqlite.

	"github.com/waybill-dev/waybill/internal/waybill"
)

// openSQLite locks and opens the file, migrates it and starts the writer.
func (db *DB) openSQLite(ctx context.Context, path string) error {
	db.dialect = SQLite
	path, err := filepath.Abs(path)
	if err != nil {
		return waybill.Wrap(waybill.Invalid, err, "the path of the database cannot be made absolute")
	}
	if err := db.prepareFile(path); err != nil {
		return err
	}
	if err := db.openPools(ctx, path); err != nil {
		_ = db.release()
		return err
	}
	db.jobs = make(chan *job, maxBatch)
	db.owned.Go(db.writer)
	return nil
}

// prepareFile makes the folder and the file, readable by the owner only, and takes the lock beside it. The lock
// belongs to the process and goes with it, however it ends.
func (db *DB) prepareFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "the folder of the database cannot be made: "+filepath.Dir(path))
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // The operator names the file.
	if err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "the lock file cannot be opened: "+path+".lock")
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return waybill.Wrap(waybill.Conflict, err, "another server has the database open: "+path)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // The operator names the file.
	if err != nil {
		_ = lock.Close()
		return waybill.Wrap(waybill.Unavailable, err, "the database file cannot be opened: "+path)
	}
	db.lock = lock
	return file.Close()
}

// openPools opens one connection for writing and several for reading.
func (db *DB) openPools(ctx context.Context, path string) error {
	var err error
	if db.write, err = sql.Open("sqlite", sqliteURL(path, false)); err != nil {
		return translate(err)
	}
	db.write.SetMaxOpenConns(1)
	if err := db.migrate(ctx, db.write); err != nil {
		return err
	}
	if db.read, err = sql.Open("sqlite", sqliteURL(path, true)); err != nil {
		return translate(err)
	}
	if db.conn, err = db.write.Conn(db.calm); err != nil {
		return translate(err)
	}
	db.writes = &prepared{on: db.conn, ctx: db.calm}
	db.reads = &prepared{on: db.read, ctx: db.calm}
	readers := max(4, runtime.GOMAXPROCS(0))
	db.read.SetMaxOpenConns(readers)
	db.read.SetMaxIdleConns(readers)
	return nil
}

// sqliteURL returns the data source of a file. Every commit is synced to disk (synchronous=FULL).
func sqliteURL(path string, readOnly bool) string {
	q := url.Values{}
	for _, p := range []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "cache_size(-8000)", "temp_store(MEMORY)"} {
		q.Add("_pragma", p)
	}
	if readOnly {
		q.Set("_query_only", "1")
	} else {
		q.Set("_txlock", "immediate")
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()
}
