package run

import (
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestConclude(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	soon, late := begin.Add(time.Minute), begin.Add(31*time.Minute)
	for name, test := range map[string]struct {
		exit   runner.Exit
		asked  cause
		err    error
		state  waybill.RunState
		class  waybill.ExitClass
		reason string
		again  bool
	}{
		"success":         {exit: runner.Exit{Ended: soon}, state: waybill.RunSucceeded, class: waybill.ClassOK},
		"connector":       {exit: runner.Exit{Code: 3, Ended: soon}, state: waybill.RunFailed, class: waybill.ClassConnector, reason: "exit code 3", again: true},
		"user":            {exit: runner.Exit{Code: 64, Ended: soon}, state: waybill.RunFailed, class: waybill.ClassUser, reason: "exit code 64: the input cannot be used"},
		"remote":          {exit: runner.Exit{Code: 80, Ended: soon}, state: waybill.RunFailed, class: waybill.ClassRemote, reason: "exit code 80: the remote system failed", again: true},
		"own timeout":     {exit: runner.Exit{Code: 124, Ended: soon}, state: waybill.RunFailed, class: waybill.ClassTimeout, reason: "exit code 124: the program gave up waiting"},
		"memory":          {exit: runner.Exit{Code: 137, OutOfMemory: true, Ended: soon}, state: waybill.RunFailed, class: waybill.ClassMemory, reason: "it needed more than 64 MiB of memory"},
		"killed":          {exit: runner.Exit{Code: 137, Ended: soon}, state: waybill.RunFailed, class: waybill.ClassConnector, reason: "exit code 137", again: true},
		"timeout":         {exit: runner.Exit{Code: 143, Ended: late}, asked: byTimeout, state: waybill.RunTimedOut, class: waybill.ClassTimeout, reason: "it did not end within 30m"},
		"timeout, ends 0": {exit: runner.Exit{Ended: late}, asked: byTimeout, state: waybill.RunTimedOut, class: waybill.ClassTimeout, reason: "it did not end within 30m"},
		"ended in time, noticed late": {
			exit: runner.Exit{Ended: soon}, asked: byTimeout, state: waybill.RunSucceeded, class: waybill.ClassOK,
		},
		"cancelled": {exit: runner.Exit{Code: 143, Ended: soon}, asked: byCancel, state: waybill.RunCancelled, class: waybill.ClassOK, reason: "cancelled"},
		"output":    {exit: runner.Exit{Code: 137, Ended: soon}, asked: byOutput, state: waybill.RunFailed, class: waybill.ClassConnector, reason: "it printed more than 1000 bytes; the rest is not kept"},
		"lost":      {err: waybill.Errorf(waybill.NotFound, "gone"), state: waybill.RunLost, class: waybill.ClassPlatform, reason: "its container vanished before the program ended"},
		"no program": {
			err: waybill.Errorf(waybill.Invalid, "the image cannot run /x"), state: waybill.RunFailed, class: waybill.ClassConnector,
			reason: "the image cannot run /x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, ok := conclude(waybill.Run{Started: begin}, test.exit, test.asked, test.err, limits{30 * time.Minute, 64 << 20, 1000})
			if !ok || v.state != test.state || v.class != test.class || v.reason != test.reason || v.mayAgain != test.again {
				t.Errorf("conclude = %+v, %v; want %s, %s, %q, again %v", v, ok, test.state, test.class, test.reason, test.again)
			}
			if (v.code == nil) != (test.err != nil) {
				t.Errorf("exit code = %v with error %v", v.code, test.err)
			}
		})
	}
	for _, code := range []waybill.Code{waybill.Unavailable, waybill.Internal} {
		if v, ok := conclude(waybill.Run{}, runner.Exit{}, "", waybill.Errorf(code, "x"), limits{}); ok {
			t.Errorf("%s: concluded %+v from nothing", code, v)
		}
	}
}

func TestNotStarted(t *testing.T) {
	t.Parallel()
	for code, want := range map[waybill.Code]waybill.ExitClass{
		waybill.Unavailable: "", waybill.Limited: "", waybill.NotFound: waybill.ClassPlatform,
		waybill.Invalid: waybill.ClassUser, waybill.Conflict: waybill.ClassPlatform, waybill.Internal: waybill.ClassPlatform,
	} {
		v, ok := notStarted(waybill.Errorf(code, "reason"), waybill.ClassUser)
		if ok != (want != "") || v.class != want || ok && v.state != waybill.RunFailed {
			t.Errorf("%s: %+v, %v; want class %q", code, v, ok, want)
		}
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for attempt, want := range map[int]time.Duration{0: 0, 1: 0, 2: 10 * time.Second, 3: 20 * time.Second, 6: 160 * time.Second, 7: maxPause, 1000: maxPause} {
		if got := due(waybill.Run{Attempt: attempt, Created: created}).Sub(created); got != want {
			t.Errorf("attempt %d is due after %v, want %v", attempt, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 bytes", 1000: "1000 bytes", 1024: "1 KiB", 1536: "1536 bytes", 16 << 20: "16 MiB", 3 << 40: "3072 GiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		30 * time.Second: "30s", 5 * time.Minute: "5m", time.Hour: "1h", 90 * time.Minute: "1h30m", 70*time.Minute + time.Second: "1h10m1s", 10 * time.Minute: "10m",
	} {
		if got := shortDuration(d); got != want {
			t.Errorf("shortDuration(%v) = %q, want %q", d, got, want)
		}
	}
}
