package telemetry

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	stconnector "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	stgit "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// kindRef is the kind of work that examines a ref.
const kindRef = "ref"

// readLevels reads every gauge that is a matter of the store.
func readLevels(ctx context.Context, q store.Querier, now time.Time) (levels, error) {
	var l levels
	for _, read := range []func(context.Context, store.Querier, time.Time) error{
		l.readQueue, l.readOutbox, l.readRuns, l.readConnectors,
	} {
		if err := read(ctx, q, now); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *levels) readQueue(ctx context.Context, q store.Querier, now time.Time) error {
	depth, err := queue.Depth(ctx, q, now)
	if err != nil {
		return err
	}
	dirty, oldest := 0, now
	for _, d := range depth {
		l.add("queue_depth", "Work in the queue.", float64(d.Count), "kind", d.Kind, "state", d.State)
		if d.Kind == kindRef && d.State != "discarded" {
			dirty += d.Count
			if d.Oldest.Before(oldest) {
				oldest = d.Oldest
			}
		}
	}
	l.add("refs_dirty", "Refs that wait to be examined or are being examined.", float64(dirty))
	l.add("refs_dirty_oldest_seconds", "Age of the oldest of them.", seconds(now, oldest))
	return nil
}

func (l *levels) readOutbox(ctx context.Context, q store.Querier, now time.Time) error {
	count, oldest, err := stgit.OutboxPending(ctx, q)
	if err != nil {
		return err
	}
	l.add("status_outbox_pending", "Commit statuses that wait to be sent.", float64(count))
	l.add("status_outbox_oldest_seconds", "Age of the oldest of them.", seconds(now, oldest))
	return nil
}

func (l *levels) readRuns(ctx context.Context, q store.Querier, _ time.Time) error {
	counts, err := stconnector.CountRuns(ctx, q)
	if err != nil {
		return err
	}
	active := 0
	for _, c := range counts {
		if !waybill.RunState(c.State).Final() {
			active += c.Count
		}
	}
	l.add("runs_active", "Runs that are queued or running.", float64(active))
	return nil
}

// readConnectors counts connectors by the furthest environment in which any of their majors is live.
func (l *levels) readConnectors(ctx context.Context, q store.Querier, _ time.Time) error {
	all, err := stconnector.Connectors(ctx, q)
	if err != nil {
		return err
	}
	lives, err := stconnector.Lives(ctx, q)
	if err != nil {
		return err
	}
	furthest := make(map[string]waybill.Environment, len(lives))
	for _, live := range lives {
		if furthest[live.Connector] != waybill.Prod {
			furthest[live.Connector] = live.Environment
		}
	}
	counts := map[string]int{string(waybill.Prod): 0, string(waybill.Dev): 0, "none": 0}
	for _, c := range all {
		state := "none"
		if env, ok := furthest[c.Name]; ok {
			state = string(env)
		}
		counts[state]++
	}
	for state, n := range counts {
		l.add("connectors", "Connectors by the furthest environment in which they are live.", float64(n), "state", state)
	}
	return nil
}

// seconds returns the age of since at now, never negative; 0 for the zero time.
func seconds(now, since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(0, now.Sub(since).Seconds())
}
