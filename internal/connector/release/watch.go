package release

import (
	"context"
	"errors"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// supersededError is the cause with which work on an overtaken release is cancelled.
type supersededError struct{ commit string }

func (e supersededError) Error() string { return "superseded by " + waybill.ShortCommit(e.commit) }

// asSuperseded finds a supersededError in err or in the reason why ctx ended.
func asSuperseded(ctx context.Context, err error, target *supersededError) bool {
	return errors.As(err, target) || errors.As(context.Cause(ctx), target)
}

// waitError asks for a later look without spending an attempt.
type waitError struct {
	after  time.Duration
	reason string
}

func (e waitError) Error() string { return e.reason }

// needlessError is the cause with which the build of a pull request is cancelled.
type needlessError struct{ why string }

func (e needlessError) Error() string { return e.why }

// watch cancels the returned context as soon as a newer dev release enters the lane, or a pull request does not need its
// build any more. stop ends the watching.
func (e *Engine) watch(ctx context.Context, j *job) (watched context.Context, stop func()) {
	if j.release.Environment == waybill.Prod {
		return ctx, func() {}
	}
	r := j.release
	ctx, cancel := context.WithCancelCause(ctx)
	wake, unsubscribe := e.DB.Subscribe(laneTopic(laneOf(r)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if err := e.overtaken(ctx, r); err != nil {
				cancel(err)
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-wake:
			}
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-done
		unsubscribe()
	}
}

// overtaken returns a supersededError when the lane holds a newer release than r, and a needlessError when its pull
// request has moved on.
func (e *Engine) overtaken(ctx context.Context, r waybill.Release) error {
	if r.Environment == waybill.Try {
		why, err := e.unwanted(ctx, r)
		if err != nil || why == "" {
			return nil //nolint:nilerr // as below
		}
		return needlessError{why}
	}
	open, err := connectorstore.Lane(ctx, e.DB.Query(), r.Declaration.Name, r.Declaration.Major, r.Environment)
	if err != nil || len(open) == 0 {
		return nil //nolint:nilerr // the next wake looks again; the transactions of the steps do not depend on it
	}
	if newest := open[len(open)-1]; newest.ID > r.ID {
		return supersededError{newest.Commit}
	}
	return nil
}

// awaitPause is how soon a tag looks again whether the refs that were pushed with it have been looked at.
const awaitPause = 200 * time.Millisecond

// awaitDev makes a tag wait for what was pushed with it: while other tags or the dev branch have not been looked at, and
// while the dev release of the same commit is open. The end of that release wakes the lane. A ref that was tried in vain,
// and is tried again later, keeps nobody waiting.
func (e *Engine) awaitDev(ctx context.Context, j *job) error {
	r := j.release
	repository, err := e.repository(ctx, r)
	if err != nil {
		return err
	}
	branch := "refs/heads/" + r.Declaration.DevBranch(repository.DefaultBranch)
	busy, err := queue.Untried(ctx, e.DB.Query(), "ref", r.Repository+" "+branch)
	if err != nil {
		return err
	}
	if busy {
		return waitError{awaitPause, "waiting for " + waybill.ShortRef(branch)}
	}
	busy, err = queue.UntriedBelow(ctx, e.DB.Query(), "ref", r.Repository+" refs/tags/", r.Repository+" "+r.Ref)
	if err != nil {
		return err
	}
	if busy {
		return waitError{awaitPause, "waiting for other tags"}
	}
	open, err := connectorstore.Lane(ctx, e.DB.Query(), r.Declaration.Name, r.Declaration.Major, waybill.Dev)
	if err != nil {
		return err
	}
	for _, dev := range open {
		if dev.Commit == r.Commit {
			return waitError{15 * time.Second, "waiting for dev"}
		}
	}
	return nil
}
