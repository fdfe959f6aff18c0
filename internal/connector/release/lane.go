package release

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Handle works on the open releases of one lane; it is the queue's handler for Kind.
func (e *Engine) Handle(ctx context.Context, item queue.Item) queue.Result {
	key, place, _ := strings.Cut(item.Key, " ")
	id, env, err := parseLane(key)
	if err != nil {
		return queue.Discard(err)
	}
	open, err := e.lane(ctx, id, env, place)
	if err != nil {
		return queue.Retry(err)
	}
	if env == waybill.Try {
		if err := e.try(ctx, item, open); err != nil {
			return verdict(err)
		}
		return queue.Done()
	}
	sequence(open, env)
	for i := range open {
		j := &job{item: item, release: open[i]}
		var err error
		if newest := open[len(open)-1]; env == waybill.Dev && j.release.ID != newest.ID && !deploying(j.release) {
			err = e.supersede(ctx, j, newest.Commit)
		} else {
			err = e.work(ctx, j)
		}
		if err != nil {
			return verdict(err)
		}
	}
	return queue.Done()
}

// sequence orders the releases of a lane: dev by age, so that the newest wins; prod by version, highest first, so that
// of several tags in one push only the highest goes live.
func sequence(open []waybill.Release, env waybill.Environment) {
	if env != waybill.Prod {
		return
	}
	slices.SortStableFunc(open, func(a, b waybill.Release) int { return compareSemver(b.Semver, a.Semver) })
}

// compareSemver orders versions; what is no version sorts first.
func compareSemver(a, b string) int {
	va, errA := semver.NewVersion(a)
	vb, errB := semver.NewVersion(b)
	switch {
	case errA != nil && errB != nil:
		return 0
	case errA != nil:
		return -1
	case errB != nil:
		return 1
	}
	return va.Compare(vb)
}

// deploying reports whether r has begun to change its environment and must be finished, even when a newer one waits.
func deploying(r waybill.Release) bool {
	st, ok := r.Step(waybill.StepDev)
	return ok && st.Outcome == waybill.Running
}

// work runs the steps of a release that have not ended.
func (e *Engine) work(ctx context.Context, j *job) error {
	ctx, stop := e.watch(ctx, j)
	defer stop()
	steps := map[waybill.Step]func(context.Context, *job) error{
		waybill.StepBuild: e.build, waybill.StepRuntime: e.register, waybill.StepDev: e.dev, waybill.StepProd: e.prod,
	}
	if j.release.Environment == waybill.Prod {
		if err := e.awaitDev(ctx, j); err != nil {
			step, _ := firstOpen(j.release)
			return e.settle(ctx, j, step, err)
		}
		steps[waybill.StepDev] = e.ranOnDev
	}
	for _, step := range waybill.StepsTo(j.release.Environment) {
		if st, _ := j.release.Step(step); st.Outcome.Final() {
			continue
		}
		if err := steps[step](ctx, j); err != nil {
			return e.settle(ctx, j, step, err)
		}
		if j.release.Outcome.Final() {
			return nil
		}
	}
	return nil
}

// settle ends the release when the error will not go away by trying again.
func (e *Engine) settle(ctx context.Context, j *job, step waybill.Step, err error) error {
	var needless needlessError
	if errors.As(context.Cause(ctx), &needless) {
		return e.giveUp(context.WithoutCancel(ctx), j, needless.why)
	}
	var newer supersededError
	if asSuperseded(ctx, err, &newer) && !deploying(j.release) {
		return e.supersede(context.WithoutCancel(ctx), j, newer.commit)
	}
	var wait waitError
	if ctx.Err() != nil || errors.As(err, &wait) {
		return err
	}
	switch waybill.CodeOf(err) {
	case waybill.Invalid, waybill.Denied, waybill.TooLarge:
		return e.end(ctx, j, outcome{step, waybill.Failed, err.Error()})
	case waybill.Unavailable, waybill.Limited, waybill.Conflict:
		if j.item.Attempt < maxAttempts {
			return e.hold(ctx, j, step, err)
		}
	default:
	}
	e.Log.ErrorContext(ctx, "release step failed", "component", "release", "connector", j.release.Declaration.Identity.String(),
		"step", string(step), "commit", j.release.Commit, "error", err)
	return e.end(ctx, j, outcome{step, waybill.Errored, err.Error()})
}

// hold says on the commit why a step has to be tried again, and asks for that. The words do not change from one attempt
// to the next.
func (e *Engine) hold(ctx context.Context, j *job, step waybill.Step, cause error) error {
	st, _ := j.release.Step(step)
	err := e.record(ctx, j, "release."+string(step)+".hold", outcome{step, st.Outcome, "ours, trying again: " + cause.Error()})
	if err != nil {
		e.Log.WarnContext(ctx, "reason of a retry not recorded", "component", "release", "error", err)
	}
	return cause
}

// maxAttempts is how often a step meets a passing fault before the commit is told: about three hours.
const maxAttempts = 20

// supersede ends a release that a newer commit has overtaken. Its check stays valid and says so.
func (e *Engine) supersede(ctx context.Context, j *job, by string) error {
	step, ok := firstOpen(j.release)
	if !ok {
		return nil
	}
	detail := "superseded by " + waybill.ShortCommit(by)
	return e.end(ctx, j, outcome{step, waybill.Superseded, detail}, func(tx *store.Tx) error {
		c, err := gitstore.Check(ctx, tx, j.release.Check)
		if waybill.IsCode(err, waybill.NotFound) {
			return nil // nothing is left to say it
		}
		if err != nil {
			return err
		}
		c.Summary = "valid; not deployed, " + detail
		return gitstore.PutCheck(ctx, tx, c)
	})
}

func firstOpen(r waybill.Release) (waybill.Step, bool) {
	for _, st := range r.Steps {
		if !st.Outcome.Final() {
			return st.Step, true
		}
	}
	return "", false
}

// verdict maps what stopped the work on a lane to what the queue does with it.
func verdict(err error) queue.Result {
	var wait waitError
	if errors.As(err, &wait) {
		return queue.Snooze(wait.after, wait.reason)
	}
	return queue.Retry(err)
}
