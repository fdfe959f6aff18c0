package run

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestStartPinsWhatIsLive(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r, err := f.Start(t.Context(), Request{
		Connector: "shop-feed", Site: "feeds-dev", Values: map[string]string{"extra": "x"},
		By: waybill.Actor{Name: "ada", Channel: waybill.ChannelAPI},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := waybill.Run{
		ID: r.ID, Connector: "shop-feed", Major: 1, Site: "feeds-dev", Environment: waybill.Dev,
		Release: f.release.ID, Commit: f.release.Commit, Image: f.release.Image,
		Trigger: waybill.TriggerManual, Attempt: 1, Actor: "ada", Values: map[string]string{"extra": "x"},
		State: waybill.RunQueued, Stdout: "run/" + r.ID + "/stdout", Stderr: "run/" + r.ID + "/stderr", Created: f.clock.Now(),
	}
	f.goLive(1, func(c *waybill.Connector) { c.Application.Command = "/bin/newer" })
	if diff := cmp.Diff(want, f.run(r.ID)); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
	if pending, err := queue.Pending(t.Context(), f.DB.Query(), Kind, r.ID); !pending || err != nil {
		t.Errorf("work is pending: %v, %v", pending, err)
	}
	f.runner.program = printing("", "", 0)
	f.handle(r.ID, "done")
	if got := f.run(r.ID); got.State != waybill.RunSucceeded {
		t.Errorf("run = %+v", got)
	}
}

func TestStartRefusesByName(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change change
		assign *waybill.Assignment
		req    Request
		code   waybill.Code
		words  []string
	}{
		"connector":     {req: Request{Connector: "shop-fed"}, code: waybill.NotFound, words: []string{"shop-fed"}},
		"site":          {req: Request{Site: "feeds-test"}, code: waybill.NotFound, words: []string{"feeds-test"}},
		"not assigned":  {req: Request{Site: "feeds-prod"}, code: waybill.NotFound, words: []string{"shop-feed", "feeds-prod", "feeds-dev"}},
		"other major":   {req: Request{Major: 2}, code: waybill.NotFound, words: []string{"shop-feed@2"}},
		"disabled":      {assign: &waybill.Assignment{Site: "feeds-dev"}, code: waybill.Conflict, words: []string{"disabled", "feeds-dev"}},
		"nothing live":  {assign: &waybill.Assignment{Site: "feeds-prod", Enabled: true}, req: Request{Site: "feeds-prod"}, code: waybill.Conflict, words: []string{"prod", "release tag"}},
		"missing value": {assign: &waybill.Assignment{}, code: waybill.Invalid, words: []string{"base_url", "--set", "feeds-dev"}},
		"unknown value": {req: Request{Values: map[string]string{"base_ulr": "x"}}, code: waybill.Invalid, words: []string{"base_ulr"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			if test.assign != nil {
				f.assign(*test.assign)
			}
			if test.req.Connector == "" {
				test.req.Connector = "shop-feed"
			}
			if test.req.Site == "" {
				test.req.Site = "feeds-dev"
			}
			_, err := f.Start(t.Context(), test.req)
			if !waybill.IsCode(err, test.code) {
				t.Fatalf("Start: %v (%s), want %s", err, waybill.CodeOf(err), test.code)
			}
			for _, word := range test.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
			if runs := f.runs(); len(runs) != 0 {
				t.Errorf("refused, but there is %+v", runs)
			}
		})
	}
}

func TestHighestLiveMajorRuns(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	config := map[string]string{"base_url": "x"}
	f.goLive(2)
	f.assign(waybill.Assignment{Major: 2, Config: config})
	f.assign(waybill.Assignment{Major: 3, Config: config}) // nothing of it is live
	if r := f.start(); r.Major != 2 {
		t.Errorf("major %d runs, want 2", r.Major)
	}
	r, err := f.Start(t.Context(), Request{Connector: "shop-feed", Site: "feeds-dev", Major: 1})
	if err != nil || r.Major != 1 {
		t.Errorf("Start = %+v, %v; want major 1", r, err)
	}
}

func TestValuesOfFieldsThatALowerVersionLacksAreLeftOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.assign(waybill.Assignment{Config: map[string]string{"base_url": "x", "newer": "y"}})
	r := f.start()
	f.runner.program = printing("", "", 0)
	f.handle(r.ID, "done")
	if got := f.run(r.ID); got.State != waybill.RunSucceeded {
		t.Errorf("run = %+v", got)
	}
}

func TestSkip(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first := f.start()
	_, err := f.Start(t.Context(), Request{Connector: "shop-feed", Site: "feeds-dev"})
	if !waybill.IsCode(err, waybill.Conflict) || !strings.Contains(err.Error(), first.ID) {
		t.Errorf("second Start: %v, want a conflict that names %s", err, first.ID)
	}
	f.runner.program = printing("", "", 0)
	f.handle(first.ID, "done")
	f.start()
}

func TestQueue(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *waybill.Connector) { c.Run.Concurrency = "queue" })
	f.runner.program = printing("", "", 0)
	first, second := f.start(), f.start()
	f.handle(second.ID, "done")
	if got := f.run(second.ID); got.State != waybill.RunQueued {
		t.Errorf("the second run is %s before the first has ended", got.State)
	}
	f.settle(func() bool { return f.run(second.ID).State.Final() })
	if a, b := f.run(first.ID), f.run(second.ID); a.State != waybill.RunSucceeded || b.State != waybill.RunSucceeded {
		t.Errorf("runs are %s and %s", a.State, b.State)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *waybill.Connector) { c.Run.Concurrency = "replace" })
	first := f.start()
	wait := f.handling(t.Context(), first.ID)
	f.reached(first.ID, waybill.RunRunning)
	second, third := f.start(), f.start()
	wait()
	f.settle(func() bool { return f.run(third.ID).State == waybill.RunRunning })
	if a, b := f.run(first.ID), f.run(second.ID); a.State != waybill.RunCancelled || b.State != waybill.RunCancelled {
		t.Errorf("replaced runs are %s and %s", a.State, b.State)
	}
}

// settle lets a real queue work until done.
func (f *fixture) settle(done func() bool) {
	f.t.Helper()
	wake, unsubscribe := f.DB.Subscribe("connector:shop-feed")
	defer unsubscribe()
	q := queue.New(f.DB, queue.Options{Owner: "test", Now: f.clock.Now, Drain: 1})
	q.Handle(Kind, 4, 0, f.Handle)
	ctx, cancel := context.WithCancel(f.t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- q.Run(ctx) }()
	for !done() {
		<-wake
	}
	cancel()
	if err := <-stopped; err != nil {
		f.t.Error(err)
	}
}

func TestDeployed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	deploy := func(r waybill.Release) {
		f.write(func(ctx context.Context, tx *store.Tx) error { return f.Deployed(ctx, tx, r, "feeds-dev") })
	}
	deploy(f.release)
	if runs := f.runs(); len(runs) != 0 {
		t.Fatalf("nobody asked for %+v", runs)
	}
	r := f.goLive(1, func(c *waybill.Connector) { c.Run.OnDeploy = true })
	deploy(r)
	deploy(r) // refused: the first is in progress
	runs := f.runs()
	if len(runs) != 1 || runs[0].Trigger != waybill.TriggerDeploy || runs[0].Release != r.ID {
		t.Errorf("runs = %+v, want one of the new release", runs)
	}
	if diff := cmp.Diff([]string{"run.refuse"}, f.history("connector:shop-feed")); diff != "" {
		t.Errorf("history of the connector (-want +got):\n%s", diff)
	}
}
