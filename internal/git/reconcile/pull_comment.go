package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/comment"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// CommentKind is the kind of work that HandleComment does: the comment of one pull request.
const CommentKind = "comment"

// When pull requests get a comment.
const (
	CommentOff    = "off"
	CommentChange = "on-change" // once there is something to say; from then on it is kept up to date
	CommentAlways = "always"
)

// statusPause is how soon a comment looks again whether the statuses that go before it were sent.
const statusPause = time.Second

// say asks for the comment of a pull request to be brought up to date.
func (e *Engine) say(ctx context.Context, tx *store.Tx, r waybill.Repository, number int) error {
	_, err := queue.Enqueue(ctx, tx, Discussion(r.ID, number, r.Owner))
	return err
}

// Discussion is the work that brings the comment of a pull request up to date.
func Discussion(repository string, number int, owner string) queue.Entry {
	return queue.Entry{Kind: CommentKind, Key: PullKey(repository, number), Tenant: owner}
}

// HandleComment makes the comment of a pull request say what its newest check found; it is the queue's handler for
// CommentKind. The commit is told first.
func (e *Engine) HandleComment(ctx context.Context, item queue.Item) queue.Result {
	id, number, err := ParsePullKey(item.Key)
	if err != nil {
		return queue.Discard(err)
	}
	if e.Comments == CommentOff {
		return queue.Done()
	}
	r, err := gitstore.Repository(ctx, e.DB.Query(), id)
	if waybill.IsCode(err, waybill.NotFound) {
		return queue.Done() // removed meanwhile
	}
	if err == nil {
		err = e.comment(ctx, item, r, number)
	}
	if waybill.IsCode(err, waybill.NotFound) {
		return queue.Discard(err) // the forge has no such pull request any more
	}
	return e.verdict(err)
}

func (e *Engine) comment(ctx context.Context, item queue.Item, r waybill.Repository, number int) error {
	q := e.DB.Query()
	p, err := gitstore.Pull(ctx, q, r.ID, number)
	if err != nil || !p.Open {
		return err
	}
	c, found, err := gitstore.LatestCheck(ctx, q, r.ID, p.Ref)
	if err != nil || !found || c.Phase != waybill.Planned {
		return err // its end asks again
	}
	if !e.worth(p, c) {
		return nil
	}
	if err := e.afterStatus(ctx, q, c); err != nil {
		return err
	}
	builds, err := e.builds(ctx, q, c)
	if err != nil {
		return err
	}
	body := forge.Marker + "\n" + comment.Markdown(comment.Input{
		Pull: p, Check: c, Builds: builds, Note: p.Note, Page: e.PublicURL + commitPage(r, c.Commit),
	}, len(forge.Marker)+1)
	sum := sha256.Sum256([]byte(body))
	digest := hex.EncodeToString(sum[:])
	if digest == p.Told {
		return nil
	}
	host, ok := e.host(r)
	if !ok {
		return waybill.Errorf(waybill.Invalid, "%s has no forge with pull requests", r.FullName())
	}
	written, cancel := context.WithTimeout(ctx, forgeLimit)
	defer cancel()
	commentID, err := host.Comment(written, r, p, body)
	if err != nil {
		return err
	}
	return e.DB.Write(ctx, "comment.sent", func(tx *store.Tx) error {
		if err := item.Fence(ctx, tx); err != nil {
			return err
		}
		return gitstore.SetPullComment(ctx, tx, r.ID, number, commentID, digest)
	})
}

// builds lists what became of the builds of the head, in the order of the changes that need them.
func (e *Engine) builds(ctx context.Context, q store.Querier, c waybill.Check) (list []comment.Build, err error) {
	if e.Trials == nil {
		return nil, nil
	}
	trials, err := e.Trials.Trials(ctx, q, c)
	for _, change := range c.Changes {
		i := slices.IndexFunc(trials, func(t waybill.Trial) bool { return t.Identity == change.Identity })
		if i >= 0 {
			list = append(list, comment.Build{Trial: trials[i], Page: e.PublicURL + "/releases/" + trials[i].Release})
		}
	}
	return list, err
}

// worth reports whether there is something to say that people do not see otherwise.
func (e *Engine) worth(p waybill.Pull, c waybill.Check) bool {
	return e.Comments == CommentAlways || p.Comment != "" || p.Note != "" ||
		len(c.Changes) > 0 || len(c.Findings) > 0 || c.State != waybill.StateSuccess
}

// afterStatus waits until the forge knows what the commit says. A forge that will never take it keeps nobody waiting.
func (e *Engine) afterStatus(ctx context.Context, q store.Querier, c waybill.Check) error {
	pending, err := queue.Pending(ctx, q, forge.Kind, gitstore.CommitKey(c.Repository, c.Commit))
	if err == nil && pending {
		err = waitError{statusPause, "waiting for the statuses of " + waybill.ShortCommit(c.Commit)}
	}
	return err
}
