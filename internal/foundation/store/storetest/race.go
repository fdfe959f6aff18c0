package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
)

// interleave: whatever the order of wishes, claims and results of two processes, no key runs twice at a time, and the
// last wish of each key is seen by a run that began after it.
func interleave(t *testing.T, db *store.DB) {
	const keys, writers, wishes = 5, 4, 25
	var source, observed, running [keys]atomic.Int64
	handler := func(ctx context.Context, i queue.Item) queue.Result {
		var k int
		if _, err := fmt.Sscan(i.Key, &k); err != nil {
			t.Error(err)
		}
		if running[k].Add(1) != 1 {
			t.Errorf("key %d runs twice", k)
		}
		defer running[k].Add(-1)
		seen := source[k].Load()
		err := db.Write(ctx, "test.observe", func(tx *store.Tx) error { return i.Fence(ctx, tx) })
		if err != nil {
			t.Error(err)
		}
		observed[k].Store(seen)
		switch n := rand.IntN(20); {
		case n < 4:
			return queue.Snooze(time.Duration(n)*time.Millisecond, "mixing")
		case n == 4 && i.Attempt == 1 && i.Wanted%7 == 0:
			return queue.Retry(errors.New("mixing"))
		default:
			return queue.Done()
		}
	}
	for _, owner := range []string{"first", "second"} {
		q := queue.New(db, slow(owner))
		q.Handle("x", 3, 2, handler)
		start(t, q)
	}
	together(writers, func(int) {
		for range wishes {
			k := rand.IntN(keys)
			source[k].Add(1)
			enqueue(t, db, queue.Entry{Kind: "x", Key: fmt.Sprint(k), Tenant: fmt.Sprint(k % 2)})
		}
	})
	idle(t, db)
	for k := range keys {
		if source[k].Load() != observed[k].Load() {
			t.Errorf("key %d: wanted up to %d, saw %d", k, source[k].Load(), observed[k].Load())
		}
	}
}

// fairness: no tenant has more workers than its share, and the small one does not wait for the large one.
func fairness(t *testing.T, db *store.DB) {
	for i := range 20 {
		enqueue(t, db, queue.Entry{Kind: "x", Key: fmt.Sprint("large", i), Tenant: "large", Priority: i % 2})
	}
	for i := range 3 {
		enqueue(t, db, queue.Entry{Kind: "x", Key: fmt.Sprint("small", i), Tenant: "small"})
	}
	var mu sync.Mutex
	var order []string
	active := map[string]int{}
	q := queue.New(db, slow("o"))
	q.Handle("x", 4, 2, func(_ context.Context, i queue.Item) queue.Result {
		mu.Lock()
		order = append(order, i.Key)
		if active[i.Tenant]++; active[i.Tenant] > 2 {
			t.Errorf("%s has %d workers", i.Tenant, active[i.Tenant])
		}
		mu.Unlock()
		// The database sees the work that runs now. Fairness is between those that run together: runs that end at once
		// would have nothing to share.
		for end := time.Now().Add(20 * time.Millisecond); ; runtime.Gosched() {
			n := level(t, db, "running")
			if n > 4 {
				t.Errorf("%d run", n)
			}
			if n >= 3 || time.Now().After(end) {
				break
			}
		}
		mu.Lock()
		active[i.Tenant]--
		mu.Unlock()
		return queue.Done()
	})
	start(t, q)
	idle(t, db)
	mu.Lock()
	defer mu.Unlock()
	small := 0
	for _, key := range order[:min(12, len(order))] {
		if key[:5] == "small" {
			small++
		}
	}
	if len(order) != 23 || small != 3 {
		t.Errorf("%d ran, %d of the small tenant among the first 12: %v", len(order), small, order)
	}
	// Within the large tenant, higher priority is sooner: its first run is an odd one.
	for _, key := range order {
		var n int
		if _, err := fmt.Sscanf(key, "large%d", &n); err == nil {
			if n%2 == 0 {
				t.Errorf("%s ran before any of higher priority", key)
			}
			return
		}
	}
}

// exclusive: each of many items is claimed by exactly one of several processes.
func exclusive(t *testing.T, db *store.DB) {
	const n = 60
	for i := range n {
		enqueue(t, db, queue.Entry{Kind: "x", Key: fmt.Sprint(i), Tenant: fmt.Sprint(i % 7)})
	}
	var ran [n]atomic.Int32
	for p := range 3 {
		q := queue.New(db, slow(fmt.Sprint("p", p)))
		q.Handle("x", 4, 0, func(_ context.Context, i queue.Item) queue.Result {
			var k int
			if _, err := fmt.Sscan(i.Key, &k); err != nil {
				t.Error(err)
			}
			ran[k].Add(1)
			return queue.Done()
		})
		start(t, q)
	}
	idle(t, db)
	for k := range ran {
		if ran[k].Load() != 1 {
			t.Errorf("item %d ran %d times", k, ran[k].Load())
		}
	}
}
