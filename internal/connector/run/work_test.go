package run

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestRunToTheEnd(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.runner.program = printing("{\"sku\":\"1\"}\n", "warned\n", 0)
	r := f.start()
	f.handle(r.ID, "done")
	got := f.run(r.ID)
	zero := 0
	want := r
	want.State, want.Class, want.ExitCode = waybill.RunSucceeded, waybill.ClassOK, &zero
	want.PID, want.Container, want.Started, want.Ended = 4001, "box1", f.clock.Now(), f.clock.Now().Add(2*time.Second)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("run (-want +got):\n%s", diff)
	}
	if out, errs := f.logs.text(got.Stdout), f.logs.text(got.Stderr); out != "{\"sku\":\"1\"}\n" || errs != "warned\n" {
		t.Errorf("logs are %q and %q", out, errs)
	}
	if diff := cmp.Diff([]string{"run.start", "run.running", "run.ended"}, f.history("run:"+r.ID)); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if names := f.runner.names(); len(names) != 0 {
		t.Errorf("containers left: %v", names)
	}
	if heard := <-f.ended; heard.ID != r.ID || heard.State != waybill.RunSucceeded {
		t.Errorf("the observer heard of %+v", heard)
	}
	f.handle(r.ID, "done") // once more changes nothing
	if diff := cmp.Diff(got, f.run(r.ID)); diff != "" {
		t.Errorf("changed by a second handling:\n%s", diff)
	}
}

func TestRunThatCannotStart(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err    error
		result string
		state  waybill.RunState
		class  waybill.ExitClass
	}{
		"no program":  {waybill.Errorf(waybill.Invalid, "the image cannot run /bin/feed"), "done", waybill.RunFailed, waybill.ClassConnector},
		"no image":    {waybill.Errorf(waybill.NotFound, "the engine has no image"), "done", waybill.RunFailed, waybill.ClassPlatform},
		"engine away": {waybill.Errorf(waybill.Unavailable, "away"), "snooze", waybill.RunQueued, ""},
		"engine ill":  {waybill.Errorf(waybill.Internal, "no bridge"), "done", waybill.RunFailed, waybill.ClassPlatform},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.runner.startErr = test.err
			r := f.start()
			f.handle(r.ID, test.result)
			got := f.run(r.ID)
			if got.State != test.state || got.Class != test.class || got.ExitCode != nil {
				t.Errorf("run = %+v, want %s, %s", got, test.state, test.class)
			}
			if got.State.Final() && !strings.HasPrefix(got.Reason, test.err.Error()) {
				t.Errorf("reason %q does not say %q", got.Reason, test.err)
			}
			f.runner.startErr = nil
			f.runner.program = printing("", "", 0)
			f.handle(r.ID, "done")
			if test.result == "snooze" && f.run(r.ID).State != waybill.RunSucceeded {
				t.Errorf("run = %+v after the engine came back", f.run(r.ID))
			}
		})
	}
}

func TestRunWhoseValuesWereTakenAway(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := f.start()
	f.assign(waybill.Assignment{})
	f.handle(r.ID, "done")
	if got := f.run(r.ID); got.State != waybill.RunFailed || got.Class != waybill.ClassUser || !strings.Contains(got.Reason, "base_url") {
		t.Errorf("run = %+v, want it to name base_url", got)
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *waybill.Connector) { c.Run.Retries = 2 })
	f.runner.program = printing("", "", 80)
	f.start()
	for i := range 3 {
		runs := f.runs()
		if len(runs) != i+1 {
			t.Fatalf("%d runs, want %d", len(runs), i+1)
		}
		last := runs[i]
		if last.Attempt != i+1 || last.Trigger != waybill.TriggerManual || last.Actor != "ada" {
			t.Errorf("try %d = %+v", i+1, last)
		}
		f.handle(last.ID, "done")
	}
	runs := f.runs()
	if len(runs) != 3 {
		t.Fatalf("%d runs, want three tries", len(runs))
	}
	wants := []string{"(retry 1 of 2)", "(retry 2 of 2)", "exit code 80: the remote system failed"}
	for i, r := range runs {
		if r.State != waybill.RunFailed || !strings.HasSuffix(r.Reason, wants[i]) {
			t.Errorf("try %d = %s %q, want failed, %q", i+1, r.State, r.Reason, wants[i])
		}
	}
	if !strings.Contains(runs[0].Reason, runs[1].ID) {
		t.Errorf("reason %q does not name the next try %s", runs[0].Reason, runs[1].ID)
	}
}

func TestNoRetryOfTheUsersMistake(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *waybill.Connector) { c.Run.Retries = 2 })
	f.runner.program = printing("", "", 64)
	f.handle(f.start().ID, "done")
	if runs := f.runs(); len(runs) != 1 || runs[0].Class != waybill.ClassUser {
		t.Errorf("runs = %+v, want one", runs)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	ada := waybill.Actor{Name: "ada", Channel: waybill.ChannelAPI}
	t.Run("running", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t)
		r := f.start()
		wait := f.handling(t.Context(), r.ID)
		f.reached(r.ID, waybill.RunRunning)
		for range 2 {
			if err := f.Cancel(t.Context(), r.ID, ada); err != nil {
				t.Fatal(err)
			}
		}
		if result := wait(); result.String() != "done" {
			t.Fatalf("Handle = %s: %v", result, result.Err())
		}
		got := f.run(r.ID)
		if got.State != waybill.RunCancelled || got.Reason != "cancelled" || *got.ExitCode != 143 {
			t.Errorf("run = %+v", got)
		}
		want := []string{"run.start", "run.running", "run.cancel", "run.ended"}
		if diff := cmp.Diff(want, f.history("run:"+r.ID)); diff != "" {
			t.Errorf("history (-want +got):\n%s", diff)
		}
		if err := f.Cancel(t.Context(), r.ID, ada); err != nil || f.run(r.ID).State != waybill.RunCancelled {
			t.Errorf("Cancel after the end: %v, %+v", err, f.run(r.ID))
		}
	})
	t.Run("queued", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t)
		r := f.start()
		if err := f.Cancel(t.Context(), r.ID, ada); err != nil {
			t.Fatal(err)
		}
		f.handle(r.ID, "done")
		if got := f.run(r.ID); got.State != waybill.RunCancelled || len(f.runner.started) != 0 {
			t.Errorf("run = %+v, started %v", got, f.runner.started)
		}
	})
	t.Run("while nobody watches", func(t *testing.T) {
		t.Parallel()
		f := newFixture(t)
		r := f.crashed(t)
		if err := f.Cancel(t.Context(), r.ID, ada); err != nil {
			t.Fatal(err)
		}
		f.Engine = f.restarted(f.DB)
		f.handle(r.ID, "done")
		if got := f.run(r.ID); got.State != waybill.RunCancelled {
			t.Errorf("run = %+v", got)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		t.Parallel()
		if err := newFixture(t).Cancel(t.Context(), "nope", ada); !waybill.IsCode(err, waybill.NotFound) {
			t.Errorf("Cancel: %v, want not found", err)
		}
	})
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *waybill.Connector) { c.Run.Timeout = time.Millisecond })
	r := f.start()
	f.runner.program = func(b *box) { b.out = "half"; f.clock.Add(time.Second) }
	f.handle(r.ID, "done")
	got := f.run(r.ID)
	if got.State != waybill.RunTimedOut || got.Class != waybill.ClassTimeout || got.Reason != "it did not end within 1ms" {
		t.Errorf("run = %+v", got)
	}
	if out := f.logs.text(r.Stdout); out != "half" {
		t.Errorf("log = %q", out)
	}
}

func TestTooMuchOutput(t *testing.T) {
	t.Parallel()
	for _, stderr := range []bool{false, true} {
		f := newFixture(t)
		r := f.start()
		f.runner.program = func(b *box) {
			b.out = strings.Repeat("x", 100) // exactly what is allowed
			if stderr {
				b.errs = b.out + "!"
			} else {
				b.out += "!"
			}
		}
		f.handle(r.ID, "done")
		got := f.run(r.ID)
		if got.State != waybill.RunFailed || got.Class != waybill.ClassConnector || !strings.Contains(got.Reason, "more than 100 bytes") {
			t.Errorf("run = %+v", got)
		}
		if out := f.logs.text(r.Stdout); len(out) != 100 {
			t.Errorf("%d bytes were kept, want 100", len(out))
		}
	}
	f := newFixture(t)
	f.runner.program = printing(strings.Repeat("x", 100), strings.Repeat("y", 100), 0)
	r := f.start()
	f.handle(r.ID, "done")
	if got := f.run(r.ID); got.State != waybill.RunSucceeded {
		t.Errorf("output of the allowed size: %+v", got)
	}
}

// crashed returns a run whose container runs and whose server is gone.
func (f *fixture) crashed(t *testing.T) waybill.Run {
	t.Helper()
	r := f.start()
	ctx, kill := context.WithCancelCause(t.Context())
	wait := f.handling(ctx, r.ID)
	f.reached(r.ID, waybill.RunRunning)
	kill(errors.New("killed"))
	if result := wait(); result.String() != "retry" {
		t.Fatalf("Handle = %s: %v", result, result.Err())
	}
	return r
}

func TestAdoption(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		meanwhile func(f *fixture, b *box)
		state     waybill.RunState
		reason    string
	}{
		"ended meanwhile": {func(f *fixture, b *box) { b.out += "second\n"; b.end(0, f.clock.Now()) }, waybill.RunSucceeded, ""},
		"failed meanwhile": {
			func(f *fixture, b *box) { b.out += "second\n"; b.end(3, f.clock.Now()) }, waybill.RunFailed, "exit code 3",
		},
		"overdue": {
			func(f *fixture, b *box) { b.out += "second\n"; f.clock.Add(2 * time.Hour) }, waybill.RunTimedOut, "it did not end within 1h",
		},
		"ended in time, found later": {
			func(f *fixture, b *box) { b.out += "second\n"; b.end(0, f.clock.Now()); f.clock.Add(2 * time.Hour) },
			waybill.RunSucceeded, "",
		},
		"vanished": {
			func(f *fixture, b *box) { f.runner.remove(b.ID) },
			waybill.RunLost, "its container vanished before the program ended",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.runner.program = func(b *box) { b.out = "first\n" }
			r := f.crashed(t)
			test.meanwhile(f, f.runner.box(r))
			f.Engine = f.restarted(f.DB)
			f.handle(r.ID, "done")
			got := f.run(r.ID)
			if got.State != test.state || got.Reason != test.reason {
				t.Errorf("run = %s %q, want %s %q", got.State, got.Reason, test.state, test.reason)
			}
			if len(f.runner.started) != 1 {
				t.Errorf("started %v, want one container", f.runner.started)
			}
			if out := f.logs.text(r.Stdout); test.state != waybill.RunLost && out != "first\nsecond\n" {
				t.Errorf("log = %q, want each line once", out)
			}
			if names := f.runner.names(); len(names) != 0 {
				t.Errorf("containers left: %v", names)
			}
		})
	}
}

// TestCrashAtEveryWrite kills the server before and after each transaction of a run and expects the same end.
func TestCrashAtEveryWrite(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"run.running", "run.ended"} {
		for _, before := range []bool{true, false} {
			t.Run(point, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t)
				f.runner.program = printing("row\n", "", 3)
				r := f.start()
				ctx, kill := context.WithCancel(t.Context())
				reached := f.at(point, func(commit func() error) error {
					defer kill()
					if before {
						return errors.New("killed")
					}
					return errors.Join(commit(), errors.New("killed"))
				})
				result := f.handling(ctx, r.ID)()
				if !reached() || result.String() != "retry" {
					t.Fatalf("%s was reached: %v; Handle = %s", point, reached(), result)
				}
				f.Engine = f.restarted(f.DB)
				f.handle(r.ID, "done")
				got := f.run(r.ID)
				if got.State != waybill.RunFailed || got.Reason != "exit code 3" || len(f.runner.started) != 1 {
					t.Errorf("run = %+v, started %v", got, f.runner.started)
				}
				want := []string{"run.start", "run.running", "run.ended"}
				if diff := cmp.Diff(want, f.history("run:"+r.ID)); diff != "" {
					t.Errorf("history (-want +got):\n%s", diff)
				}
				if names := f.runner.names(); len(names) != 0 {
					t.Errorf("containers left: %v", names)
				}
			})
		}
	}
}

func TestEngineGoesAwayWhileRunning(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := f.crashed(t)
	f.runner.waitErr = waybill.Errorf(waybill.Unavailable, "away")
	f.handle(r.ID, "snooze")
	if got := f.run(r.ID); got.State != waybill.RunRunning {
		t.Errorf("run = %+v", got)
	}
}

func TestLogsThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.logs.err = waybill.Errorf(waybill.Unavailable, "no space")
	r := f.start()
	f.handle(r.ID, "snooze")
	f.logs.err = nil
	f.runner.box(r).end(0, f.clock.Now())
	f.handle(r.ID, "done")
	if got := f.run(r.ID); got.State != waybill.RunSucceeded || len(f.runner.started) != 1 {
		t.Errorf("run = %+v, started %v", got, f.runner.started)
	}
}

func TestUnknownRunIsDiscarded(t *testing.T) {
	t.Parallel()
	newFixture(t).handle("nope", "discard")
}
