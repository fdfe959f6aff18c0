package run

import (
	"context"
	"fmt"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// verdict says how a run ended.
type verdict struct {
	state  waybill.RunState
	class  waybill.ExitClass
	code   *int // nil when the program did not end by itself or by a signal
	reason string
	ended  time.Time // zero: now
	// mayAgain says that the same run may succeed another time.
	mayAgain bool
}

// limits are what a reason names.
type limits struct {
	timeout time.Duration
	memory  int64
	output  int64
}

// conclude says how r ended from what was seen of its container. Any err but NotFound and Invalid has no verdict.
func conclude(r waybill.Run, exit runner.Exit, asked cause, err error, l limits) (v verdict, ok bool) {
	switch waybill.CodeOf(err) {
	case "":
	case waybill.NotFound:
		return verdict{
			state: waybill.RunLost, class: waybill.ClassPlatform, reason: "its container vanished before the program ended",
		}, true
	case waybill.Invalid:
		return verdict{state: waybill.RunFailed, class: waybill.ClassConnector, reason: err.Error(), ended: exit.Ended}, true
	default:
		return verdict{}, false
	}
	v = verdict{code: &exit.Code, ended: exit.Ended}
	late := asked == byTimeout && (l.timeout <= 0 || !exit.Ended.Before(r.Started.Add(l.timeout)))
	switch {
	case asked == byCancel:
		v.state, v.class, v.reason = waybill.RunCancelled, waybill.ClassOK, "cancelled"
	case late:
		v.state, v.class = waybill.RunTimedOut, waybill.ClassTimeout
		v.reason = fmt.Sprintf("it did not end within %s", shortDuration(l.timeout))
	case asked == byOutput:
		v.state, v.class = waybill.RunFailed, waybill.ClassConnector
		v.reason = fmt.Sprintf("it printed more than %s; the rest is not kept", size(l.output))
	case exit.Code == 0:
		v.state, v.class = waybill.RunSucceeded, waybill.ClassOK
	default:
		v.state, v.class = waybill.RunFailed, waybill.ClassOf(exit.Code, exit.OutOfMemory, false)
		v.reason = blame(exit.Code, v.class, l)
		v.mayAgain = v.class == waybill.ClassRemote || v.class == waybill.ClassConnector
	}
	return v, true
}

// blame says what an exit code means.
func blame(code int, class waybill.ExitClass, l limits) string {
	switch class {
	case waybill.ClassMemory:
		return fmt.Sprintf("it needed more than %s of memory", size(l.memory))
	case waybill.ClassTimeout:
		return fmt.Sprintf("exit code %d: the program gave up waiting", code)
	case waybill.ClassUser:
		return fmt.Sprintf("exit code %d: the input cannot be used", code)
	case waybill.ClassRemote:
		return fmt.Sprintf("exit code %d: the remote system failed", code)
	default:
		return fmt.Sprintf("exit code %d", code)
	}
}

// notStarted says how a run ends whose container could not be started; not at all while trying again may help.
// invalid is whose fault it is when the engine, or we, cannot make sense of what we were given.
func notStarted(err error, invalid waybill.ExitClass) (v verdict, ok bool) {
	v = verdict{state: waybill.RunFailed, class: waybill.ClassPlatform, reason: err.Error()}
	switch waybill.CodeOf(err) {
	case waybill.Unavailable, waybill.Limited:
		return verdict{}, false
	case waybill.NotFound:
		v.reason += "; push its commit again to rebuild it"
	case waybill.Invalid:
		v.class = invalid
	default: // the engine or we ourselves: nothing that the connector could mend
	}
	return v, true
}

// end records the end of r and what follows from it: another try, the next run in the queue of its place, the measure.
func (e *Engine) end(ctx context.Context, item queue.Item, r waybill.Run, retries int, v verdict) (waybill.Run, error) {
	var next waybill.Run
	err := e.DB.Write(ctx, "run.ended", func(tx *store.Tx) error {
		if err := item.Fence(ctx, tx); err != nil {
			return err
		}
		next = r
		if err := next.Move(v.state, e.Now()); err != nil {
			return err
		}
		next.Class, next.ExitCode, next.Reason = v.class, v.code, v.reason
		if v.ended.After(next.Started) {
			next.Ended = v.ended
		}
		site, err := connectorstore.Site(ctx, tx, r.Site)
		if err != nil {
			return err
		}
		if v.mayAgain && r.Attempt <= retries {
			if err := e.again(ctx, tx, &next, site.Owner, retries); err != nil {
				return err
			}
		}
		if err := connectorstore.SaveRun(ctx, tx, next, r.State); err != nil {
			return err
		}
		if err := record(ctx, tx, next, system(), "run.ended", string(r.State), next.Reason); err != nil {
			return err
		}
		announce(tx, next)
		tx.After(func() { e.Observer.Ended(next) })
		return e.wakeNext(ctx, tx, next)
	})
	return next, err
}

// Pauses before another try.
const (
	firstPause = 10 * time.Second
	maxPause   = 5 * time.Minute
	maxDouble  = 6
)

// again queues another try of a failed run and says so in its reason.
func (e *Engine) again(ctx context.Context, tx *store.Tx, failed *waybill.Run, owner string, retries int) error {
	try := waybill.Run{
		Connector: failed.Connector, Major: failed.Major, Site: failed.Site, Environment: failed.Environment,
		Release: failed.Release, Commit: failed.Commit, Image: failed.Image,
		Trigger: failed.Trigger, Attempt: failed.Attempt + 1, Actor: failed.Actor, Values: failed.Values,
	}
	try, err := e.insert(ctx, tx, try, owner, system())
	failed.Reason += fmt.Sprintf("; run %s tries again (retry %d of %d)", try.ID, failed.Attempt, retries)
	return err
}

// wakeNext wakes the oldest run that waits for r to end.
func (e *Engine) wakeNext(ctx context.Context, tx *store.Tx, r waybill.Run) error {
	waiting, err := inProgress(ctx, tx, r.Connector, r.Major, r.Site)
	if err != nil || len(waiting) == 0 || waiting[0].State != waybill.RunQueued {
		return err
	}
	return e.wake(ctx, tx, waiting[0], due(waiting[0]))
}

// due returns when a queued run may start: at once, or after a pause when it tries again.
func due(r waybill.Run) time.Time {
	if r.Attempt <= 1 {
		return r.Created
	}
	return r.Created.Add(min(maxPause, firstPause<<min(maxDouble, r.Attempt-2)))
}

// size writes bytes in the largest unit that gives a whole number.
func size(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB"}
	i := 0
	for i < len(units)-1 && n >= 1024 && n%1024 == 0 {
		n /= 1024
		i++
	}
	return fmt.Sprintf("%d %s", n, units[i])
}

// shortDuration writes 5m0s as 5m.
func shortDuration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if n := len(s) - len(zero); n > 0 && s[n:] == zero {
			s = s[:n+1]
		}
	}
	return s
}
