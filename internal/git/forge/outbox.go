package forge

import (
	"context"
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
	if err == nil {
		err = o.send(ctx, item, r, commit)
	}
	switch waybill.CodeOf(err) {
	case "":
		return queue.Done()
	case waybill.NotFound, waybill.Invalid, waybill.Denied:
		return queue.Discard(err)
	default:
		return queue.Retry(err)
	}
}

// send writes the statuses and then records that they arrived. A crash between sends them again, which changes nothing.
func (o *Outbox) send(ctx context.Context, item queue.Item, r waybill.Repository, commit string) error {
	forge, ok := o.Forges[r.Forge]
	if !ok {
		return waybill.Errorf(waybill.Invalid, "no forge is configured as %q", r.Forge)
	}
	out, err := gitstore.Outbox(ctx, o.DB.Query(), r.ID, commit)
	if err != nil || !out.Pending {
		return err
	}
	for i, s := range out.Statuses {
		if strings.HasPrefix(s.URL, "/") {
			out.Statuses[i].URL = o.PublicURL + s.URL
		}
	}
	_, err = forge.Write(ctx, r, Message{Commit: commit, Statuses: out.Statuses})
	o.Observer.Request(r.Forge, "status", err)
	if err != nil {
		return err
	}
	return o.DB.Write(ctx, "status.sent", func(tx *store.Tx) error {
		if err := item.Fence(ctx, tx); err != nil {
			return err
		}
		checks, err := gitstore.Checks(ctx, tx, r.ID, commit)
		if err != nil {
			return err
		}
		tx.After(func() { o.measure(out, checks) })
		return gitstore.MarkSent(ctx, tx, r.ID, commit, out.Seq)
	})
}

// measure counts the time from the newest check of the commit to what was sent.
func (o *Outbox) measure(out gitstore.Outgoing, checks []waybill.Check) {
	if len(checks) == 0 {
		return
	}
	took := o.Now().Sub(checks[0].Opened)
	if out.First {
		o.Observer.First(took)
	}
	if out.Statuses[0].State.Final() {
		o.Observer.Final(took)
	}
}
