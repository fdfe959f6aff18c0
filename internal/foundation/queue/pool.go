package queue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// pool works on one kind.
type pool struct {
	q                  *Queue
	kind               string
	workers, perTenant int
	handle             Handler
	active             int
	failures           int           // looks at the database in a row that failed
	freed              chan struct{} // one for each worker that ended
	running            sync.WaitGroup
}

// run claims until ctx ends, then waits for the handlers, whose context is work. Between claims it sleeps until it is
// woken, a worker is free, the next item is due, or it is time to look anyway.
func (p *pool) run(ctx, work context.Context) {
	defer p.running.Wait()
	wake, stop := p.q.db.Subscribe(topic(p.kind))
	defer stop()
	for ctx.Err() == nil {
		timer := time.NewTimer(p.fill(ctx, work))
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		case <-p.freed:
			p.active--
		}
		timer.Stop()
	}
}

// fill gives work to the free workers and returns how long it may take until there is more to do.
func (p *pool) fill(ctx, work context.Context) time.Duration {
	wait, err := p.tryFill(ctx, work)
	if err == nil {
		p.failures = 0
		return wait
	}
	if ctx.Err() == nil {
		p.q.options.Log.WarnContext(ctx, "work could not be claimed", "component", "queue", "kind", p.kind, "error", err)
	}
	p.failures++
	return min(p.q.options.Poll, time.Second<<min(p.failures, 4))
}

func (p *pool) tryFill(ctx, work context.Context) (time.Duration, error) {
	if p.active == p.workers {
		return p.q.options.Poll, nil
	}
	now := p.q.options.Now()
	seen, err := p.q.look(ctx, p.kind, now)
	if err != nil {
		return 0, err
	}
	if seen.ready > 0 {
		items, err := p.q.claim(ctx, p.kind, seen.only(), p.workers-p.active, p.perTenant)
		if err != nil {
			return 0, err
		}
		for _, i := range items {
			p.active++
			p.running.Go(func() {
				p.work(work, i)
				p.freed <- struct{}{}
			})
		}
	}
	if seen.next.IsZero() {
		return p.q.options.Poll, nil
	}
	return max(time.Millisecond, min(p.q.options.Poll, seen.next.Sub(now))), nil
}

// work runs the handler under the lease and stores the result.
func (p *pool) work(ctx context.Context, i Item) {
	q := p.q
	began := q.options.Now()
	q.options.Observe.Claimed(p.kind, max(0, began.Sub(i.due)))
	leased, cancel := context.WithCancelCause(ctx)
	var keeper sync.WaitGroup
	keeper.Go(func() { q.keep(leased, i, cancel) })
	r := p.call(leased, i)
	cause := context.Cause(leased)
	cancel(nil)
	keeper.Wait()
	if errors.Is(cause, errStopping) && (r.outcome == retry || r.outcome == snooze) {
		r = Result{outcome: release}
	}
	q.options.Observe.Finished(p.kind, r.String(), q.options.Now().Sub(began))
	p.tell(ctx, i, r)
	q.settle(context.WithoutCancel(ctx), i, r)
}

// panics is how often a handler may panic over one item before it is discarded: the cause may pass.
const panics = 3

// call runs the handler; a panic is a failed attempt.
func (p *pool) call(ctx context.Context, i Item) (r Result) {
	defer func() {
		if v := recover(); v != nil {
			stack := fmt.Errorf("%s", debug.Stack())
			cause := waybill.Wrap(waybill.Internal, stack, fmt.Sprintf("the handler panicked: %v", v))
			if r = Retry(cause); i.Attempt >= panics {
				r = Discard(cause)
			}
		}
	}()
	if r = p.handle(ctx, i); r.outcome == "" {
		r = Done()
	}
	return r
}

// tell logs what is not done.
func (p *pool) tell(ctx context.Context, i Item, r Result) {
	log := p.q.log(i)
	cause := errors.Unwrap(r.err)
	switch r.outcome {
	case retry:
		log.WarnContext(ctx, "work will be retried", "error", r.err, "cause", cause, "code", waybill.CodeOf(r.err))
	case discard:
		log.ErrorContext(ctx, "work was discarded", "error", r.err, "cause", cause, "code", waybill.CodeOf(r.err))
	case snooze:
		log.InfoContext(ctx, "work waits", "duration_ms", r.delay.Milliseconds(), "reason", r.reason())
	default: // it is done
	}
}
