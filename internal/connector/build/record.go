package build

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Observation is one build that has ended.
type Observation struct {
	Outcome  waybill.Outcome // ok, failed (the developer's fault), error (ours) or superseded (the ctx ended)
	Reused   bool
	Duration time.Duration
}

// Record tells observe about every build. Now is the clock.
func Record(b Builder, now func() time.Time, observe func(Observation)) Builder {
	return &record{next: b, now: now, observe: observe}
}

type record struct {
	next    Builder
	now     func() time.Time
	observe func(Observation)
}

// Build implements [Builder].
func (r *record) Build(ctx context.Context, req Request) (Result, error) {
	start := r.now()
	res, err := r.next.Build(ctx, req)
	r.observe(Observation{Outcome: outcome(ctx, err), Reused: res.Reused, Duration: r.now().Sub(start)})
	return res, err
}

func outcome(ctx context.Context, err error) waybill.Outcome {
	switch {
	case err == nil:
		return waybill.OK
	case ctx.Err() != nil:
		return waybill.Superseded
	case waybill.IsCode(err, waybill.Invalid):
		return waybill.Failed
	default:
		return waybill.Errored
	}
}
