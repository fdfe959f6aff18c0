package queue

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// keep extends the lease of an item until ctx ends, and cancels the work when the lease is lost: because somebody
// else has it, or because the database did not answer for as long as it lasts.
func (q *Queue) keep(ctx context.Context, i Item, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(q.options.Lease / 3)
	defer ticker.Stop()
	end := q.options.Now().Add(q.options.Lease)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		began := q.options.Now()
		err := q.extend(ctx, i)
		switch {
		case err == nil:
			end = began.Add(q.options.Lease)
		case ctx.Err() != nil:
			return
		case waybill.IsCode(err, waybill.Conflict) || q.options.Now().After(end):
			cancel(lost(i))
			return
		default:
			q.log(i).WarnContext(ctx, "the lease could not be extended", "error", err)
		}
	}
}

// extend sets the end of the lease, or reports Conflict when it is not ours.
func (q *Queue) extend(ctx context.Context, i Item) error {
	ctx, cancel := context.WithTimeout(ctx, q.options.Lease/3)
	defer cancel()
	return q.db.WriteStatements(ctx, "queue.extend", func(tx *store.Tx) error {
		changed, err := tx.Exec(ctx, `UPDATE work SET lease_end = $4 WHERE kind = $1 AND key = $2 AND lease_owner = $3`,
			i.Kind, i.Key, i.lease, store.Micros(q.options.Now().Add(q.options.Lease)))
		if err == nil && changed == 0 {
			err = lost(i)
		}
		return err
	})
}

const (
	free = `UPDATE work SET lease_owner = '', lease_end = 0, updated = $4, error = $5, `
	ours = ` WHERE kind = $1 AND key = $2 AND lease_owner = $3`
	// Work that was wanted again meanwhile is due when that wish said.
	later = `due = CASE WHEN wanted = claimed THEN $6 ELSE due END, `
)

// endings say what each outcome makes of the row.
func endings() map[outcome]string {
	return map[outcome]string{
		done:    free + `done = claimed, attempt = 0` + ours,
		retry:   free + later + `attempt = CASE WHEN wanted = claimed THEN attempt ELSE 0 END` + ours,
		snooze:  free + later + `attempt = attempt - 1` + ours,
		discard: free + `done = claimed, discarded = CASE WHEN wanted = claimed THEN $4 ELSE discarded END` + ours,
		release: free + `attempt = attempt - 1` + ours,
	}
}

// end stores the result of an item, or reports Conflict when its lease was lost.
func (q *Queue) end(ctx context.Context, i Item, r Result) error {
	now := q.options.Now()
	args := []any{i.Kind, i.Key, i.lease, store.Micros(now), r.reason()}
	switch r.outcome {
	case retry:
		args = append(args, store.Micros(now.Add(backoff(i.Key, i.Attempt))))
	case snooze:
		args = append(args, store.Micros(now.Add(r.delay)))
	default: // not later
	}
	return q.db.WriteStatements(ctx, "queue.end", func(tx *store.Tx) error {
		changed, err := tx.Exec(ctx, endings()[r.outcome], args...)
		if err == nil && changed == 0 {
			err = lost(i)
		}
		tx.Notify(topic(i.Kind))
		return err
	})
}

// endings are tried this often when the database does not answer; then the lease runs out and the work is repeated.
const (
	endTries = 5
	endPause = 200 * time.Millisecond
)

// settle stores the result, with patience.
func (q *Queue) settle(ctx context.Context, i Item, r Result) {
	for n := range endTries {
		err := q.end(ctx, i, r)
		switch {
		case err == nil:
			return
		case waybill.IsCode(err, waybill.Conflict) || n == endTries-1:
			q.log(i).WarnContext(ctx, "the result of the work could not be stored", "result", r.String(), "error", err)
			return
		}
		timer := time.NewTimer(endPause << n)
		<-timer.C
	}
}

// Recover clears the leases that a dead process left, so that its work begins at once: all of them on SQLite, which
// only one process has open, those of the same Owner on PostgreSQL. Call it before Run.
func (q *Queue) Recover(ctx context.Context) error {
	owner := ""
	if q.db.Dialect() == store.Postgres {
		owner = q.options.Owner + "/"
	}
	return q.db.WriteStatements(ctx, "queue.recover", func(tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE work SET lease_owner = '', lease_end = 0
			WHERE lease_owner <> '' AND substr(lease_owner, 1, length($1)) = $1`, owner)
		return err
	})
}
