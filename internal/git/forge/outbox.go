package forge

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Kind is the kind of work that an Outbox does: the statuses of one commit.
const Kind = "status"

// Outbox brings wanted statuses to forges. Only the newest state of a commit is sent; what is equal is sent once.
type Outbox struct {
	DB     *store.DB
	Forges map[string]Forge // by configured name
	// PublicURL is put before the paths that statuses link to. Without slash at the end.
	PublicURL string
	Log       *slog.Logger
	Now       func() time.Time
	Observer  Observer
}

// Observer hears of measurements; every function may be called from several goroutines.
type Observer struct {
	Request func(forge, operation string, err error)
	// First and Final hear how long after the push a commit got its first status and a final aggregate.
	First, Final func(took time.Duration)
}

// Handle sends what one commit wants to say; it is the queue's handler for Kind. An error that can never succeed ends
// the entry with a log line, any other is tried again.
func (o *Outbox) Handle(ctx context.Context, item queue.Item) queue.Result {
	repository, commit, _ := strings.Cut(item.Key, "/")
	r, err := gitstore.Repository(ctx, o.DB.Query(), repository)
	if waybill.IsCode(err, waybill.NotFound) {
		return queue.Done() // removed meanwhile
	}
	if err != nil {
		return queue.Retry(err)
	}
	d := dispatch{Outbox: o, item: item, r: r, commit: commit}
	return d.result(d.send(ctx))
}

// dispatch is one attempt to tell a forge about a commit.
type dispatch struct {
	*Outbox
	item   queue.Item
	r      waybill.Repository
	commit string
	checks []waybill.Check // newest first
	first  bool            // the forge knows nothing of the commit
}

// A forge may take its time to show a commit that was just pushed: what it does not find so soon after that is looked
// for a few times more.
const (
	freshCommit = 2 * time.Minute
	freshTries  = 6
)

// spread keeps commits that wait for the same moment from coming back together.
const spread = 3 * time.Second

// result says how the attempt ended.
func (d *dispatch) result(err error) queue.Result {
	switch waybill.CodeOf(err) {
	case "":
		return queue.Done()
	case waybill.Limited:
		var after *RetryAfter
		if !errors.As(err, &after) {
			return queue.Of(err)
		}
		h := fnv.New32a()
		fmt.Fprint(h, d.item.Key)
		pause := max(0, after.Until.Sub(d.Now())) + time.Duration(h.Sum32())%spread
		return queue.Snooze(pause, err.Error())
	case waybill.NotFound:
		if d.fresh() && d.item.Attempt < freshTries {
			return queue.Retry(err)
		}
		return queue.Discard(err)
	case waybill.Invalid, waybill.Denied, waybill.TooLarge:
		return queue.Discard(err)
	default:
		return queue.Retry(err) // with expired credentials too: others come
	}
}

func (d *dispatch) fresh() bool {
	return len(d.checks) > 0 && d.Now().Sub(d.checks[0].Opened) < freshCommit
}

// send writes what the forge does not know and records what arrived. A crash between sends it again, and then the forge
// looks first.
func (d *dispatch) send(ctx context.Context) error {
	forge, ok := d.Forges[d.r.Forge]
	if !ok {
		return waybill.Errorf(waybill.Invalid, "no forge is configured as %q", d.r.Forge)
	}
	out, err := gitstore.Outbox(ctx, d.DB.Query(), d.r.ID, d.commit)
	if err != nil || !out.Pending {
		return err
	}
	if d.checks, err = gitstore.Checks(ctx, d.DB.Query(), d.r.ID, d.commit); err != nil {
		return err
	}
	d.first = out.First
	var known, rest []gitstore.Unsent
	for _, u := range out.Unsent {
		if u.Known {
			known = append(known, u)
		} else {
			rest = append(rest, u)
		}
	}
	if err := d.sent(ctx, known, false); err != nil {
		return err
	}
	for len(rest) > 0 && err == nil {
		rest, err = d.write(ctx, forge, rest)
	}
	return err
}

// write tells the forge and returns what is still to be told. A status that the forge refuses for good is given up, so
// that those behind it arrive.
func (d *dispatch) write(ctx context.Context, forge Forge, list []gitstore.Unsent) (rest []gitstore.Unsent, err error) {
	taken, failed := forge.Write(ctx, d.r, d.message(list))
	d.Observer.Request(d.r.Forge, "status", failed)
	taken = min(taken, len(list))
	if failed == nil {
		taken = len(list)
	}
	if err := d.sent(ctx, list[:taken], true); err != nil {
		return nil, err
	}
	rest = list[taken:]
	switch waybill.CodeOf(failed) {
	case "", waybill.Limited, waybill.NotFound, waybill.Denied:
		return rest, failed
	case waybill.Invalid:
		if len(rest) == 0 {
			return nil, failed
		}
		return rest[1:], d.refused(ctx, rest[0], failed)
	default:
		if err := d.doubt(ctx, rest); err != nil {
			return nil, err
		}
		return rest, failed
	}
}

// message is what the forge is told: addresses for people, and the findings of the newest check.
func (d *dispatch) message(list []gitstore.Unsent) Message {
	m := Message{Commit: d.commit, Again: d.item.Attempt > 1, First: d.first}
	for _, u := range list {
		if strings.HasPrefix(u.URL, "/") {
			u.URL = d.PublicURL + u.URL
		}
		m.Statuses = append(m.Statuses, u.Status)
		m.Again = m.Again || u.Doubt
	}
	if len(d.checks) > 0 {
		m.Findings = d.checks[0].Findings
	}
	return m
}

// sent records what the forge knows now; told says that it was told in this attempt.
func (d *dispatch) sent(ctx context.Context, list []gitstore.Unsent, told bool) error {
	if len(list) == 0 {
		return nil
	}
	return d.DB.Write(context.WithoutCancel(ctx), "status.sent", func(tx *store.Tx) error {
		if err := d.item.Fence(ctx, tx); err != nil {
			return err
		}
		if told {
			tx.After(func() { d.measure(list) })
		}
		return gitstore.MarkSent(ctx, tx, d.r.ID, d.commit, list...)
	})
}

// refused gives a status up.
func (d *dispatch) refused(ctx context.Context, u gitstore.Unsent, why error) error {
	d.Log.ErrorContext(ctx, "the forge refuses a status", "component", "forge", "repository", d.r.FullName(),
		"commit", d.commit, "context", u.Context, "error", why, "cause", errors.Unwrap(why))
	return d.DB.Write(ctx, "status.refused", func(tx *store.Tx) error {
		if err := d.item.Fence(ctx, tx); err != nil {
			return err
		}
		return gitstore.MarkRefused(ctx, tx, d.r.ID, d.commit, u)
	})
}

// doubt records that nobody knows what arrived.
func (d *dispatch) doubt(ctx context.Context, list []gitstore.Unsent) error {
	ctx = context.WithoutCancel(ctx) // a request that was cut short by the end of the server may have arrived
	return d.DB.Write(ctx, "status.doubt", func(tx *store.Tx) error {
		if err := d.item.Fence(ctx, tx); err != nil {
			return err
		}
		return gitstore.MarkDoubt(ctx, tx, d.r.ID, d.commit, list...)
	})
}

// measure counts the time from the newest check of the commit to what was sent.
func (d *dispatch) measure(list []gitstore.Unsent) {
	if len(d.checks) == 0 {
		return
	}
	took := d.Now().Sub(d.checks[0].Opened)
	if d.first {
		d.first = false
		d.Observer.First(took)
	}
	if list[0].Context == waybill.AggregateContext && list[0].State.Final() {
		d.Observer.Final(took)
	}
}
