package store

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// maxBatch bounds how many writes share one commit.
const maxBatch = 128

// errClosed is what writes report after Close.
var errClosed = waybill.Errorf(waybill.Unavailable, "the database is closed")

// errTakenBack says that the whole transaction was taken back: by SQLite itself, as it does when the disk is full or
// broken, or on PostgreSQL because one of the group failed. Then each write of the group runs again, alone.
var errTakenBack = errors.New("the transaction was taken back")

// job is one write on its way to the writer. Who wins the swap of taken decides: the writer, which then runs it, or
// the caller, who then leaves.
type job struct {
	ctx   context.Context //nolint:containedctx // The caller's, to skip a write nobody waits for.
	name  string
	fn    func(tx *Tx) error
	crowd *crowd // instead of fn: when it fails, all of the group run again, alone
	item  any    // of the crowd
	taken atomic.Bool
	tx    *Tx // nil for those of a crowd but the first
	err   error
	done  chan struct{} // closed when err is final
}

// share hands the write to the writer and waits for the commit.
func (db *DB) share(j *job) error {
	ctx := j.ctx
	select {
	case <-db.closed:
		return errClosed
	case db.jobs <- j:
	case <-ctx.Done():
		return translate(context.Cause(ctx))
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		if j.taken.CompareAndSwap(false, true) {
			return translate(context.Cause(ctx))
		}
		<-j.done
	case <-db.ended:
		if j.taken.CompareAndSwap(false, true) {
			return errClosed
		}
		<-j.done
	}
	if j.err == nil && j.tx != nil {
		j.tx.committed()
	}
	return j.err
}

// writer commits writes in groups: whatever waits when the previous commit is on disk shares the next one. A write
// that finds the writer idle is committed at once.
func (db *DB) writer() {
	defer close(db.ended)
	for {
		select {
		case j := <-db.jobs:
			db.group(db.collect(j))
		case <-db.closed:
			return
		}
	}
}

// collect returns j and the writes that wait behind it, without those whose callers have left.
func (db *DB) collect(j *job) []*job {
	var batch []*job
	for n := 0; ; n++ {
		if j.ctx.Err() == nil && j.taken.CompareAndSwap(false, true) {
			batch = append(batch, j)
		}
		if n == maxBatch {
			return batch
		}
		select {
		case j = <-db.jobs:
		default:
			return batch
		}
	}
}

// group runs a batch in one transaction and answers everyone.
func (db *DB) group(batch []*job) {
	var ended bool
	defer func() {
		for _, j := range batch {
			if !ended { // the goroutine is ending under us
				j.err = waybill.Errorf(waybill.Internal, "a transaction ended the writer")
			}
			close(j.done)
		}
	}()
	switch err := db.transact(batch); {
	case errors.Is(err, errTakenBack):
		for _, j := range batch {
			fail(db.transact([]*job{j}), j)
		}
	case err != nil:
		fail(err, batch...)
	}
	ended = true
}

// fail gives an error of their transaction to writes that have none of their own.
func fail(err error, batch ...*job) {
	for _, j := range batch {
		if j.err == nil {
			j.err = err
		}
	}
}

// transact runs each write of the batch in a savepoint of its own, so that an error takes back only that write, and
// commits once. Those of a crowd do without: SQLite would copy each page that they change. An error of transact itself
// means that nothing was written.
func (db *DB) transact(batch []*job) error {
	if db.dialect == Postgres {
		return db.transactPostgres(batch)
	}
	if len(batch) == 0 {
		return nil
	}
	tx, err := db.conn.BeginTx(db.ctx, nil)
	if err != nil {
		return translate(err)
	}
	defer tx.Rollback()
	var names, wakes []string
	for _, unit := range units(batch) {
		first := unit[0]
		if err := db.runUnit(tx, unit, len(batch) == 1); err != nil {
			return err
		}
		if first.err == nil {
			names, wakes = append(names, first.name), append(wakes, first.tx.topics...)
		}
	}
	if len(names) == 0 {
		return nil
	}
	if err := db.commit(names, tx.Commit); err != nil {
		return translate(err)
	}
	db.topics.wake(wakes...)
	return nil
}

// runUnit runs a unit of a batch. Its error is that of the whole transaction.
func (db *DB) runUnit(begun *sql.Tx, unit []*job, alone bool) error {
	j, tx := unit[0], db.newTx(begun)
	switch {
	case alone:
		j.err = run(j.ctx, tx, unit)
	case j.crowd != nil:
		if err := run(db.calm, tx, unit); err != nil {
			return errTakenBack
		}
	default:
		return db.inSavepoint(tx, j)
	}
	return nil
}

// inSavepoint runs the write, whose error concerns it alone. It reports errTakenBack when the savepoint is gone.
func (db *DB) inSavepoint(tx *Tx, j *job) error {
	if _, err := db.writes.exec(db.calm, tx.sql, "SAVEPOINT member", nil); err != nil {
		return translate(err)
	}
	if j.err = run(db.calm, tx, []*job{j}); j.err != nil {
		if _, err := db.writes.exec(db.calm, tx.sql, "ROLLBACK TO member", nil); err != nil {
			return errTakenBack
		}
	}
	if _, err := db.writes.exec(db.calm, tx.sql, "RELEASE member", nil); err != nil {
		return errTakenBack
	}
	return nil
}
