// Package reconcile brings one ref of one repository from "it moved" to "handed over": fetch, load, plan, hand over.
//
// Each phase ends in one transaction that names it (check.fetched, check.loaded, check.planned), so a server that was
// killed goes on with the phase that was not recorded. Nothing here builds or deploys: valid declarations with their
// changes go to an interface that the server wires.
package reconcile

import (
	"context"
	"log/slog"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// fetchLimit bounds one fetch, however large the repository is.
const fetchLimit = 10 * time.Minute

// mirrors reads repositories.
type mirrors interface {
	// FetchTelling resolves the tip of ref, makes its objects available and returns the commit; NotFound when ref is gone,
	// TooLarge with the commit when its objects will not be. It may tell of the commit of a branch before.
	FetchTelling(ctx context.Context, r waybill.Repository, ref string, told func(commit string) error) (commit string, err error)
	// Tree returns the files of a fetched commit, or NotFound.
	Tree(ctx context.Context, r waybill.Repository, commit string) (waybill.Tree, error)
	// Keep makes Tree find a commit that came with the history of another; NotFound when it did not.
	Keep(ctx context.Context, r waybill.Repository, commit string) error
}

// connectors is the room that declarations are handed to.
type connectors interface {
	// Observe returns what is stored of the named connectors, unknown ones left out, and of what else dev serves from the
	// repository.
	Observe(ctx context.Context, q store.Querier, repository string, ids []waybill.Identity) ([]waybill.Observed, error)
	// Content identifies what would go into the image of d: equal strings build equal images.
	Content(ctx context.Context, t waybill.Tree, d waybill.Declaration) (string, error)
	// Accept takes the changes of one check over, in the transaction that closes it.
	Accept(ctx context.Context, tx *store.Tx, c waybill.Check, changes []waybill.Change) error
}

// platform is where the settings of the portal are declared.
type platform interface {
	// Is reports whether r is the platform repository.
	Is(r waybill.Repository) bool
	// Known completes what the manifests of a repository are judged by with what the portal knows.
	Known(ctx context.Context, q store.Querier, o manifest.Options) (manifest.Options, error)
	// Observe returns what is applied, for the plan, and what is wrong with declarations in the light of what is there.
	Observe(ctx context.Context, q store.Querier, c waybill.Check, wanted []waybill.Declaration) ([]waybill.Observed, waybill.Findings, error)
	// Apply makes the settings those of the declarations, in the transaction that closes the check, and says how many
	// changed.
	Apply(ctx context.Context, tx *store.Tx, c waybill.Check, wanted []waybill.Declaration) (changed int, err error)
}

// Options are what an Engine needs.
type Options struct {
	DB         *store.DB
	Mirrors    mirrors
	Loader     *manifest.Loader
	Connectors connectors
	Platform   platform
	// History, Forge and Trials are for pull requests. Forge returns the forge of a configured name; without Trials nothing
	// is built.
	History   history
	Forge     func(name string) (forge.Conversation, bool)
	Trials    trials
	Comments  string // CommentOff, CommentChange or CommentAlways
	PublicURL string // where people reach the portal, without slash at the end
	Now       func() time.Time
	Log       *slog.Logger
	Observer  Observer
}

// Observer hears of measurements; every function may be called from several goroutines.
type Observer struct {
	Git       func(operation string, took time.Duration, err error)
	Validated func(took time.Duration)
	Found     func(findings waybill.Findings) // once for each check, when it has ended
}

// Engine reconciles refs and pull requests.
type Engine struct {
	Options
	turns turns
}

// New returns an Engine.
func New(o Options) *Engine { return &Engine{Options: o} }

// work is one ref, or one pull request, on its way through the steps.
type work struct {
	item       queue.Item
	repository waybill.Repository
	ref        string
	tip        string // commit the ref points at now; empty when it is gone
	check      waybill.Check
	tree       waybill.Tree
	loaded     manifest.Result
	observed   bool            // the tip is recorded, and its check open
	passed     []waybill.Check // of commits that the ref left before anybody looked

	// Of a pull request, nil for any other ref:
	pull      *waybill.Pull
	base      string       // commit of the branch that it goes to; empty when that is gone
	head      waybill.Tree // what its author has written; tree is what merging would make
	merged    bool         // tree and head differ
	conflicts waybill.Findings
	own       map[string]string // contents of what the head declares, by identity
}

// Handle reconciles the ref of a work item; it is the queue's handler for the kind "ref".
func (e *Engine) Handle(ctx context.Context, item queue.Item) queue.Result {
	id, ref, ok := ParseKey(item.Key)
	if !ok {
		return queue.Discard(waybill.Errorf(waybill.Internal, "work key %q names no ref", item.Key))
	}
	r, err := gitstore.Repository(ctx, e.DB.Query(), id)
	if waybill.IsCode(err, waybill.NotFound) {
		return queue.Done() // removed meanwhile
	}
	if err == nil {
		err = e.reconcile(ctx, &work{item: item, repository: r, ref: ref})
	}
	switch {
	case err == nil:
		return queue.Done()
	case permanent(err):
		return queue.Discard(err)
	default:
		return queue.Retry(err)
	}
}

// permanent reports whether the same input will meet err again.
func permanent(err error) bool {
	return waybill.IsCode(err, waybill.Invalid) || waybill.IsCode(err, waybill.Denied) || waybill.IsCode(err, waybill.TooLarge)
}

// reconcile finishes what an earlier attempt left open, then looks at the tip if it is new.
func (e *Engine) reconcile(ctx context.Context, w *work) error {
	find := e.look
	if w.pull != nil {
		find = e.head
	}
	fetched := find(ctx, w)
	if fetched != nil && !permanent(fetched) {
		return fetched
	}
	open, err := gitstore.OpenChecks(ctx, e.DB.Query(), w.repository.ID, w.ref)
	if err != nil {
		return err
	}
	if fetched != nil {
		return e.refused(ctx, w, open, fetched)
	}
	for _, c := range open {
		w.check = c
		if err := e.examine(ctx, w); err != nil {
			return err
		}
	}
	if w.observed {
		return nil // the check was among the open ones
	}
	isNew, err := e.observe(ctx, w)
	if err == nil && isNew {
		err = e.examine(ctx, w)
	}
	for _, c := range w.passed {
		if err == nil {
			w.check = c
			err = e.examine(ctx, w)
		}
	}
	return err
}

// refused ends the checks of a ref that cannot be fetched any more: nobody comes back for them.
func (e *Engine) refused(ctx context.Context, w *work, open []waybill.Check, cause error) error {
	if w.tip != "" {
		isNew, err := e.observe(ctx, w)
		if err != nil {
			return err
		}
		if isNew {
			open = append(open, w.check)
		}
		open = append(open, w.passed...)
	}
	for _, c := range open {
		w.check, w.tip = c, c.Commit
		if err := e.giveUp(ctx, w, cause); err != nil {
			return err
		}
	}
	return cause
}

// examine brings w.check from the phase it is in to planned.
func (e *Engine) examine(ctx context.Context, w *work) error {
	for _, step := range []func(context.Context, *work) error{e.read, e.load, e.plan} {
		if err := step(ctx, w); err != nil {
			return e.giveUp(ctx, w, err)
		}
	}
	return nil
}

// Key names the work of one ref.
func Key(repository, ref string) string { return repository + " " + ref }

// Kind is the kind of work that Handle does.
const Kind = "ref"
