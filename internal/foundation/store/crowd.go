package store

import (
	"context"
	"database/sql"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Crowd writes small items that come many at a time and seldom fail, such as deliveries: those that wait share the next
// transaction, its statements and its commit, on PostgreSQL too.
type Crowd[T any] struct {
	db *DB
	of *crowd
}

// NewCrowd returns a Crowd whose items are written by write, in the order they came. The rules of [DB.WriteStatements]
// hold for write. When it fails, all is taken back and it is called again with each item alone; it tells the outcome
// within the items, anew at each call. name is that of the transaction.
func NewCrowd[T any](db *DB, name string, write func(ctx context.Context, tx *Tx, items []T) error) *Crowd[T] {
	return &Crowd[T]{db: db, of: &crowd{name: name, write: func(ctx context.Context, tx *Tx, jobs []*job) error {
		items := make([]T, len(jobs))
		for i, j := range jobs {
			items[i], _ = j.item.(T)
		}
		return write(ctx, tx, items)
	}}}
}

// Write writes item and returns when it is on disk, or why it could not be written.
func (c *Crowd[T]) Write(ctx context.Context, item T) error {
	if err := ctx.Err(); err != nil {
		return translate(context.Cause(ctx))
	}
	return c.db.share(&job{ctx: ctx, name: c.of.name, crowd: c.of, item: item, done: make(chan struct{})})
}

// crowd is a Crowd without the type of its items.
type crowd struct {
	name  string
	write func(ctx context.Context, tx *Tx, jobs []*job) error
}

// units divides a batch into what runs at once: each write for itself, those of a crowd together.
func units(batch []*job) [][]*job {
	var list [][]*job
	at := map[*crowd]int{}
	for _, j := range batch {
		if i, known := at[j.crowd]; known && j.crowd != nil {
			list[i] = append(list[i], j)
			continue
		}
		at[j.crowd] = len(list)
		list = append(list, []*job{j})
	}
	return list
}

// run runs the writes of a unit in tx.
func run(ctx context.Context, tx *Tx, unit []*job) error {
	first := unit[0]
	first.tx = tx
	if first.crowd == nil {
		return tx.call(first.fn)
	}
	return tx.call(func(tx *Tx) error { return first.crowd.write(ctx, tx, unit) })
}

// transactPostgres runs each crowd of the batch and commits once. errTakenBack means that each is to run alone.
func (db *DB) transactPostgres(batch []*job) error {
	if len(batch) == 0 {
		return nil
	}
	if len(batch) == 1 {
		j := batch[0]
		j.tx = nil // writePostgres does what is to be done after it
		j.err = db.writePostgres(j.ctx, j.name, sql.LevelReadCommitted, func(tx *Tx) error {
			return j.crowd.write(j.ctx, tx, batch)
		})
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
	var names []string
	all := db.newTx(begun)
	for _, unit := range units(batch) {
		tx := db.newTx(begun)
		if err := run(limited, tx, unit); err != nil {
			return errTakenBack
		}
		names, all.topics = append(names, unit[0].name), append(all.topics, tx.topics...)
	}
	if err := all.announce(limited); err != nil {
		return errTakenBack
	}
	if err := db.commit(names, begun.Commit); err != nil {
		if contended(err) {
			return errTakenBack
		}
		return waybill.Wrap(waybill.Unavailable, err, "the outcome of a commit is not known")
	}
	db.topics.wake(all.topics...)
	return nil
}
