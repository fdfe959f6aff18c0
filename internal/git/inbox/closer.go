package inbox

import (
	"context"
	"strconv"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// lookCloser asks the forge of r where it is today and which pull requests are open. When it was lost at its old place,
// its refs are read at the new one; moved reports whether there is one.
func (w *Watcher) lookCloser(ctx context.Context, r waybill.Repository, lost bool) (moved bool, err error) {
	now, err := w.refresh(ctx, r)
	if err != nil {
		return false, err
	}
	if moved = now.URL != r.URL; moved && lost {
		if err := w.Poller.poll(ctx, now); err != nil {
			return false, err
		}
	}
	return moved, w.pulls(ctx, now)
}

// pulls wants a look at every pull request that is not as it was last seen.
func (w *Watcher) pulls(ctx context.Context, r waybill.Repository) error {
	ctx, cancel := context.WithTimeout(ctx, forgeTimeout)
	defer cancel()
	open, err := w.Forges[r.Forge].OpenPulls(ctx, r)
	if err != nil {
		return err
	}
	known, err := gitstore.OpenPulls(ctx, w.Inbox.DB.Query(), r.ID)
	if err != nil {
		return err
	}
	moved := movedPulls(known, open)
	if len(moved) == 0 {
		return nil
	}
	return w.Inbox.DB.Write(ctx, "inbox.pulls", func(tx *store.Tx) error {
		for _, number := range moved {
			entry := queue.Entry{Kind: PullWork, Key: r.ID + " " + strconv.Itoa(number), Tenant: r.Owner}
			if _, err := queue.Enqueue(ctx, tx, entry); err != nil {
				return err
			}
		}
		return nil
	})
}

// movedPulls lists the numbers of pull requests that are new, whose head or base moved, or that are open no more.
func movedPulls(known, open []waybill.Pull) []int {
	seen := make(map[int]waybill.Pull, len(known))
	for _, p := range known {
		seen[p.Number] = p
	}
	var moved []int
	for _, p := range open {
		k, ok := seen[p.Number]
		if !ok || k.Head != p.Head || k.Base != p.Base {
			moved = append(moved, p.Number)
		}
		delete(seen, p.Number)
	}
	for number := range seen {
		moved = append(moved, number)
	}
	return moved
}

// redeliverer is a forge that keeps a log of what it sent, and sends again what did not arrive.
type redeliverer interface {
	// Redeliver asks for what was not taken since a time to be sent again, and returns how much that is.
	Redeliver(ctx context.Context, since time.Time) (int, error)
}

// Redeliver asks the forges that keep a log of deliveries, until ctx ends, to send again what did not arrive.
func (w *Watcher) Redeliver(ctx context.Context) error {
	logs := map[string]redeliverer{}
	for name, f := range w.Forges {
		if l, ok := forge.As[redeliverer](f.Host); ok && f.App {
			logs[name] = l
		}
	}
	if len(logs) == 0 {
		return nil
	}
	since := w.Inbox.Now().Add(-redeliverBack)
	for {
		began := w.Inbox.Now()
		for name, l := range logs {
			n, err := l.Redeliver(ctx, since)
			if err != nil && ctx.Err() == nil {
				w.Inbox.Log.WarnContext(ctx, "log of deliveries cannot be read", "component", "poller", "forge", name, "error", err)
				continue
			}
			if n > 0 {
				w.Inbox.Log.InfoContext(ctx, "deliveries did not arrive and are sent again", "component", "poller", "forge", name, "count", n)
			}
		}
		since = began.Add(-w.Hooked) // what was on its way when the log was read
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(jittered(w.Hooked)):
		}
	}
}

// redeliverBack is how far back the log of deliveries is read at the start: GitHub keeps it for three days.
const redeliverBack = 72 * time.Hour
