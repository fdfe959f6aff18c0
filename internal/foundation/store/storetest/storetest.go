// Package storetest is the contract of the store and of the queue on it as tests. Both databases pass the same suite.
package storetest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Run runs the suite. open returns an empty database that is closed when the test ends.
func Run(t *testing.T, open func(t *testing.T) *store.DB) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *store.DB){
		"tx/rollback":       rollback,
		"tx/panic":          panicking,
		"tx/cancelled":      cancelled,
		"tx/serial":         serial,
		"tx/crowd":          crowd,
		"tx/after":          after,
		"tx/wake":           wakes,
		"tx/text":           text,
		"history":           history,
		"token":             tokens,
		"git/repository":    repositories,
		"git/forge":         atForge,
		"git/prune":         prune,
		"git/delivery":      deliveries,
		"git/deliveries":    deliveriesAtOnce,
		"git/pull":          pulls,
		"git/comments":      comments,
		"git/ref":           refs,
		"git/check":         checks,
		"git/status":        statuses,
		"git/outbox":        outbox,
		"git/aggregate":     aggregates,
		"git/aggregates":    aggregatesOfPulls,
		"connector/place":   places,
		"connector/release": releases,
		"connector/page":    pages,
		"connector/live":    lives,
		"connector/head":    heads,
		"connector/image":   images,
		"connector/assign":  assignments,
		"connector/run":     runs,
		"queue/interleave":  interleave,
		"queue/fence":       fencing,
		"queue/heartbeat":   heartbeat,
		"queue/fair":        fairness,
		"queue/outcome":     outcomes,
		"queue/retry":       retries,
		"queue/moved":       moved,
		"queue/wake":        wakeups,
		"queue/stop":        stopping,
		"queue/recover":     recovering,
		"queue/enqueue":     enqueueing,
		"queue/enqueueAll":  enqueueingAll,
		"queue/exclusive":   exclusive,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// now is a time that a database can hold.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func write(t *testing.T, db *store.DB, fn func(tx *store.Tx) error) {
	t.Helper()
	wantCode(t, db.Write(t.Context(), "test.write", fn), "")
}

// wantCode checks the code of err; "" wants none.
func wantCode(t *testing.T, err error, code waybill.Code) {
	t.Helper()
	if waybill.CodeOf(err) == code {
		return
	}
	t.Fatalf("error %v (%s, caused by %v), want %q", err, waybill.CodeOf(err), errors.Unwrap(err), code)
}

// wantGot compares; err must be nil.
func wantGot[T any](t *testing.T, want, got T, err error) {
	t.Helper()
	wantCode(t, err, "")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}

// together runs fn n times at once.
func together(n int, fn func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	all.Wait()
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-limit.C:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
