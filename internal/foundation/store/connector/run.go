package connector

import (
	"context"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// storedRun is a run whose wish to end is a column of its own, so that no save can take it back.
type storedRun struct {
	waybill.Run
	cancel bool
}

func runRow(r *storedRun) []any { return []any{store.JSON(&r.Run), &r.cancel} }

func (r storedRun) run() waybill.Run {
	r.Cancel = r.cancel
	return r.Run
}

// InsertRun stores a new run. It reports Conflict when the id is there.
func InsertRun(ctx context.Context, tx *store.Tx, r waybill.Run) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO runs (id, connector, major, site, state, cancel, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, r.ID, r.Connector, r.Major, r.Site, r.State, r.Cancel, store.JSON(&r))
	return err
}

// SaveRun stores r if its stored state is still from, else it reports Conflict; NotFound without the run. A stored
// Cancel stays whatever r says.
func SaveRun(ctx context.Context, tx *store.Tx, r waybill.Run, from waybill.RunState) error {
	changed, err := tx.Exec(ctx, `UPDATE runs SET state = $3, body = $4, cancel = CASE WHEN $5 = 1 THEN 1 ELSE cancel END
		WHERE id = $1 AND state = $2`, r.ID, from, r.State, store.JSON(&r), r.Cancel)
	if err != nil || changed == 1 {
		return err
	}
	now, err := Run(ctx, tx, r.ID)
	if err != nil {
		return err
	}
	return waybill.Errorf(waybill.Conflict, "run %s is %s and no longer %s", r.ID, now.State, from)
}

// Run returns a run by id, or NotFound.
func Run(ctx context.Context, q store.Querier, id string) (waybill.Run, error) {
	r, err := store.Get(ctx, q, "run "+id, runRow, `SELECT body, cancel FROM runs WHERE id = $1`, id)
	return r.run(), err
}

// RunFilter selects runs; zero fields select all.
type RunFilter struct {
	Connector string
	Major     int
	Site      string
	States    []waybill.RunState // any of these
	Before    string             // a Run.ID: only older ones
	Limit     int                // 50 when zero
}

// Runs lists runs, newest first. The next page is before the id of the last one.
func Runs(ctx context.Context, q store.Querier, f RunFilter) ([]waybill.Run, error) {
	var w store.Filter
	w.And("connector = $", f.Connector)
	w.And("major = $", f.Major)
	w.And("site = $", f.Site)
	store.AnyOf(&w, "state", f.States)
	tail, args := w.Newest(f.Before, f.Limit)
	list, err := store.List(ctx, q, runRow, `SELECT body, cancel FROM runs`+tail, args...)
	var runs []waybill.Run
	for _, r := range list {
		runs = append(runs, r.run())
	}
	return runs, err
}

// Count is how many there are in one state.
type Count struct {
	State string
	Count int
}

func countRow(c *Count) []any { return []any{&c.State, &c.Count} }

// CountRuns counts the runs of each state.
func CountRuns(ctx context.Context, q store.Querier) ([]Count, error) {
	return store.List(ctx, q, countRow, `SELECT state, COUNT(*) FROM runs GROUP BY state ORDER BY state`)
}
