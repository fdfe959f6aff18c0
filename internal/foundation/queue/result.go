package queue

import (
	"fmt"
	"hash/fnv"
	"math"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Result is how an attempt ended. The zero value is Done.
type Result struct {
	outcome outcome
	err     error
	delay   time.Duration
}

type outcome string

const (
	done    outcome = "done"
	retry   outcome = "retry"
	snooze  outcome = "snooze"
	discard outcome = "discard"
	release outcome = "release" // the queue stops: as if it had not been claimed
)

// Done says that what was claimed is done.
func Done() Result { return Result{outcome: done} }

// Retry says that the work may succeed later: it is due again after a growing pause, or at once when it was wanted
// again meanwhile.
func Retry(err error) Result { return Result{outcome: retry, err: err} }

// Snooze says that it is too early: the work is due again after d and the attempt does not count.
func Snooze(d time.Duration, reason string) Result {
	return Result{outcome: snooze, delay: d, err: waybill.Errorf(waybill.Limited, "%s", reason)}
}

// Discard says that the work will never succeed. It is kept and visible until it is wanted again.
func Discard(err error) Result { return Result{outcome: discard, err: err} }

// limitPause is how long work waits that hit a rate whose reset is not known.
const limitPause = time.Minute

// Of returns the result that the code of err asks for: done without an error; a pause when limited; another try for
// conflict, unavailable and internal; discarded for all that the same input will never get past.
func Of(err error) Result {
	switch waybill.CodeOf(err) {
	case "":
		return Done()
	case waybill.Limited:
		return Snooze(limitPause, err.Error())
	case waybill.Conflict, waybill.Unavailable, waybill.Internal:
		return Retry(err)
	default:
		return Discard(err)
	}
}

// String returns done, retry, snooze or discard: the label of metrics.
func (r Result) String() string { return string(r.outcome) }

// Err returns why the work is not done; nil when it is.
func (r Result) Err() error { return r.err }

// reason is what is stored of the error.
func (r Result) reason() string {
	if r.err == nil {
		return ""
	}
	return r.err.Error()
}

// Pauses between attempts.
const (
	maxBackoff = 15 * time.Minute
	jitter     = 0.2
)

// backoff returns the pause after an attempt, from 1: min(15m, 2^(attempt-1) s) ± 20 %. The share depends on the key,
// so that work that failed together does not come back together.
func backoff(key string, attempt int) time.Duration {
	pause := maxBackoff
	if n := attempt - 1; n < 10 {
		pause = min(pause, time.Second<<max(0, n))
	}
	h := fnv.New32a()
	fmt.Fprint(h, key, " ", attempt)
	share := float64(h.Sum32())/math.MaxUint32*2 - 1
	return pause + time.Duration(share*jitter*float64(pause))
}
