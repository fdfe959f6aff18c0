package queue

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// errStopping is the cause that handlers see when the queue stops.
var errStopping = waybill.Errorf(waybill.Unavailable, "the server is stopping")

// Handler works on an item. ctx is cancelled with a cause when the lease is lost or the queue stops; what a handler
// returns after the queue stopped it, other than Done and Discard, gives the item back as if it had not been claimed. A
// panic is a failed attempt, and the third discards the item.
type Handler func(ctx context.Context, i Item) Result

// Options of a queue.
type Options struct {
	Owner   string           // of leases: unique among running processes, the same after a restart
	Now     func() time.Time // nil: the machine's clock
	Log     *slog.Logger     // nil: nothing is logged
	Lease   time.Duration    // until a silent worker's item is taken; 0: 30 s
	Poll    time.Duration    // how often to look without being woken; 0: 15 s
	Drain   time.Duration    // how long handlers may go on when the queue stops; 0: 5 s
	Observe Observe
}

// Observe has the hooks for metrics. They may be nil.
type Observe struct {
	Claimed  func(kind string, waited time.Duration) // waited since the item was due
	Finished func(kind, result string, took time.Duration)
}

// Queue claims work and runs its handlers.
type Queue struct {
	db      *store.DB
	options Options
	pools   []*pool
}

// New builds a queue on db.
func New(db *store.DB, o Options) *Queue {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Lease <= 0 {
		o.Lease = 30 * time.Second
	}
	if o.Poll <= 0 {
		o.Poll = 15 * time.Second
	}
	if o.Drain <= 0 {
		o.Drain = 5 * time.Second
	}
	if o.Observe.Claimed == nil {
		o.Observe.Claimed = func(string, time.Duration) {}
	}
	if o.Observe.Finished == nil {
		o.Observe.Finished = func(string, string, time.Duration) {}
	}
	return &Queue{db: db, options: o}
}

// Handle says who works on a kind: at most so many at a time in this process, and at most perTenant for one tenant in
// all processes (0: any number). Call it before Run, once for each kind.
func (q *Queue) Handle(kind string, workers, perTenant int, h Handler) {
	q.pools = append(q.pools, &pool{
		q: q, kind: kind, workers: workers, perTenant: perTenant, handle: h, freed: make(chan struct{}, workers),
	})
}

// Run works until ctx ends. Then it claims nothing more, lets the handlers go on for Options.Drain, cancels them, waits
// for them and returns with no lease held. It always returns nil: trouble with the database is logged and outlived.
func (q *Queue) Run(ctx context.Context) error {
	work, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(errStopping)
	var pools sync.WaitGroup
	for _, p := range q.pools {
		pools.Go(func() { p.run(ctx, work) })
	}
	drained := make(chan struct{})
	go func() {
		pools.Wait()
		close(drained)
	}()
	<-ctx.Done()
	grace := time.NewTimer(q.options.Drain)
	defer grace.Stop()
	select {
	case <-drained:
	case <-grace.C:
		cancel(errStopping)
		<-drained
	}
	return nil
}

// log returns the logger of an item.
func (q *Queue) log(i Item) *slog.Logger {
	return q.options.Log.With("component", "queue", "kind", i.Kind, "key", i.Key, "attempt", i.Attempt)
}
