package store

import (
	"context"
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
	crowd bool // when it fails, all of its group run again, alone
	taken atomic.Bool
	tx    *Tx
	err   error
	done  chan struct{} // closed when err is final
}

// share hands the write to the writer and waits for the commit.
func (db *DB) share(ctx context.Context, name string, crowd bool, fn func(tx *Tx) error) error {
	j := &job{ctx: ctx, name: name, fn: fn, crowd: crowd, done: make(chan struct{})}
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
	if j.err == nil {
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
// commits once. Those of a crowd do without: SQLite would copy each page that they change. An error of transact itself means that nothing was written.
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
	var good []*job
	var names, wakes []string
	for _, j := range batch {
		j.tx = db.newTx(tx)
		if len(batch) == 1 {
			j.err = j.tx.call(j.fn)
		} else if j.crowd {
			if err := j.tx.call(j.fn); err != nil {
				return errTakenBack
			}
		} else if err := db.inSavepoint(j); err != nil {
			return err
		}
		if j.err == nil {
			good, names, wakes = append(good, j), append(names, j.name), append(wakes, j.tx.topics...)
		}
	}
	if len(good) == 0 {
		return nil
	}
	if err := db.commit(names, tx.Commit); err != nil {
		return translate(err)
	}
	db.topics.wake(wakes...)
	return nil
}

// inSavepoint runs the write, whose error concerns it alone. It reports errTakenBack when the savepoint is gone.
func (db *DB) inSavepoint(j *job) error {
	if _, err := db.writes.exec(db.calm, j.tx.sql, "SAVEPOINT member", nil); err != nil {
		return translate(err)
	}
	if j.err = j.tx.call(j.fn); j.err != nil {
		if _, err := db.writes.exec(db.calm, j.tx.sql, "ROLLBACK TO member", nil); err != nil {
			return errTakenBack
		}
	}
	if _, err := db.writes.exec(db.calm, j.tx.sql, "RELEASE member", nil); err != nil {
		return errTakenBack
	}
	return nil
}
