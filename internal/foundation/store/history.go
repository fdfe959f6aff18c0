package store

import (
	"context"

	"github.com/waybill-dev/waybill/internal/waybill"
)

const historyColumns = `id, at, actor, channel, repository, sha, subject, action, value_before, value_after, message`

func historyRow(e *waybill.Entry) []any {
	return []any{
		&e.ID, Time(&e.At), &e.Actor, &e.Channel, &e.Repository, &e.Commit, &e.Subject, &e.Action,
		&e.Before, &e.After, &e.Message,
	}
}

// Record adds e to the audit trail. An empty ID and a zero At are filled in with the time of the transaction.
func Record(ctx context.Context, tx *Tx, e waybill.Entry) error {
	if e.At.IsZero() {
		e.At = tx.Now()
	}
	if e.ID == "" {
		e.ID = NewID(e.At)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO history (`+historyColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, historyRow(&e)...)
	return err
}

// HistoryFilter selects entries of the audit trail; zero fields select all.
type HistoryFilter struct {
	Subject       string
	SubjectPrefix string
	Repository    string // Repository.ID
	Commit        string
	Action        string
	Before        string // an Entry.ID: only older ones
	Limit         int    // 50 when zero
}

// History lists entries of the audit trail, newest first. The next page is before the id of the last one.
func History(ctx context.Context, q Querier, f HistoryFilter) ([]waybill.Entry, error) {
	var w Filter
	w.And("subject = $", f.Subject)
	w.And("substr(subject, 1, length($)) = $", f.SubjectPrefix)
	w.And("repository = $", f.Repository)
	w.And("sha = $", f.Commit)
	w.And("action = $", f.Action)
	tail, args := w.Newest(f.Before, f.Limit)
	return List(ctx, q, historyRow, `SELECT `+historyColumns+` FROM history`+tail, args...)
}
