// Package queue is durable work on the store: claim, lease, heartbeat, retry, snooze, discard.
package queue

import (
	"context"
	"log/slog"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

var errSkeleton = waybill.Errorf(waybill.Internal, "the queue is not here yet")

// Entry is work to do. Kind and Key identify it: enqueueing twice is one piece of work wanted twice.
type Entry struct {
	Kind, Key string
	Tenant    string    // fairness is between tenants
	Priority  int       // higher first, within a tenant
	Due       time.Time // zero: now
	Payload   string
}

// Enqueue wants e once more.
func Enqueue(ctx context.Context, tx *store.Tx, e Entry) (wanted int64, err error) {
	return 0, errSkeleton
}

// Item is claimed work.
type Item struct {
	Kind, Key, Tenant string
	Payload           string
	Wanted            int64
	Attempt           int // from 1
}

// Fence reports Conflict when the lease is not ours any more. Call it first in every transaction of the work.
func (i Item) Fence(ctx context.Context, tx *store.Tx) error { return nil }

// Moved reports whether the work was wanted again since it was claimed.
func (i Item) Moved(ctx context.Context) (bool, error) { return false, nil }

// Result is how a handler ended.
type Result struct {
	kind  string
	err   error
	delay time.Duration
}

func Done() Result                                 { return Result{kind: "done"} }
func Retry(err error) Result                       { return Result{kind: "retry", err: err} }
func Snooze(d time.Duration, reason string) Result { return Result{kind: "snooze", delay: d} }
func Discard(err error) Result                     { return Result{kind: "discard", err: err} }

// Of is the result that the code of err asks for; Done for nil.
func Of(err error) Result { return Result{kind: "done"} }

// String returns done, retry, snooze or discard.
func (r Result) String() string { return r.kind }

// Err returns the error of a retry or discard.
func (r Result) Err() error { return r.err }

// Handler works on an item. ctx is cancelled with a cause when the lease is lost or the queue stops.
type Handler func(ctx context.Context, i Item) Result

// Options of a queue.
type Options struct {
	Owner   string // unique among running processes
	Now     func() time.Time
	Log     *slog.Logger
	Lease   time.Duration // 0: 30 s
	Poll    time.Duration // 0: 15 s
	Drain   time.Duration // how long Run waits for handlers before it cancels them; 0: 5 s
	Observe Observe
}

// Observe are hooks for metrics; nil functions are not called.
type Observe struct {
	Claimed  func(kind string, waited time.Duration)
	Finished func(kind, result string, took time.Duration)
}

// Queue runs handlers.
type Queue struct{}

func New(db *store.DB, o Options) *Queue                               { return &Queue{} }
func (q *Queue) Handle(kind string, workers, perTenant int, h Handler) {}
func (q *Queue) Run(ctx context.Context) error                         { return errSkeleton }
func (q *Queue) Recover(ctx context.Context) error                     { return errSkeleton }

// Level is how much work of one kind is in one state.
type Level struct {
	Kind   string
	State  string // ready, scheduled, running, discarded
	Count  int
	Oldest time.Time // since when the oldest has been due (ready), or was enqueued
}

func Depth(ctx context.Context, q store.Querier, now time.Time) ([]Level, error) {
	return nil, errSkeleton
}
func Pending(ctx context.Context, q store.Querier, kind, key string) (bool, error) {
	return false, errSkeleton
}

// Dead is discarded work.
type Dead struct {
	Kind, Key, Tenant string
	Attempt           int
	Error             string
	Since             time.Time
}

func Discarded(ctx context.Context, q store.Querier) ([]Dead, error)    { return nil, errSkeleton }
func Requeue(ctx context.Context, tx *store.Tx, kind, key string) error { return errSkeleton }
