package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	_, err := queue.Enqueue(ctx, tx, queue.Entry{Kind: CommentKind, Key: PullKey(r.ID, number), Tenant: r.Owner})
	return err
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
	body := forge.Marker + "\n" + comment.Markdown(comment.Input{
		Pull: p, Check: c, Note: p.Note, Page: e.PublicURL + commitPage(r, c.Commit),
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
