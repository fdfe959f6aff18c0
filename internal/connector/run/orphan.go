package run

import (
	"context"
	"errors"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// orphanAge is how old a container without a run has to be before it belongs to nobody: health checks end long before.
const orphanAge = 15 * time.Minute

// Sweep removes containers of this installation that nobody will ask for again: those whose run has ended or is not
// known, and old ones that belong to no run. Call it at start and from time to time. It goes on after an error, and
// returns how many it removed.
func (e *Engine) Sweep(ctx context.Context) (removed int, err error) {
	found, err := e.Runner.List(ctx)
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, c := range found {
		wanted, err := e.wanted(ctx, c)
		if err == nil && !wanted {
			if err = e.Runner.Remove(ctx, c.ID); err == nil {
				removed++
				e.Log.InfoContext(ctx, "orphaned container removed", "component", "run", "container", c.Name)
			}
		}
		failed = append(failed, err)
	}
	return removed, errors.Join(failed...)
}

// wanted reports whether somebody will ask for c again. The list is older than the answer of the store, and a run is
// stored before its container is made, so a container of a run that just begins is never taken for an orphan.
func (e *Engine) wanted(ctx context.Context, c runner.Container) (bool, error) {
	id, ok := c.Labels[runner.LabelRun]
	if !ok {
		return e.Now().Sub(c.Created) < orphanAge, nil
	}
	r, err := connectorstore.Run(ctx, e.DB.Query(), id)
	if waybill.IsCode(err, waybill.NotFound) {
		return false, nil
	}
	return err != nil || !r.State.Final(), err
}
