package run

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const (
	// longestNap bounds how long the schedule may be off after the machine's clock was set.
	longestNap = 15 * time.Minute
	// troublePause is how long to wait after the store failed.
	troublePause = 10 * time.Second
)

// Schedule starts runs when they are due, until ctx ends. Between two turns it sleeps until exactly the next one, or
// until an assignment or a live version changes. What is next due is in the store: a restart neither loses nor doubles
// a turn, and of several servers on one store one fires.
func (e *Engine) Schedule(ctx context.Context) error {
	wake, unsubscribe := e.DB.Subscribe(connectorstore.ScheduleTopic)
	defer unsubscribe()
	for {
		nap, err := e.turn(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			e.Log.ErrorContext(ctx, "schedules could not all be served", "component", "run", "error", err.Error())
			nap = troublePause
		}
		timer := time.NewTimer(nap)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// turn brings the schedules up to date, fires what is due and returns how long nothing else will be.
func (e *Engine) turn(ctx context.Context) (nap time.Duration, err error) {
	if err := e.replan(ctx); err != nil {
		return 0, err
	}
	now := e.Now()
	due, err := connectorstore.DueSchedules(ctx, e.DB.Query(), now)
	if err != nil {
		return 0, err
	}
	var failed []error // one place in trouble must not keep the others from their turn
	for _, s := range due {
		failed = append(failed, e.fire(ctx, s))
	}
	if err := errors.Join(failed...); err != nil {
		return 0, err
	}
	next, found, err := connectorstore.NextSchedule(ctx, e.DB.Query())
	if err != nil || !found {
		return longestNap, err
	}
	return min(longestNap, max(0, next.Sub(e.Now()))), nil
}

// place is where a schedule applies.
type place struct {
	site, connector string
	major           int
}

// replan makes the stored schedules those that assignments and live versions ask for. It writes only what differs.
func (e *Engine) replan(ctx context.Context) error {
	wanted, err := e.wantedSchedules(ctx, e.DB.Query())
	if err != nil {
		return err
	}
	stored, err := connectorstore.Schedules(ctx, e.DB.Query())
	if err != nil {
		return err
	}
	same := 0
	for _, s := range stored {
		if spec, ok := wanted[place{s.Site, s.Connector, s.Major}]; ok && spec == s.Spec {
			same++
		}
	}
	if same == len(stored) && same == len(wanted) {
		return nil
	}
	return e.DB.Write(ctx, "schedule.plan", func(tx *store.Tx) error { return e.reschedule(ctx, tx) })
}

// reschedule is the writing half of replan: it reads again, for the transaction.
func (e *Engine) reschedule(ctx context.Context, tx *store.Tx) error {
	wanted, err := e.wantedSchedules(ctx, tx)
	if err != nil {
		return err
	}
	stored, err := connectorstore.Schedules(ctx, tx)
	if err != nil {
		return err
	}
	for _, s := range stored {
		at := place{s.Site, s.Connector, s.Major}
		if wanted[at] == s.Spec {
			delete(wanted, at)
			continue
		}
		if err := connectorstore.RemoveSchedule(ctx, tx, s.Site, s.Connector, s.Major); err != nil {
			return err
		}
	}
	for at, spec := range wanted {
		due, _, err := nextDue(spec, e.Now())
		if err != nil {
			return err
		}
		if err := connectorstore.PutSchedule(ctx, tx, at.site, at.connector, at.major, spec, due); err != nil {
			return err
		}
	}
	return nil
}

// wantedSchedules returns what is to run when: the schedule of an enabled assignment, or else of the version that is
// live there. What cannot be read, or names no moment, is left out.
func (e *Engine) wantedSchedules(ctx context.Context, q store.Querier) (map[place]string, error) {
	assignments, err := connectorstore.Assignments(ctx, q, connectorstore.AssignmentFilter{})
	if err != nil {
		return nil, err
	}
	sites, err := connectorstore.Sites(ctx, q)
	if err != nil {
		return nil, err
	}
	wanted := map[place]string{}
	for _, a := range assignments {
		i := slices.IndexFunc(sites, func(s waybill.Site) bool { return s.Name == a.Site })
		if i < 0 || !a.Enabled {
			continue
		}
		spec, err := scheduleOf(ctx, q, a, sites[i].Environment)
		if err != nil {
			return nil, err
		}
		if spec == "" {
			continue
		}
		if _, ok, err := nextDue(spec, e.Now()); err != nil || !ok {
			e.Log.WarnContext(ctx, "schedule names no moment", "component", "run", "connector", a.Connector, "site", a.Site)
			continue
		}
		wanted[place{a.Site, a.Connector, a.Major}] = spec
	}
	return wanted, nil
}

// scheduleOf returns the cron text that applies to a; empty when there is none or nothing is live.
func scheduleOf(ctx context.Context, q store.Querier, a waybill.Assignment, env waybill.Environment) (string, error) {
	live, found, err := connectorstore.FindLive(ctx, q, a.Connector, a.Major, env)
	if err != nil || !found {
		return "", err
	}
	if a.Schedule != "" {
		return a.Schedule, nil
	}
	release, err := connectorstore.Release(ctx, q, live.Release)
	if err != nil {
		return "", err
	}
	return release.Declaration.Connector.Run.Schedule, nil
}

// fire starts the run of one due schedule and sets its next moment, in one transaction. However many turns were missed,
// it fires once, and not at all when the latest chance is long past.
func (e *Engine) fire(ctx context.Context, s connectorstore.Schedule) error {
	return e.DB.Write(ctx, "schedule.fire", func(tx *store.Tx) error {
		now := e.Now()
		due, err := connectorstore.DueSchedules(ctx, tx, now)
		if err != nil || !slices.Contains(due, s) { // somebody else fired it, or it was changed
			return err
		}
		next, ok, err := nextDue(s.Spec, now)
		if err != nil || !ok {
			return errors.Join(err, connectorstore.RemoveSchedule(ctx, tx, s.Site, s.Connector, s.Major))
		}
		if err := connectorstore.PutSchedule(ctx, tx, s.Site, s.Connector, s.Major, s.Spec, next); err != nil {
			return err
		}
		late := now.Sub(s.Due)
		if late > e.Missed {
			return e.miss(ctx, tx, s)
		}
		started, err := e.trigger(ctx, tx, Request{
			Connector: s.Connector, Major: s.Major, Site: s.Site, Trigger: waybill.TriggerSchedule,
			By: waybill.Actor{Channel: waybill.ChannelSchedule},
		})
		if started {
			tx.After(func() { e.Observer.ScheduleLag(late) })
		}
		return err
	})
}

// miss notes that a turn passed while nobody was there.
func (e *Engine) miss(ctx context.Context, tx *store.Tx, s connectorstore.Schedule) error {
	id := waybill.Identity{Name: s.Connector, Major: s.Major}
	return store.Record(ctx, tx, waybill.Entry{
		Channel: waybill.ChannelSchedule, Subject: "connector:" + id.String(), Action: "run.miss",
		After: string(waybill.TriggerSchedule), Message: "the run of " + s.Due.Format(time.RFC3339) + " at " + s.Site + " was missed",
	})
}
