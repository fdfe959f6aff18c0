package forge

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// counter is a host that counts what it is asked.
type counter struct {
	Host
	wrote, read int
	err         error
}

func (c *counter) Write(_ context.Context, _ waybill.Repository, m Message) (int, error) {
	c.wrote += len(m.Statuses)
	return len(m.Statuses), c.err
}

func (c *counter) OpenPulls(context.Context, waybill.Repository) ([]waybill.Pull, error) {
	c.read++
	return nil, c.err
}

func (c *counter) Comment(context.Context, waybill.Repository, waybill.Pull, string) (string, error) {
	c.wrote++
	return "1", c.err
}

// TestBudget: when requests run out, polling stops first, then progress, results never; a limit stops all.
func TestBudget(t *testing.T) {
	t.Parallel()
	now := time.Now()
	m := Message{Statuses: []waybill.Status{{State: waybill.StateSuccess}, {State: waybill.StateFailure}, {State: waybill.StatePending}}}
	limited := waybill.Wrap(waybill.Limited, &RetryAfter{Until: now.Add(time.Hour)}, "wait")
	for _, c := range []struct {
		what                  string
		remaining             int
		later                 time.Duration
		err                   error // of the first request
		taken, comments, read int
	}{
		{what: "nothing is known", remaining: -1, taken: 3, comments: 1, read: 1},
		{what: "plenty", remaining: 4000, taken: 3, comments: 1, read: 1},
		{what: "little", remaining: 199, taken: 3, comments: 1},
		{what: "hardly any", remaining: 49, taken: 2},
		{what: "none", remaining: 0, taken: 2},
		{what: "none, a while ago", remaining: 0, later: 2 * time.Minute, taken: 3, comments: 1, read: 1},
		{what: "a limit", remaining: 4000, err: limited},
		{what: "a limit that is over", remaining: 4000, err: limited, later: 61 * time.Minute, taken: 3, comments: 1, read: 1},
		{what: "another error", remaining: 4000, err: waybill.Errorf(waybill.Unavailable, "away"), taken: 3, comments: 1, read: 1},
	} {
		clock := now
		b := NewBudget(func() time.Time { return clock })
		host := &counter{err: c.err}
		h := Thrifty(host, b)
		if c.err != nil {
			_, _ = h.OpenPulls(t.Context(), waybill.Repository{})
			*host = counter{}
		}
		b.Heard(c.remaining)
		b.Heard(-1)
		clock = clock.Add(c.later)
		taken, err := h.Write(t.Context(), waybill.Repository{}, m)
		var after *RetryAfter
		if taken != c.taken || host.wrote != c.taken || (err == nil) != (c.taken == 3) || err != nil && !errors.As(err, &after) {
			t.Errorf("%s: %d taken of %d asked, want %d: %v", c.what, taken, host.wrote, c.taken, err)
		}
		_, _ = h.Comment(t.Context(), waybill.Repository{}, waybill.Pull{}, "")
		_, _ = h.OpenPulls(t.Context(), waybill.Repository{})
		if host.wrote-c.taken != c.comments || host.read != c.read {
			t.Errorf("%s: %d comments, %d reads, want %d, %d", c.what, host.wrote-c.taken, host.read, c.comments, c.read)
		}
	}
}

func (c *counter) Redeliver() int { return 7 }

// TestAs: a budget hides nothing of what a forge can do besides.
func TestAs(t *testing.T) {
	t.Parallel()
	h := Thrifty(Thrifty(&counter{}, NewBudget(time.Now)), NewBudget(time.Now))
	if r, ok := As[interface{ Redeliver() int }](h); !ok || r.Redeliver() != 7 {
		t.Error("what is wrapped is not found")
	}
	if _, ok := As[interface{ Fly() }](h); ok {
		t.Error("it cannot fly")
	}
}
