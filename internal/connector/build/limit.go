package build

import (
	"context"
)

// Limit lets at most n builds run at a time; further ones wait for their turn, or until their ctx ends.
func Limit(b Builder, n int) Builder {
	return &limit{next: b, slots: make(chan struct{}, n)}
}

type limit struct {
	next  Builder
	slots chan struct{}
}

// Build implements [Builder].
func (l *limit) Build(ctx context.Context, r Request) (Result, error) {
	select {
	case l.slots <- struct{}{}:
	default:
		say(r.Log, "waiting for another build to end")
		select {
		case l.slots <- struct{}{}:
		case <-ctx.Done():
			return Result{}, context.Cause(ctx)
		}
	}
	defer func() { <-l.slots }()
	return l.next.Build(ctx, r)
}
