package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// start runs a queue until the test ends or stop is called.
func start(t *testing.T, q *queue.Queue) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := q.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

func enqueue(t *testing.T, db *store.DB, e queue.Entry) {
	t.Helper()
	if err := db.Write(t.Context(), "test.enqueue", func(tx *store.Tx) error {
		_, err := queue.Enqueue(t.Context(), tx, e)
		return err
	}); err != nil {
		t.Error(err)
	}
}

// idle waits until nothing is wanted that is not done.
func idle(t *testing.T, db *store.DB) {
	t.Helper()
	eventually(t, "the queue is empty", func() bool {
		levels, err := queue.Depth(t.Context(), db.Query(), now())
		wantCode(t, err, "")
		for _, l := range levels {
			if l.State != "discarded" {
				return false
			}
		}
		return true
	})
}

// level returns how much work of kind x is in a state.
func level(t *testing.T, db *store.DB, state string) int {
	t.Helper()
	levels, err := queue.Depth(t.Context(), db.Query(), now())
	wantCode(t, err, "")
	for _, l := range levels {
		if l.Kind == "x" && l.State == state {
			return l.Count
		}
	}
	return 0
}

// slow has a poll and a lease that no test waits for.
func slow(owner string) queue.Options {
	return queue.Options{Owner: owner, Poll: time.Hour, Lease: time.Hour, Drain: time.Minute}
}

// fencing: a worker whose lease was taken is told, and cannot write.
func fencing(t *testing.T, db *store.DB) {
	enqueue(t, db, queue.Entry{Kind: "x", Key: "k"})
	begun, verdict := make(chan struct{}), make(chan error, 2)
	options := slow("first")
	options.Lease = 600 * time.Millisecond
	first := queue.New(db, options)
	first.Handle("x", 1, 0, func(ctx context.Context, i queue.Item) queue.Result {
		write := func() error {
			return db.Write(t.Context(), "test.fenced", func(tx *store.Tx) error { return i.Fence(t.Context(), tx) })
		}
		if err := write(); err != nil {
			t.Errorf("while the lease is ours: %v", err)
		}
		close(begun)
		<-ctx.Done()
		verdict <- context.Cause(ctx)
		verdict <- write()
		return queue.Done()
	})
	start(t, first)
	<-begun
	thief := slow("second") // its clock is ahead, so that it takes the lease for expired
	thief.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	second := queue.New(db, thief)
	hold, held := make(chan struct{}), make(chan int, 1)
	second.Handle("x", 1, 0, func(_ context.Context, i queue.Item) queue.Result {
		held <- i.Attempt
		<-hold
		return queue.Done()
	})
	start(t, second)
	wantGot(t, 2, <-held, nil)
	wantCode(t, <-verdict, waybill.Conflict)
	wantCode(t, <-verdict, waybill.Conflict)
	if pending, err := queue.Pending(t.Context(), db.Query(), "x", "k"); !pending || err != nil {
		t.Errorf("the late worker ended the work of the other: %v, %v", pending, err)
	}
	close(hold)
	idle(t, db)
}

// heartbeat: as long as the worker lives, its lease goes on.
func heartbeat(t *testing.T, db *store.DB) {
	enqueue(t, db, queue.Entry{Kind: "x", Key: "k"})
	options := slow("first")
	options.Lease, options.Poll = 2*time.Second, 100*time.Millisecond
	begun := make(chan string, 10)
	for _, owner := range []string{"first", "second"} {
		options.Owner = owner
		q := queue.New(db, options)
		q.Handle("x", 1, 0, func(ctx context.Context, _ queue.Item) queue.Result {
			begun <- owner
			enough := time.NewTimer(2 * options.Lease)
			defer enough.Stop()
			select {
			case <-enough.C:
			case <-ctx.Done():
				t.Errorf("cancelled: %v", context.Cause(ctx))
			}
			return queue.Done()
		})
		start(t, q)
	}
	<-begun
	idle(t, db)
	if len(begun) != 0 {
		t.Errorf("it ran again, by %s", <-begun)
	}
}

// outcomes: what each result leaves behind, and a panic.
func outcomes(t *testing.T, db *store.DB) {
	results := map[string]queue.Result{
		"done": queue.Done(), "zero": {}, "retry": queue.Retry(errors.New("away")),
		"snooze": queue.Snooze(time.Hour, "limited"), "discard": queue.Discard(waybill.Errorf(waybill.Invalid, "wrong")),
	}
	var mu sync.Mutex
	observed := map[string]int{}
	options := slow("o")
	options.Observe.Finished = func(kind, result string, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		observed[kind+" "+result]++
	}
	q := queue.New(db, options)
	q.Handle("x", 2, 0, func(_ context.Context, i queue.Item) queue.Result {
		if i.Key == "panic" {
			panic("oh")
		}
		return results[i.Key]
	})
	for _, key := range []string{"done", "zero", "retry", "snooze", "discard", "panic"} {
		enqueue(t, db, queue.Entry{Kind: "x", Key: key, Tenant: "t"})
	}
	stop := start(t, q)
	eventually(t, "each had its turn", func() bool {
		return level(t, db, "discarded") == 2 && level(t, db, "scheduled")+level(t, db, "ready") >= 2 && level(t, db, "running") == 0
	})
	stop()
	for key, want := range map[string]bool{"done": false, "zero": false, "retry": true, "snooze": true, "discard": false, "panic": false} {
		pending, err := queue.Pending(t.Context(), db.Query(), "x", key)
		if pending != want || err != nil {
			t.Errorf("%s pending %v, %v", key, pending, err)
		}
	}
	for prefix, want := range map[string]bool{"sno": true, "retry": false, "discard": false, "": true} {
		below, err := queue.UntriedBelow(t.Context(), db.Query(), "x", prefix, "")
		wantGot(t, want, below, err)
	}
	others, err := queue.UntriedBelow(t.Context(), db.Query(), "x", "s", "snooze")
	wantGot(t, false, others, err)
	if observed["x done"] != 2 || observed["x snooze"] != 1 || observed["x discard"] != 2 || observed["x retry"] < 1 {
		t.Errorf("observed %v", observed)
	}
	dead, err := queue.Discarded(t.Context(), db.Query())
	wantCode(t, err, "")
	errs := map[string]string{}
	for _, d := range dead {
		errs[d.Key] = d.Error
	}
	wantGot(t, map[string]string{"discard": "wrong", "panic": "the handler panicked: oh"}, errs, nil)
	requeue := func(key string) error {
		return db.Write(t.Context(), "test.requeue", func(tx *store.Tx) error { return queue.Requeue(t.Context(), tx, "x", key) })
	}
	wantCode(t, requeue("panic"), "")
	wantCode(t, requeue("panic"), waybill.NotFound)
	enqueue(t, db, queue.Entry{Kind: "x", Key: "discard"})
	if n := level(t, db, "discarded"); n != 0 {
		t.Errorf("%d are still discarded", n)
	}
	write(t, db, func(tx *store.Tx) error {
		n, err := queue.Prune(t.Context(), tx, now().Add(time.Hour))
		wantGot(t, int64(2), n, err)
		return nil
	})
}

// retries: attempts count up, except those that were snoozed, and a new wish begins at once with the first.
func retries(t *testing.T, db *store.DB) {
	seen := make(chan queue.Item, 10)
	answers := make(chan queue.Result, 10)
	q := queue.New(db, slow("o"))
	q.Handle("x", 1, 0, func(_ context.Context, i queue.Item) queue.Result {
		seen <- i
		return <-answers
	})
	start(t, q)
	turn := func(attempt int, r queue.Result) {
		t.Helper()
		i := <-seen
		if i.Attempt != attempt {
			t.Errorf("attempt %d, want %d", i.Attempt, attempt)
		}
		answers <- r
	}
	enqueue(t, db, queue.Entry{Kind: "x", Key: "k", Payload: "p", Tenant: "t"})
	turn(1, queue.Snooze(time.Millisecond, "early"))
	turn(1, queue.Retry(errors.New("away")))
	turn(2, queue.Retry(errors.New("away")))
	eventually(t, "it waits", func() bool { return level(t, db, "scheduled") == 1 })
	enqueue(t, db, queue.Entry{Kind: "x", Key: "k"})
	turn(1, queue.Done())
	idle(t, db)
}

// moved: what was wanted while the work ran runs once more, and is seen.
func moved(t *testing.T, db *store.DB) {
	var log []string
	var ran atomic.Int32
	q := queue.New(db, slow("o"))
	q.Handle("x", 3, 0, func(ctx context.Context, i queue.Item) queue.Result {
		before, err := i.Moved(ctx)
		wantCode(t, err, "")
		if i.Wanted < 3 {
			for range 2 {
				enqueue(t, db, queue.Entry{Kind: "x", Key: "k"})
			}
		}
		after, err := i.Moved(ctx)
		wantCode(t, err, "")
		log = append(log, fmt.Sprint(i.Wanted, before, after))
		ran.Add(1)
		return queue.Retry(errors.New("not yet, but wanted again"))
	})
	enqueue(t, db, queue.Entry{Kind: "x", Key: "k"})
	stop := start(t, q)
	eventually(t, "it waits", func() bool { return ran.Load() > 1 && level(t, db, "scheduled") == 1 })
	stop()
	if len(log) < 2 || log[0] != "1 false true" || log[1] != "3 false false" {
		t.Errorf("ran %q", log)
	}
}

// enqueueing: a waiting time is never made later, nor lost while the work runs.
func enqueueing(t *testing.T, db *store.DB) {
	hour := now().Add(time.Hour)
	enqueue(t, db, queue.Entry{Kind: "x", Key: "k", Due: hour})
	enqueue(t, db, queue.Entry{Kind: "x", Key: "k", Due: hour.Add(time.Hour)})
	levels, err := queue.Depth(t.Context(), db.Query(), now())
	wantGot(t, []queue.Level{{Kind: "x", State: "scheduled", Count: 1, Oldest: hour}}, levels, err)
	ran := make(chan int64, 10)
	q := queue.New(db, slow("o"))
	q.Handle("x", 1, 0, func(_ context.Context, i queue.Item) queue.Result {
		if i.Wanted == 3 {
			enqueue(t, db, queue.Entry{Kind: "x", Key: "k", Due: hour})
		}
		ran <- i.Wanted
		return queue.Done()
	})
	start(t, q)
	enqueue(t, db, queue.Entry{Kind: "x", Key: "k"})
	wantGot(t, int64(3), <-ran, nil)
	eventually(t, "it waits", func() bool { return level(t, db, "scheduled") == 1 })
	enqueue(t, db, queue.Entry{Kind: "x", Key: "k"})
	wantGot(t, int64(5), <-ran, nil)
	idle(t, db)
}

// wakeups: with no poll to help, work begins when it is enqueued, and when it is due.
func wakeups(t *testing.T, db *store.DB) {
	ran := make(chan string, 10)
	q := queue.New(db, slow("o"))
	for _, kind := range []string{"x", "y"} {
		q.Handle(kind, 1, 0, func(_ context.Context, i queue.Item) queue.Result {
			ran <- kind + i.Key
			return queue.Done()
		})
	}
	start(t, q)
	enqueue(t, db, queue.Entry{Kind: "x", Key: "1"})
	wantGot(t, "x1", <-ran, nil)
	due := time.Now().Add(100 * time.Millisecond)
	enqueue(t, db, queue.Entry{Kind: "y", Key: "2", Due: due})
	wantGot(t, "y2", <-ran, nil)
	if time.Now().Before(due) {
		t.Error("it began too early")
	}
}

// stopping: the queue ends with no lease held, and what it cancelled was not spent.
func stopping(t *testing.T, db *store.DB) {
	options := slow("o")
	options.Drain = 10 * time.Millisecond
	begun, cause := make(chan int, 1), make(chan error, 1)
	handler := func(ctx context.Context, i queue.Item) queue.Result {
		begun <- i.Attempt
		<-ctx.Done()
		cause <- context.Cause(ctx)
		return queue.Retry(context.Cause(ctx))
	}
	enqueue(t, db, queue.Entry{Kind: "x", Key: "k"})
	for range 2 {
		q := queue.New(db, options)
		q.Handle("x", 1, 0, handler)
		stop := start(t, q)
		wantGot(t, 1, <-begun, nil)
		stop()
		wantCode(t, <-cause, waybill.Unavailable)
		wantGot(t, 1, level(t, db, "ready"), nil)
	}
}

// recovering: what a dead process held is free at once.
func recovering(t *testing.T, db *store.DB) {
	enqueue(t, db, queue.Entry{Kind: "x", Key: "k"})
	write(t, db, func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE work SET claimed = wanted, attempt = 1, lease_owner = 'me/1', lease_end = $1`,
			store.Micros(now().Add(time.Hour)))
		return err
	})
	ran := make(chan int, 1)
	q := queue.New(db, slow("me"))
	q.Handle("x", 1, 0, func(_ context.Context, i queue.Item) queue.Result {
		ran <- i.Attempt
		return queue.Done()
	})
	wantGot(t, 1, level(t, db, "running"), nil)
	wantCode(t, q.Recover(t.Context()), "")
	start(t, q)
	wantGot(t, 2, <-ran, nil)
	idle(t, db)
}
