package forge

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// How many requests are kept back: below the first number, polling gives way to writing; below the second, progress
// gives way to results.
const (
	keptForWrites  = 200
	keptForResults = 50
)

// hearsay is how long a forge is believed to have as few requests left as it said: then one is let through to ask.
const hearsay = time.Minute

// Budget knows how many requests a forge allows, from what it said last, and keeps the last ones for what matters most:
// results of commits, then progress and comments, then polling. It is safe for concurrent use.
type Budget struct {
	now func() time.Time

	mu        sync.Mutex
	remaining int
	heard     time.Time
	until     time.Time // the forge asked to wait
}

// NewBudget returns a budget of which nothing is known.
func NewBudget(now func() time.Time) *Budget { return &Budget{now: now} }

// Heard takes what a forge said it allows; below 0 is nothing. Call it from the Observe of its options.
func (b *Budget) Heard(remaining int) {
	if remaining < 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.remaining, b.heard = remaining, b.now()
}

// learn remembers that a forge asks to wait.
func (b *Budget) learn(err error) {
	var after *RetryAfter
	if !waybill.IsCode(err, waybill.Limited) || !errors.As(err, &after) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if after.Until.After(b.until) {
		b.until = after.Until
	}
}

// allow reports Limited while the forge asks to wait, or has no more requests left than kept.
func (b *Budget) allow(kept int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if now.Before(b.until) {
		return waybill.Wrap(waybill.Limited, &RetryAfter{Until: b.until}, "the forge asked to wait")
	}
	if age := now.Sub(b.heard); kept > 0 && !b.heard.IsZero() && age < hearsay && b.remaining < kept {
		cause := &RetryAfter{Until: b.heard.Add(hearsay)}
		return waybill.Wrap(waybill.Limited, cause, "the last requests that the forge allows are kept for results")
	}
	return nil
}

// Thrifty is h within a budget: what does not fit is Limited, without asking the forge.
func Thrifty(h Host, b *Budget) Host { return thrifty{h, b} }

type thrifty struct {
	Host
	budget *Budget
}

func (t thrifty) unwrap() Host { return t.Host }

// As finds what only some forges can do, in h or in what h wraps.
func As[T any](h Host) (able T, ok bool) {
	for {
		if able, ok = h.(T); ok {
			return able, true
		}
		outer, wraps := h.(interface{ unwrap() Host })
		if !wraps {
			return able, false
		}
		h = outer.unwrap()
	}
}

// Write gives way with progress before it does with results, which stand first.
func (t thrifty) Write(ctx context.Context, r waybill.Repository, m Message) (taken int, err error) {
	if err := t.budget.allow(0); err != nil {
		return 0, err
	}
	all := m.Statuses
	results := 0
	for results < len(all) && all[results].State.Final() {
		results++
	}
	scarce := t.budget.allow(keptForResults)
	if scarce == nil {
		taken, err = t.Host.Write(ctx, r, m)
		t.budget.learn(err)
		return taken, err
	}
	if results == 0 {
		return 0, scarce
	}
	m.Statuses = all[:results]
	taken, err = t.Host.Write(ctx, r, m)
	t.budget.learn(err)
	if err == nil && results < len(all) {
		err = scarce
	}
	return taken, err
}

// within asks only when more than kept requests are left.
func within[T any](b *Budget, kept int, ask func() (T, error)) (T, error) {
	if err := b.allow(kept); err != nil {
		var none T
		return none, err
	}
	answer, err := ask()
	b.learn(err)
	return answer, err
}

// Pull gives way to writing.
func (t thrifty) Pull(ctx context.Context, r waybill.Repository, number int) (waybill.Pull, error) {
	return within(t.budget, keptForWrites, func() (waybill.Pull, error) { return t.Host.Pull(ctx, r, number) })
}

// OpenPulls gives way to writing.
func (t thrifty) OpenPulls(ctx context.Context, r waybill.Repository) ([]waybill.Pull, error) {
	return within(t.budget, keptForWrites, func() ([]waybill.Pull, error) { return t.Host.OpenPulls(ctx, r) })
}

// Find gives way to writing.
func (t thrifty) Find(ctx context.Context, r waybill.Repository) (waybill.Repository, error) {
	return within(t.budget, keptForWrites, func() (waybill.Repository, error) { return t.Host.Find(ctx, r) })
}

// Comment gives way to results.
func (t thrifty) Comment(ctx context.Context, r waybill.Repository, p waybill.Pull, body string) (string, error) {
	return within(t.budget, keptForResults, func() (string, error) { return t.Host.Comment(ctx, r, p, body) })
}

// MayWrite gives way to results.
func (t thrifty) MayWrite(ctx context.Context, r waybill.Repository, user string) (bool, error) {
	return within(t.budget, keptForResults, func() (bool, error) { return t.Host.MayWrite(ctx, r, user) })
}
