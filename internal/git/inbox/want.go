package inbox

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// The kinds of work that deliveries want, beside [WatchKind].
const (
	refWork     = "ref"     // one ref is reconciled; key "<repository id> <full ref name>"
	PullWork    = "pull"    // one pull request is looked at; key "<repository id> <number>"
	CommandWork = "command" // somebody asks for something; key Delivery.ID, under which the event is stored
)

// command begins the comments that are meant for Waybill.
const command = "/waybill "

// wanted reports whether anything follows from e.
func wanted(e waybill.Event) bool {
	switch e.Kind {
	case waybill.EventPush:
		return len(e.Refs) > 0
	case waybill.EventComment:
		return strings.HasPrefix(e.Comment, command)
	case waybill.EventPull, waybill.EventRerun, waybill.EventRepository, waybill.EventInstallation:
		return true
	default:
		return false
	}
}

// want notes what a delivery says and lists the work that follows from it, beside looks at its refs.
func want(ctx context.Context, tx *store.Tx, a *arrival) ([]queue.Entry, error) {
	r, d := a.repository, a.stored()
	if err := note(ctx, tx, r, d.Event); err != nil {
		return nil, err
	}
	if e := d.Event; e.Kind == waybill.EventComment && e.CommentID != "" {
		first, err := gitstore.HearComment(ctx, tx, r.ID, e.CommentID, d.ID)
		if err != nil || first != d.ID {
			return nil, orAgain(ctx, tx, first, err)
		}
	}
	return entries(ctx, tx, r, d)
}

// orAgain wants the command of the delivery that told of a comment first, if it was given up: nobody is obeyed twice for
// one comment, whoever sends its hook again under an id that is new.
func orAgain(ctx context.Context, tx *store.Tx, first string, err error) error {
	if err == nil {
		err = queue.Requeue(ctx, tx, CommandWork, first)
	}
	if waybill.IsCode(err, waybill.NotFound) {
		return nil
	}
	return err
}

// note stores what an event says of its repository or pull request, until the forge is asked.
func note(ctx context.Context, tx *store.Tx, r waybill.Repository, e waybill.Event) error {
	switch e.Kind {
	case waybill.EventPull:
		return notePull(ctx, tx, r, *e.Pull)
	case waybill.EventRepository:
		if r.ForgeID != "" && r.ForgeID == e.Source.ID && r.Path != e.Source.Path {
			return gitstore.SetPath(ctx, tx, r.ID, e.Source.Path)
		}
	default: // nothing but work follows
	}
	return nil
}

// notePull stores p unless a newer state of it is stored: deliveries overtake one another.
func notePull(ctx context.Context, tx *store.Tx, r waybill.Repository, p waybill.Pull) error {
	if p.Repository = r.ID; p.Seen.IsZero() {
		p.Seen = tx.Now()
	}
	known, err := gitstore.Pull(ctx, tx, r.ID, p.Number)
	switch {
	case waybill.IsCode(err, waybill.NotFound):
	case err != nil:
		return err
	case known.Seen.After(p.Seen):
		return nil
	case p.Author == "":
		p.Author = known.Author
	}
	return gitstore.PutPull(ctx, tx, p)
}

// entries lists the work of a delivery other than its refs.
func entries(ctx context.Context, q store.Querier, r waybill.Repository, d waybill.Delivery) ([]queue.Entry, error) {
	e := d.Event
	switch e.Kind {
	case waybill.EventPull:
		return []queue.Entry{{Kind: PullWork, Key: r.ID + " " + strconv.Itoa(e.Pull.Number), Tenant: r.Owner}}, nil
	case waybill.EventComment, waybill.EventRerun:
		return []queue.Entry{{Kind: CommandWork, Key: d.ID, Tenant: r.Owner}}, nil
	case waybill.EventRepository:
		return []queue.Entry{watch(r)}, nil
	case waybill.EventInstallation:
		return installed(ctx, q, d)
	default:
		if moved(r, e.Source) {
			return []queue.Entry{watch(r)}, nil
		}
		return nil, nil
	}
}

func watch(r waybill.Repository) queue.Entry {
	return queue.Entry{Kind: WatchKind, Key: r.ID, Tenant: r.Owner}
}

// moved reports whether a forge speaks of r in other words than before; not every forge tells of a rename as such.
func moved(r waybill.Repository, s waybill.EventSource) bool {
	return r.ForgeID != "" && r.ForgeID == s.ID &&
		(s.Path != r.Path || s.DefaultBranch != "" && r.DefaultBranch != "" && s.DefaultBranch != r.DefaultBranch)
}

// installed lists a look at each watched repository that an App's installation gained or lost.
func installed(ctx context.Context, q store.Querier, d waybill.Delivery) ([]queue.Entry, error) {
	var list []queue.Entry
	for _, s := range d.Event.Repositories {
		r, err := gitstore.RepositoryByForgeID(ctx, q, d.Forge, s.ID)
		if waybill.IsCode(err, waybill.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, watch(r))
	}
	return list, nil
}

// wantAgain asks for that work of a delivery that was given up. What is done, waits or runs stays as it is.
func wantAgain(ctx context.Context, tx *store.Tx, r waybill.Repository, d waybill.Delivery) error {
	work, err := entries(ctx, tx, r, d)
	if err != nil {
		return err
	}
	for _, u := range d.Event.Refs {
		work = append(work, refEntry(r, u.Name, time.Time{}))
	}
	for _, e := range work {
		if err := queue.Requeue(ctx, tx, e.Kind, e.Key); err != nil && !waybill.IsCode(err, waybill.NotFound) {
			return err
		}
	}
	return nil
}

// markDirty makes a worker look at the ref at once. It is cheap to call once too often.
func markDirty(ctx context.Context, tx *store.Tx, r waybill.Repository, ref string) error {
	_, err := queue.Enqueue(ctx, tx, refEntry(r, ref, time.Time{}))
	return err
}

// refEntry is a look at a ref, at once when due is zero.
func refEntry(r waybill.Repository, ref string, due time.Time) queue.Entry {
	return queue.Entry{Kind: refWork, Key: r.ID + " " + ref, Tenant: r.Owner, Due: due}
}
