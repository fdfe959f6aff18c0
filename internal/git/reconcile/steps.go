package reconcile

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/git/plan"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// ParseKey splits what Key joined.
func ParseKey(key string) (repository, ref string, ok bool) { return strings.Cut(key, " ") }

// look is fetch that records the tip of a branch as soon as it is known, so that people see that their push has arrived
// before its objects have.
func (e *Engine) look(ctx context.Context, w *work) error {
	return e.fetchTelling(ctx, w, func(commit string) error {
		w.tip = commit
		_, err := e.observe(ctx, w)
		w.observed = err == nil
		return err
	})
}

// fetch sets w.tip. A ref that is gone has an empty tip; that is no error.
func (e *Engine) fetch(ctx context.Context, w *work) error {
	return e.fetchTelling(ctx, w, func(string) error { return nil })
}

func (e *Engine) fetchTelling(ctx context.Context, w *work, told func(commit string) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchLimit, waybill.Errorf(waybill.Unavailable, "fetch took longer than %s", fetchLimit))
	defer cancel()
	start := e.Now()
	tip, err := e.Mirrors.FetchTelling(ctx, w.repository, w.ref, told)
	if waybill.IsCode(err, waybill.NotFound) {
		tip, err = "", nil
	}
	e.Observer.Git("fetch", e.Now().Sub(start), err)
	w.tip = tip
	return err
}

// observe records the tip and opens a check when it was not seen before.
func (e *Engine) observe(ctx context.Context, w *work) (isNew bool, err error) {
	if w.pull != nil {
		return e.propose(ctx, w)
	}
	now := e.Now()
	check := waybill.Check{
		ID: store.NewID(now), Repository: w.repository.ID, Ref: w.ref, Commit: w.tip,
		Cause: "push", Phase: waybill.Fetched, State: waybill.StateSuccess, Opened: now,
	}
	err = e.DB.Write(ctx, "check.fetched", func(tx *store.Tx) error {
		if err := w.item.Fence(ctx, tx); err != nil {
			return err
		}
		known, _, err := gitstore.FindRef(ctx, tx, w.repository.ID, w.ref)
		if err != nil {
			return err
		}
		if err := e.pass(ctx, tx, w, known, now); err != nil || known.Tip == w.tip {
			isNew = false
			return err
		}
		isNew = w.tip != ""
		seen := waybill.Ref{Repository: w.repository.ID, Name: w.ref, Tip: w.tip, Observed: now}
		if err := gitstore.PutRef(ctx, tx, seen); err != nil || !isNew {
			return err
		}
		if w.repository.DefaultBranch, err = adoptDefaultBranch(ctx, tx, w); err != nil {
			return err
		}
		if check.Actor, err = gitstore.Pusher(ctx, tx, w.repository.ID, w.ref, w.tip); err != nil {
			return err
		}
		return e.open(ctx, tx, w, check)
	})
	w.check = check
	return isNew, err
}

// adoptDefaultBranch makes the first pushed branch the default when HEAD of the repository named none, and returns the
// default branch. It reads the store: the branches of a first push are looked at by several workers.
func adoptDefaultBranch(ctx context.Context, tx *store.Tx, w *work) (string, error) {
	stored, err := gitstore.Repository(ctx, tx, w.repository.ID)
	branch, ok := waybill.Branch(w.ref)
	if err != nil || !ok || stored.DefaultBranch != "" || waybill.Queued(w.ref) {
		return stored.DefaultBranch, err
	}
	return branch, gitstore.SetDefaultBranch(ctx, tx, w.repository.ID, branch)
}

// read parses every manifest of the commit. It changes nothing, so it runs again after a restart.
func (e *Engine) read(ctx context.Context, w *work) error {
	if err := e.tree(ctx, w); err != nil {
		return err
	}
	start := e.Now()
	options, err := e.Platform.Known(ctx, e.DB.Query(), manifest.Options{
		Owner: w.repository.Owner, Platform: e.Platform.Is(w.repository), Publishing: isTag(w.ref),
	})
	if err != nil {
		return err
	}
	if err := w.welcome(options); err != nil {
		return err
	}
	w.loaded, err = e.Loader.Load(ctx, w.tree, options)
	w.contradict()
	e.Observer.Validated(e.Now().Sub(start))
	return err
}

func isTag(ref string) bool {
	_, ok := waybill.Tag(ref)
	return ok
}

// load records the findings.
func (e *Engine) load(ctx context.Context, w *work) error {
	if w.check.Phase != waybill.Fetched {
		return nil
	}
	w.check.Phase, w.check.Findings = waybill.Loaded, w.loaded.Findings
	for _, d := range w.loaded.Declarations {
		w.check.Connectors = append(w.check.Connectors, d.Identity.String())
	}
	return e.DB.Write(ctx, "check.loaded", func(tx *store.Tx) error {
		if err := w.item.Fence(ctx, tx); err != nil {
			return err
		}
		return gitstore.PutCheck(ctx, tx, w.check)
	})
}

// plan compares with what is stored, hands the changes over and closes the check, all in one transaction.
// It reports validate for every declaration that changed or has findings.
func (e *Engine) plan(ctx context.Context, w *work) error {
	contents, err := e.contents(ctx, w, w.tree, w.loaded.Declarations)
	if err != nil {
		return err
	}
	if err := e.ownContents(ctx, w, contents); err != nil {
		return err
	}
	concerned, err := e.concerned(ctx, w)
	if err != nil {
		return err
	}
	return e.DB.Write(ctx, "check.planned", func(tx *store.Tx) error {
		if err := w.item.Fence(ctx, tx); err != nil {
			return err
		}
		observed, err := e.Connectors.Observe(ctx, tx, w.repository.ID, w.identities())
		if err != nil {
			return err
		}
		var contradicted waybill.Findings
		if e.Platform.Is(w.repository) {
			var applied []waybill.Observed
			if applied, contradicted, err = e.Platform.Observe(ctx, tx, w.check, w.loaded.Declarations); err != nil {
				return err
			}
			observed = append(observed, applied...)
		}
		changes, refused := plan.Compute(plan.Input{
			Wanted: w.loaded.Declarations, Observed: observed, Contents: contents, Repository: w.repository,
			Ref: w.target(), Commit: w.check.Commit, Retry: w.check.Cause == "retry",
			Broken: broken(w.loaded.Findings),
		})
		refused = append(refused, contradicted...)
		if err := e.close(ctx, tx, w, changes, refused); err != nil {
			return err
		}
		return e.tellPulls(ctx, tx, w, concerned)
	})
}

// close writes the result of the check. Changes of an overtaken commit are not handed over.
func (e *Engine) close(ctx context.Context, tx *store.Tx, w *work, changes []waybill.Change, refused waybill.Findings) error {
	c := w.check
	c.Findings = slices.Concat(w.loaded.Findings, refused)
	c.Findings.Sort()
	c.Phase, c.Closed = waybill.Planned, e.Now()
	overtaken := w.tip != c.Commit
	past, err := e.past(ctx, tx, c)
	if err != nil {
		return err
	}
	statuses := e.validated(w, changes, c.Findings, past)
	switch {
	case w.pull != nil:
		c.State, c.Summary = w.proposal(c.Findings, changes)
		statuses = append(statuses, w.planned(changes, c.Findings, past)...)
		err = e.offer(ctx, tx, w, &c, changes)
	default:
		c.State, c.Summary = result(c.Findings, changes, overtaken, w.tip, past)
		if !overtaken {
			err = e.handOver(ctx, tx, w, &c, changes)
		}
	}
	if err != nil {
		return err
	}
	if err := gitstore.PutCheck(ctx, tx, c); err != nil {
		return err
	}
	w.check = c
	tx.After(func() { e.Observer.Found(c.Findings) })
	return gitstore.SetStatuses(ctx, tx, c.Repository, c.Commit, statuses)
}

// handOver gives the changes to the rooms that act on them. Settings are those of the platform repository's default
// branch, all or none: a tree with a mistake leaves them as they are.
func (e *Engine) handOver(ctx context.Context, tx *store.Tx, w *work, c *waybill.Check, changes []waybill.Change) error {
	if err := e.Connectors.Accept(ctx, tx, *c, changes); err != nil {
		return err
	}
	branch, _ := waybill.Branch(w.ref)
	if !e.Platform.Is(w.repository) || branch == "" || branch != w.repository.DefaultBranch || c.Findings.Errors() > 0 {
		return nil
	}
	changed, err := e.Platform.Apply(ctx, tx, *c, w.loaded.Declarations)
	if err == nil && changed > 0 {
		c.Summary = waybill.Count(changed, "setting") + " applied"
	}
	return err
}

// giveUp turns an error that the same commit will meet again into a final status; any other is tried again.
func (e *Engine) giveUp(ctx context.Context, w *work, cause error) error {
	last := w.item.Attempt >= maxAttempts && !errors.Is(cause, context.Canceled)
	if !permanent(cause) && !last && !w.gone(cause) {
		return cause
	}
	c := w.check
	c.Phase, c.Closed = waybill.Planned, e.Now()
	c.State, c.Summary = waybill.StateError, "not checked: "+cause.Error()
	switch {
	case errors.Is(cause, errFork):
		c.State, c.Summary = waybill.StateFailure, "not checked: "+cause.Error()
	case w.tip == c.Commit:
	case w.tip == "":
		c.Summary = "not checked, its branch is gone"
	default:
		c.Summary = "not checked, superseded by " + waybill.ShortCommit(w.tip)
	}
	e.Log.ErrorContext(ctx, "check given up", "repository", w.repository.FullName(), "ref", w.ref, "commit", c.Commit, "error", cause)
	return e.DB.Write(ctx, "check.given_up", func(tx *store.Tx) error {
		if err := w.item.Fence(ctx, tx); err != nil {
			return err
		}
		if err := gitstore.PutCheck(ctx, tx, c); err != nil {
			return err
		}
		if w.pull != nil {
			if err := e.offer(ctx, tx, w, &c, nil); err != nil {
				return err
			}
		}
		return gitstore.SetStatuses(ctx, tx, c.Repository, c.Commit, nil)
	})
}

// maxAttempts is how often a check meets a passing fault before the commit is told.
const maxAttempts = 8

// contents identifies what would go into each image. It waits for no engine. What cannot be read counts as new with
// every commit, so that the build meets it and says what is wrong.
func (e *Engine) contents(ctx context.Context, w *work, tree waybill.Tree, declarations []waybill.Declaration) (map[string]string, error) {
	contents := make(map[string]string, len(declarations))
	for _, d := range declarations {
		if d.Connector == nil {
			continue
		}
		c, err := e.Connectors.Content(ctx, tree, d)
		switch {
		case waybill.IsCode(err, waybill.Invalid), waybill.IsCode(err, waybill.NotFound), waybill.IsCode(err, waybill.TooLarge):
			c = "unreadable at " + w.check.Commit
		case err != nil:
			return nil, err
		}
		contents[d.Identity.String()] = c
	}
	return contents, nil
}

// ownContents identifies what would go into the images of the head of a pull request; merged is that of the merged tree.
func (e *Engine) ownContents(ctx context.Context, w *work, merged map[string]string) (err error) {
	if w.pull == nil || w.pull.Fork || e.Trials == nil {
		return nil
	}
	if w.own = merged; !w.merged {
		return nil
	}
	declarations, err := w.inHead(ctx)
	if err == nil {
		w.own, err = e.contents(ctx, w, w.head, declarations)
	}
	return err
}

// broken lists the declarations that have errors.
func broken(findings waybill.Findings) []waybill.Identity {
	var ids []waybill.Identity
	for _, f := range findings {
		if f.Severity == waybill.SeverityError && f.Declaration != "" {
			ids = append(ids, waybill.ParseIdentity(f.Declaration))
		}
	}
	return ids
}

func (w *work) identities() []waybill.Identity {
	ids := make([]waybill.Identity, 0, len(w.loaded.Declarations))
	for _, d := range w.loaded.Declarations {
		ids = append(ids, d.Identity)
	}
	return ids
}
