package store

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Options say which database to open and how.
type Options struct {
	// URL is the path of the SQLite file, or postgres://… for PostgreSQL.
	URL string
	Log *slog.Logger     // nil: nothing is logged
	Now func() time.Time // nil: the machine's clock
	// Commit wraps the commit of the named transactions; nil outside tests. Crash tests kill the process before or
	// after run. An error that it returns without having called run fails the transactions.
	Commit func(names []string, run func() error) error
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect Dialect
	now     func() time.Time
	log     *slog.Logger
	commit  func(names []string, run func() error) error
	topics  topics

	read   *sql.DB
	write  *sql.DB
	jobs   chan *job // writes on their way to the writer; PostgreSQL: those of crowds
	lock   *os.File  // SQLite: held while open
	conn   *sql.Conn // SQLite: the one that writes
	reads  *prepared // SQLite: statements of the read pool
	writes *prepared // SQLite: statements of conn
	origin string    // PostgreSQL: marks the notifications of this process

	ctx    context.Context //nolint:containedctx // The life of the database: group commits must outlive each caller.
	cancel context.CancelCauseFunc
	calm   context.Context //nolint:containedctx // ctx without its end, which the driver would watch at each statement.
	owned  sync.WaitGroup  // the writer or the listener
	closed chan struct{}   // closed by Close: no new writes
	ended  chan struct{}   // closed when the writer has ended: queued writes will not be answered
	once   sync.Once
	busy   sync.RWMutex // PostgreSQL: held for reading by each write
	hangUp context.CancelFunc
}

// Dialect is one of the two databases.
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Open opens the database, which it creates when it is a file that is not there, and brings its schema up to date.
// It reports Conflict when another process has the SQLite file open, and Unavailable when PostgreSQL does not answer.
// ctx limits the opening only.
func Open(ctx context.Context, o Options) (*DB, error) {
	db := &DB{
		now: o.Now, log: o.Log, commit: o.Commit,
		closed: make(chan struct{}), ended: make(chan struct{}),
	}
	if db.now == nil {
		db.now = time.Now
	}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if db.commit == nil {
		db.commit = func(_ []string, run func() error) error { return run() }
	}
	db.ctx, db.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	db.calm = context.WithoutCancel(ctx)
	open := db.openSQLite
	if strings.HasPrefix(o.URL, "postgres://") || strings.HasPrefix(o.URL, "postgresql://") {
		open = db.openPostgres
	}
	if err := open(ctx, o.URL); err != nil {
		db.cancel(err)
		return nil, err
	}
	return db, nil
}

// Dialect says which database it is, for the few statements that must differ.
func (db *DB) Dialect() Dialect { return db.dialect }

// Close waits for the writes that have begun, fails those that have not with Unavailable, and closes the database.
// A second call does nothing.
func (db *DB) Close() error {
	var err error
	db.once.Do(func() {
		close(db.closed)
		if db.hangUp != nil {
			db.hangUp()
		}
		db.owned.Wait()
		db.busy.Lock()
		defer db.busy.Unlock()
		db.cancel(errClosed)
		err = db.release()
	})
	return err
}

// release closes what Open acquired, in reverse.
func (db *DB) release() error {
	var first error
	if db.conn != nil {
		_ = db.conn.Close() // back to its pool, which is closed next
	}
	for _, pool := range []*sql.DB{db.read, db.write} {
		if pool == nil {
			continue
		}
		if err := pool.Close(); err != nil && first == nil {
			first = translate(err)
		}
	}
	if db.lock != nil {
		if err := db.lock.Close(); err != nil && first == nil {
			first = waybill.Wrap(waybill.Internal, err, "the lock of the database file cannot be released")
		}
	}
	return first
}

// Write runs fn in one transaction and returns when it is on disk. name is constant and dotted, such as
// "release.build". fn may run again when others interfered: it must not keep state outside, other than what it sets
// anew each time. An error or a panic of fn rolls everything back, and fn must return the error of a statement that
// failed: PostgreSQL refuses all further ones. fn must not call Write, nor wait for anything but the database: on
// SQLite all writers wait for it. A ctx that ends before fn has begun ends the write with Unavailable; afterwards the
// outcome is awaited. Only a connection to PostgreSQL that breaks during the commit leaves the outcome unknown.
func (db *DB) Write(ctx context.Context, name string, fn func(tx *Tx) error) error {
	return db.run(ctx, name, sql.LevelSerializable, fn)
}

// WriteStatements is Write for functions that do not decide on what they read: on PostgreSQL each statement sees what
// was committed before it began, and waits for rows instead of failing. It suits single compare-and-set statements.
func (db *DB) WriteStatements(ctx context.Context, name string, fn func(tx *Tx) error) error {
	return db.run(ctx, name, sql.LevelReadCommitted, fn)
}

func (db *DB) run(ctx context.Context, name string, level sql.IsolationLevel, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return translate(context.Cause(ctx))
	}
	if db.dialect == Postgres {
		return db.writePostgres(ctx, name, level, fn)
	}
	return db.share(&job{ctx: ctx, name: name, fn: fn, done: make(chan struct{})})
}

// Query returns the read pool. Reads see everything whose Write has returned.
func (db *DB) Query() Querier { return pool{db.read, db.reads} }
