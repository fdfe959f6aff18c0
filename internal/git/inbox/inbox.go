// Package inbox is where pushes arrive: a delivery of a hook is stored, and its refs marked dirty, in one transaction
// before the hook is answered. What hooks missed is found by the poller. Neither looks into the repository's content.
package inbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/memo"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// Options are what an Inbox needs.
type Options struct {
	DB  *store.DB
	Now func() time.Time
	Log *slog.Logger
	// PublicURL is where people reach the portal, without slash at the end.
	PublicURL string
	Observer  Observer
	// Kinds says of each forge, by its configured name, whether it is a github, gitea or gitlab. Plain Git is always there.
	Kinds map[string]string
	// Apps returns the secrets of the hooks of Apps, at most two each, by the configured name of the forge. They are
	// asked for each request.
	Apps map[string]func() []webhooks.Secret
}

// Observer hears of measurements; every function may be called from several goroutines.
type Observer struct {
	Request  func(forge, event string, code int, took time.Duration)
	Delivery func(forge, result string)
	Missed   func(forge string)
}

// Inbox accepts deliveries.
type Inbox struct {
	Options
	arrivals *store.Crowd[*arrival]
	owners   *memo.Memo[string, seenOwner]
}

// New returns an Inbox.
func New(o Options) *Inbox {
	return &Inbox{
		Options: o, arrivals: store.NewCrowd(o.DB, "inbox.accept", arrive), owners: memo.New[string, seenOwner](maxOwners),
	}
}

// accept stores e and wants the work that follows from it in one transaction. It returns the id under which the
// delivery is stored and false when the hook had sent it before. Work that had to be given up is then wanted again:
// somebody asked the forge to deliver once more.
func (in *Inbox) accept(ctx context.Context, s sender, r waybill.Repository, e waybill.Event) (id string, fresh bool, err error) {
	now := in.Now()
	d := waybill.Delivery{ID: store.NewID(now), Repository: r.ID, Forge: s.forge, Hook: s.hook, Event: e, Received: now}
	a := &arrival{repository: r, delivery: d}
	err = in.arrivals.Write(ctx, a)
	if stale(r, now) { // it was noted that the hook works, and needs no noting for a while
		in.forget(s.hook)
	}
	return a.ID, a.Fresh, err
}

// toldOften is how often it is noted that a hook works.
const toldOften = time.Minute

func stale(r waybill.Repository, now time.Time) bool {
	return r.ID != "" && now.Sub(r.LastTold) >= toldOften
}

// told notes that the hook of r works, at an event that is not stored.
func (in *Inbox) told(ctx context.Context, r waybill.Repository) error {
	now := in.Now()
	if !stale(r, now) {
		return nil
	}
	defer in.forget(r.Hook)
	return in.DB.WriteStatements(ctx, "inbox.told", func(tx *store.Tx) error { return gitstore.SetTold(ctx, tx, r.ID, now) })
}
