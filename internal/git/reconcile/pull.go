package reconcile

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// PullKind is the kind of work that HandlePull does: one pull request.
const PullKind = "pull"

// PullKey names the work of one pull request, of every kind.
func PullKey(repository string, number int) string { return repository + " " + strconv.Itoa(number) }

// ParsePullKey splits what PullKey joined.
func ParsePullKey(key string) (repository string, number int, err error) {
	repository, text, _ := strings.Cut(key, " ")
	if number, err = strconv.Atoi(text); err != nil || number <= 0 {
		return "", 0, waybill.Errorf(waybill.Internal, "work key %q names no pull request", key)
	}
	return repository, number, nil
}

// history tells how commits stand to each other.
type history interface {
	// MergeBase returns the newest commit that both have in their history, so that Tree can read it; "" when there is none,
	// TooLarge when that is not known, NotFound when one of them was not fetched.
	MergeBase(ctx context.Context, r waybill.Repository, a, b string) (string, error)
	// Changed lists the paths that differ between two commits, or NotFound when one was not fetched.
	Changed(ctx context.Context, r waybill.Repository, old, commit string) ([]string, error)
}

// trials is where the heads of pull requests are built.
type trials interface {
	// Try builds what changes would need, in the transaction that closes the check, and deploys nothing.
	Try(ctx context.Context, tx *store.Tx, c waybill.Check, changes []waybill.Change) error
	// Reconsider makes what is built for a ref see whether it is still wanted.
	Reconsider(ctx context.Context, tx *store.Tx, repository, ref string) error
	// Trials lists what became of the builds of a check's commit, each declaration once. When one ends, [Discussion] is
	// to be done.
	Trials(ctx context.Context, q store.Querier, c waybill.Check) ([]waybill.Trial, error)
}

// forgeLimit bounds one question to a forge.
const forgeLimit = 30 * time.Second

// behindTries is how often a forge is given time to move the ref of a pull request to where it says that its head is.
const behindTries = 5

// waitError asks for a later look without spending an attempt.
type waitError struct {
	after  time.Duration
	reason string
}

func (e waitError) Error() string { return e.reason }

// HandlePull looks at one pull request; it is the queue's handler for PullKind. What hooks said is not believed: the
// forge is asked.
func (e *Engine) HandlePull(ctx context.Context, item queue.Item) queue.Result {
	id, number, err := ParsePullKey(item.Key)
	if err != nil {
		return queue.Discard(err)
	}
	r, err := gitstore.Repository(ctx, e.DB.Query(), id)
	if waybill.IsCode(err, waybill.NotFound) {
		return queue.Done() // removed meanwhile
	}
	if err == nil {
		err = e.pull(ctx, &work{item: item, repository: r}, number)
	}
	return e.verdict(err)
}

// verdict says what becomes of work that asks a forge.
func (e *Engine) verdict(err error) queue.Result {
	var wait waitError
	var limited *forge.RetryAfter
	switch {
	case errors.As(err, &wait):
		return queue.Snooze(wait.after, wait.reason)
	case errors.As(err, &limited):
		return queue.Snooze(max(time.Second, limited.Until.Sub(e.Now())), err.Error())
	case waybill.IsCode(err, waybill.NotFound):
		return queue.Retry(err)
	default:
		return queue.Of(err)
	}
}

// pull brings a pull request to where its forge says it is.
func (e *Engine) pull(ctx context.Context, w *work, number int) error {
	found, err := e.ask(ctx, w, number)
	if err != nil || !found {
		return err
	}
	if !w.pull.Open {
		return e.closed(ctx, w)
	}
	if w.base, err = e.base(ctx, w); err != nil {
		return err
	}
	return e.reconcile(ctx, w)
}

// ask stores what the forge says of the pull request. One that the forge does not know any more is closed; found is
// false when there never was one.
func (e *Engine) ask(ctx context.Context, w *work, number int) (found bool, err error) {
	host, ok := e.host(w.repository)
	if !ok {
		return false, waybill.Errorf(waybill.Invalid, "%s has no forge with pull requests", w.repository.FullName())
	}
	asked, cancel := context.WithTimeout(ctx, forgeLimit)
	defer cancel()
	p, err := host.Pull(asked, w.repository, number)
	gone := waybill.IsCode(err, waybill.NotFound)
	if err != nil && !gone {
		return false, err
	}
	err = e.DB.Write(ctx, "pull.seen", func(tx *store.Tx) error {
		if err := w.item.Fence(ctx, tx); err != nil {
			return err
		}
		before, err := gitstore.Pull(ctx, tx, w.repository.ID, number)
		if found = err == nil || !gone; !found {
			return nil
		}
		if gone {
			p, p.Open = before, false
		}
		p.Repository, p.Number, p.Seen = w.repository.ID, number, e.Now()
		if err := gitstore.PutPull(ctx, tx, p); err != nil {
			return err
		}
		p, err = gitstore.Pull(ctx, tx, w.repository.ID, number)
		return err
	})
	w.pull, w.ref = &p, p.Ref
	return found, err
}

// host returns the forge of a repository.
func (e *Engine) host(r waybill.Repository) (forge.Conversation, bool) {
	if e.Forge == nil {
		return nil, false
	}
	return e.Forge(r.Forge)
}

// basePause is how soon a pull request looks again whether its base branch has been looked at.
const basePause = 300 * time.Millisecond

// base returns the commit that the pull request would be merged into, "" when its branch is gone: that of the newest
// finished check, so that what the check handed over is known to the plan. A branch that a worker is on the way to is
// waited for.
func (e *Engine) base(ctx context.Context, w *work) (string, error) {
	ref, q := "refs/heads/"+w.pull.Base, e.DB.Query()
	busy, err := queue.Untried(ctx, q, Kind, Key(w.repository.ID, ref))
	if err != nil {
		return "", err
	}
	if busy {
		return "", waitError{basePause, "waiting for " + w.pull.Base}
	}
	known, watched, err := gitstore.FindRef(ctx, q, w.repository.ID, ref)
	if err != nil || watched && known.Tip == "" {
		return "", err
	}
	latest, checked, err := gitstore.LatestCheck(ctx, q, w.repository.ID, ref)
	if err != nil {
		return "", err
	}
	if checked && latest.Phase == waybill.Planned && e.here(ctx, w.repository, latest.Commit) {
		return latest.Commit, nil
	}
	of := &work{repository: w.repository, ref: ref}
	err = e.fetch(ctx, of)
	return of.tip, err
}

// here reports whether a commit was fetched.
func (e *Engine) here(ctx context.Context, r waybill.Repository, commit string) bool {
	_, err := e.History.MergeBase(ctx, r, commit, commit)
	return err == nil
}

// head sets w.tip to the head of the pull request. The forge's word counts; where it is ahead of its own ref, the ref is
// given some time.
func (e *Engine) head(ctx context.Context, w *work) error {
	if w.pull.Head != "" && e.here(ctx, w.repository, w.pull.Head) {
		w.tip = w.pull.Head
		return nil
	}
	if err := e.fetch(ctx, w); err != nil {
		return err
	}
	if w.tip != w.pull.Head && w.item.Attempt < behindTries {
		return waybill.Errorf(waybill.Unavailable, "%s is not at %s yet, where the forge says that the pull request is",
			w.ref, waybill.ShortCommit(w.pull.Head))
	}
	w.pull.Head = w.tip
	return nil
}

// propose records the head of a pull request and opens a check when the head, or the base that it is for, was not seen
// before.
func (e *Engine) propose(ctx context.Context, w *work) (isNew bool, err error) {
	if w.tip == "" {
		return false, nil
	}
	now, p := e.Now(), *w.pull
	check := waybill.Check{
		ID: store.NewID(now), Repository: p.Repository, Ref: w.ref, Commit: w.tip, Pull: p.Number,
		Cause: "pull", Actor: p.Author, Phase: waybill.Fetched, State: waybill.StateSuccess, Opened: now,
	}
	err = e.DB.Write(ctx, "check.fetched", func(tx *store.Tx) error {
		if err := w.item.Fence(ctx, tx); err != nil {
			return err
		}
		latest, found, err := gitstore.LatestCheck(ctx, tx, p.Repository, w.ref)
		if err != nil {
			return err
		}
		moved := !found || latest.Commit != w.tip
		isNew = moved || latest.Over || p.Against != w.base
		if err := gitstore.PutPull(ctx, tx, p); err != nil || !isNew {
			return err
		}
		if err := gitstore.PutCheck(ctx, tx, check); err != nil {
			return err
		}
		if moved && e.Trials != nil {
			if err := e.Trials.Reconsider(ctx, tx, p.Repository, w.ref); err != nil {
				return err
			}
		}
		return gitstore.SetStatuses(ctx, tx, p.Repository, w.tip, []waybill.Status{
			{Context: waybill.AggregateContext, URL: commitPage(w.repository, w.tip)},
		})
	})
	w.check = check
	return isNew, err
}

// closed ends what is open of a pull request that was merged or given up. What the commit says stays as history; what
// merging would have broken stands in nobody's way any more.
func (e *Engine) closed(ctx context.Context, w *work) error {
	open, err := gitstore.OpenChecks(ctx, e.DB.Query(), w.repository.ID, w.ref)
	if err != nil {
		return err
	}
	for _, c := range open {
		w.check = c
		if err := e.examine(ctx, w); err != nil {
			return err
		}
	}
	return e.DB.Write(ctx, "pull.closed", func(tx *store.Tx) error {
		if err := w.item.Fence(ctx, tx); err != nil {
			return err
		}
		c, found, err := gitstore.LatestCheck(ctx, tx, w.repository.ID, w.ref)
		if err != nil || !found || c.Over {
			return err
		}
		c.Over = true
		if err := gitstore.PutCheck(ctx, tx, c); err != nil {
			return err
		}
		if e.Trials != nil {
			if err := e.Trials.Reconsider(ctx, tx, w.repository.ID, w.ref); err != nil {
				return err
			}
		}
		said, err := gitstore.Statuses(ctx, tx, w.repository.ID, c.Commit)
		if err != nil {
			return err
		}
		return gitstore.SetStatuses(ctx, tx, w.repository.ID, c.Commit, withdrawn(said))
	})
}

// withdrawn takes back what the plan of a closed pull request refused.
func withdrawn(said []waybill.Status) []waybill.Status {
	var back []waybill.Status
	for _, s := range said {
		if strings.HasSuffix(s.Context, "/"+string(waybill.StepPlan)) && s.State != waybill.StateSuccess {
			s.State, s.Outcome, s.Description = waybill.StateSuccess, waybill.Skipped, "the pull request is closed"
			back = append(back, s)
		}
	}
	return back
}
