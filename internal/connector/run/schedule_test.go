package run

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// turnAt moves the clock and lets the scheduler take its turn.
func (f *fixture) turnAt(after time.Duration) (nap time.Duration) {
	f.t.Helper()
	f.clock.Add(after)
	nap, err := f.turn(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return nap
}

// finish ends every queued run with success.
func (f *fixture) finish() {
	f.t.Helper()
	f.runner.program = printing("", "", 0)
	for _, r := range f.runs() {
		if !r.State.Final() {
			f.handle(r.ID, "done")
		}
	}
}

func hourly(c *waybill.Connector) { c.Run.Schedule = "0 * * * *" }

// planned returns the stored schedules as site, spec and due.
func (f *fixture) planned() []string {
	f.t.Helper()
	stored, err := connectorstore.Schedules(f.t.Context(), f.DB.Query())
	if err != nil {
		f.t.Fatal(err)
	}
	var list []string
	for _, s := range stored {
		list = append(list, s.Site+" "+s.Spec+" "+s.Due.Format(time.RFC3339))
	}
	return list
}

func TestScheduleFiresWhenDue(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hourly) // it is 10:00:30
	if nap := f.turnAt(0); nap != longestNap || len(f.runs()) != 0 {
		t.Fatalf("nap %v with %d runs, want the longest and none", nap, len(f.runs()))
	}
	if nap := f.turnAt(50 * time.Minute); nap != 9*time.Minute+30*time.Second {
		t.Errorf("nap %v, want until 11:00", nap)
	}
	f.turnAt(9*time.Minute + 31*time.Second)
	f.turnAt(0)
	runs := f.runs()
	if len(runs) != 1 || runs[0].Trigger != waybill.TriggerSchedule || runs[0].Actor != "" {
		t.Fatalf("runs = %+v, want one", runs)
	}
	if lag := <-f.lags; lag != time.Second {
		t.Errorf("lag %v, want 1s", lag)
	}
	if diff := cmp.Diff([]string{"feeds-dev 0 * * * * 2026-03-01T12:00:00Z"}, f.planned()); diff != "" {
		t.Errorf("schedules (-want +got):\n%s", diff)
	}
	f.turnAt(time.Hour) // refused: the first is still queued
	if runs := f.runs(); len(runs) != 1 {
		t.Errorf("%d runs in progress at once", len(runs))
	}
	if diff := cmp.Diff([]string{"run.refuse"}, f.history("connector:shop-feed")); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	f.finish()
	f.turnAt(time.Hour)
	if runs := f.runs(); len(runs) != 2 {
		t.Errorf("%d runs, want 2", len(runs))
	}
}

func TestMissedTurns(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		away    time.Duration // from 10:00:30, due at 11:00, then hourly
		runs    int
		history []string
	}{
		"a little late":      {away: 70 * time.Minute, runs: 1},
		"at most once":       {away: 59*time.Minute + 30*time.Second + time.Hour, runs: 1},
		"too late":           {away: 5 * time.Hour, runs: 0, history: []string{"run.miss"}},
		"not due until then": {away: 20 * time.Minute, runs: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, hourly)
			f.turnAt(0)
			f.Engine = f.restarted(f.DB)
			f.turnAt(test.away)
			f.turnAt(0)
			if runs := f.runs(); len(runs) != test.runs {
				t.Errorf("%d runs, want %d", len(runs), test.runs)
			}
			if diff := cmp.Diff(test.history, f.history("connector:shop-feed")); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFireIsOneTransaction(t *testing.T) {
	t.Parallel()
	for _, before := range []bool{true, false} {
		f := newFixture(t, hourly)
		f.turnAt(0)
		f.clock.Add(time.Hour)
		reached := f.at("schedule.fire", func(commit func() error) error {
			if before {
				return errors.New("killed")
			}
			return errors.Join(commit(), errors.New("killed"))
		})
		if _, err := f.turn(t.Context()); err == nil || !reached() {
			t.Fatalf("turn: %v, reached %v", err, reached())
		}
		f.Engine = f.restarted(f.DB)
		f.turnAt(0)
		if runs := f.runs(); len(runs) != 1 {
			t.Errorf("killed before the commit %v: %d runs, want 1", before, len(runs))
		}
	}
}

func TestTroubleAtOnePlaceStopsNoOther(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hourly)
	f.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := connectorstore.EnsureSite(ctx, tx, waybill.Site{Name: "feeds-second", Owner: "feeds", Environment: waybill.Dev})
		return err
	})
	f.assign(waybill.Assignment{Site: "feeds-second", Enabled: true})
	f.turnAt(0)
	f.clock.Add(time.Hour)
	reached := f.at("schedule.fire", func(func() error) error { return errors.New("the first is in trouble") })
	if _, err := f.turn(t.Context()); err == nil || !reached() {
		t.Errorf("turn: %v, reached %v", err, reached())
	}
	want := []string{"feeds-dev 0 * * * * 2026-03-01T11:00:00Z", "feeds-second 0 * * * * 2026-03-01T12:00:00Z"}
	if diff := cmp.Diff(want, f.planned()); diff != "" {
		t.Errorf("the second had its turn (-want +got):\n%s", diff)
	}
}

func TestTwoServersFireOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hourly, func(c *waybill.Connector) { c.Run.Concurrency = "queue" })
	f.turnAt(0)
	f.clock.Add(time.Hour)
	due, err := connectorstore.DueSchedules(t.Context(), f.DB.Query(), f.clock.Now())
	if err != nil || len(due) != 1 {
		t.Fatalf("due = %v, %v", due, err)
	}
	for range 2 { // both saw it
		if err := f.fire(t.Context(), due[0]); err != nil {
			t.Fatal(err)
		}
	}
	if runs := f.runs(); len(runs) != 1 {
		t.Errorf("%d runs, want 1", len(runs))
	}
}

func TestSchedulesFollowWhatIsAssignedAndLive(t *testing.T) {
	t.Parallel()
	f := newFixture(t, hourly)
	want := func(want ...string) {
		t.Helper()
		f.turnAt(0)
		if diff := cmp.Diff(want, f.planned()); diff != "" {
			t.Errorf("schedules (-want +got):\n%s", diff)
		}
	}
	want("feeds-dev 0 * * * * 2026-03-01T11:00:00Z")
	config := map[string]string{"base_url": "x"}
	f.assign(waybill.Assignment{Config: config, Schedule: "CRON_TZ=Europe/Berlin 30 18 * * *"})
	want("feeds-dev CRON_TZ=Europe/Berlin 30 18 * * * 2026-03-01T17:30:00Z")
	f.assign(waybill.Assignment{Site: "feeds-prod", Enabled: true, Config: config, Schedule: "0 0 * * *"}) // nothing is live there
	want("feeds-dev CRON_TZ=Europe/Berlin 30 18 * * * 2026-03-01T17:30:00Z")
	f.assign(waybill.Assignment{Config: config, Schedule: "0 0 31 2 *"}) // never
	want()
	f.assign(waybill.Assignment{Config: config, Schedule: "CRON_TZ=UTC"}) // nonsense
	want()
	f.assign(waybill.Assignment{Config: config})
	want("feeds-dev 0 * * * * 2026-03-01T11:00:00Z")
	f.goLive(1, func(c *waybill.Connector) { c.Run.Schedule = "15 * * * *" })
	want("feeds-dev 15 * * * * 2026-03-01T10:15:00Z")
	f.assign(waybill.Assignment{Site: "feeds-dev", Config: config}) // disabled
	want()
}

func TestScheduleLoop(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	wake, stop := f.DB.Subscribe("connector:shop-feed")
	defer stop()
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- f.Schedule(ctx) }()
	f.assign(waybill.Assignment{Config: map[string]string{"base_url": "x"}, Schedule: "* * * * *"})
	for len(f.planned()) == 0 { // the loop wakes by itself
		wait, done := f.DB.Subscribe(connectorstore.ScheduleTopic)
		if len(f.planned()) == 0 {
			<-wait
		}
		done()
	}
	f.clock.Add(time.Minute)
	f.assign(waybill.Assignment{Config: map[string]string{"base_url": "y"}, Schedule: "* * * * *"}) // any change wakes it
	<-wake
	if runs := f.runs(); len(runs) != 1 || runs[0].Trigger != waybill.TriggerSchedule {
		t.Errorf("runs = %+v, want one", runs)
	}
	cancel()
	if err := <-stopped; err != nil {
		t.Errorf("Schedule: %v", err)
	}
}
