package store

import (
	"context"
	"database/sql"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// WriteTogether is WriteStatements for small writes that come in crowds and seldom fail, such as deliveries: on
// PostgreSQL too, those that wait share the next transaction, its notification and its commit, in the order they came.
// When one of them fails, all are taken back and each runs again, alone.
func (db *DB) WriteTogether(ctx context.Context, name string, fn func(tx *Tx) error) error {
	if err := ctx.Err(); err != nil {
		return translate(context.Cause(ctx))
	}
	return db.share(ctx, name, true, fn)
}

// transactPostgres runs each write of the batch and commits once. errTakenBack means that each is to run alone.
func (db *DB) transactPostgres(batch []*job) error {
	if len(batch) == 0 {
		return nil
	}
	if len(batch) == 1 {
		j := batch[0]
		j.err = db.writePostgres(j.ctx, j.name, sql.LevelReadCommitted, func(tx *Tx) error { j.tx = tx; return j.fn(tx) })
		if j.tx != nil {
			j.tx.after = nil // writePostgres has run them
		}
		return nil
	}
	db.busy.RLock()
	defer db.busy.RUnlock()
	limited, cancel := context.WithTimeout(db.ctx, maxWrite)
	defer cancel()
	begun, err := db.write.BeginTx(limited, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return errTakenBack
	}
	defer begun.Rollback()
	crowd := db.newTx(begun)
	var names []string
	for _, j := range batch {
		j.tx = db.inCrowd(limited, begun)
		if err := j.tx.call(j.fn); err != nil {
			return errTakenBack
		}
		names, crowd.topics = append(names, j.name), append(crowd.topics, j.tx.topics...)
	}
	if err := crowd.announce(limited); err != nil {
		return errTakenBack
	}
	if err := db.commit(names, begun.Commit); err != nil {
		if contended(err) {
			return errTakenBack
		}
		return waybill.Wrap(waybill.Unavailable, err, "the outcome of a commit is not known")
	}
	db.topics.wake(crowd.topics...)
	return nil
}

// inCrowd is a transaction whose statements no caller ends.
func (db *DB) inCrowd(ctx context.Context, begun *sql.Tx) *Tx {
	tx := db.newTx(begun)
	tx.crowd = ctx
	return tx
}
