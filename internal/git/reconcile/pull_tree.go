package reconcile

import (
	"context"
	"errors"
	"path"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/git/merge"
	"github.com/waybill-dev/waybill/internal/git/plan"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// tree sets w.tree to what is judged: the files of the commit, or, for a pull request, what merging it into its base
// would make of them; w.head is what its author has written, w.conflicts where the two contradict each other.
func (e *Engine) tree(ctx context.Context, w *work) (err error) {
	w.conflicts, w.merged = nil, false
	if w.head, err = e.files(ctx, w); err != nil {
		return err
	}
	w.tree = w.head
	if w.pull == nil || w.base == "" {
		return nil
	}
	parted, err := e.History.MergeBase(ctx, w.repository, w.base, w.check.Commit)
	if waybill.IsCode(err, waybill.TooLarge) {
		e.Log.WarnContext(ctx, "pull request is planned without its base", "repository", w.repository.FullName(),
			"pull", w.pull.Number, "error", err)
		return nil
	}
	if err != nil || parted == w.base {
		return err
	}
	ours, err := e.Mirrors.Tree(ctx, w.repository, w.base)
	if err != nil || parted == w.check.Commit {
		w.tree, w.merged = ours, true
		return err
	}
	var from waybill.Tree
	if parted != "" {
		if from, err = e.Mirrors.Tree(ctx, w.repository, parted); err != nil {
			return err
		}
	}
	merged, err := merge.Trees(ctx, from, ours, w.head)
	if err != nil {
		return err
	}
	w.tree, w.merged, w.conflicts = merged.Tree, true, plan.Conflicts(merged.Conflicts, w.pull.Base)
	return nil
}

// contradict adds the conflicts to the findings. One of a manifest belongs to what the manifest declares.
func (w *work) contradict() {
	for _, f := range w.conflicts {
		for _, d := range w.loaded.Declarations {
			if d.File == f.File {
				f.Declaration = d.Identity.String()
				break
			}
		}
		w.loaded.Findings = append(w.loaded.Findings, f)
	}
	w.loaded.Findings.Sort()
}

// errFork is why a pull request from elsewhere is not looked at.
var errFork = errors.New("pull requests from forks are not looked at here")

// welcome reports, as Denied, that a policy does not want pull requests from forks to be looked at.
func (w *work) welcome(o manifest.Options) error {
	if w.pull == nil || !w.pull.Fork {
		return nil
	}
	for _, p := range o.Policies {
		if p.Forks == "deny" {
			return waybill.Wrap(waybill.Denied, errFork, errFork.Error())
		}
	}
	return nil
}

// target is the ref that the plan is made for: that of the check, or the branch that a pull request goes to.
func (w *work) target() string {
	if w.pull != nil {
		return "refs/heads/" + w.pull.Base
	}
	return w.ref
}

// concerned says for each commit that open pull requests to the branch of w were last looked at with, whether what
// changed since may change what they mean: manifests, or files that go into an image.
func (e *Engine) concerned(ctx context.Context, w *work) (map[string]bool, error) {
	branch, ok := waybill.Branch(w.ref)
	if !ok || w.pull != nil || w.tip != w.check.Commit || e.Forge == nil {
		return nil, nil
	}
	pulls, err := gitstore.OpenPulls(ctx, e.DB.Query(), w.repository.ID)
	if err != nil {
		return nil, err
	}
	concerned := map[string]bool{}
	for _, p := range pulls {
		if _, known := concerned[p.Against]; known || p.Base != branch {
			continue
		}
		if concerned[p.Against] = p.Against == ""; concerned[p.Against] {
			continue
		}
		changed, err := e.History.Changed(ctx, w.repository, p.Against, w.tip)
		if err != nil && !waybill.IsCode(err, waybill.NotFound) {
			return nil, err
		}
		concerned[p.Against] = err != nil || w.matter(changed)
	}
	return concerned, nil
}

// matter reports whether one of the paths is a manifest or goes into an image.
func (w *work) matter(changed []string) bool {
	for _, name := range changed {
		if path.Base(name) == manifest.Name {
			return true
		}
		for _, d := range w.loaded.Declarations {
			if d.Connector == nil {
				continue
			}
			context := path.Join(d.Folder, d.Connector.Build.Context)
			if context == "." || strings.HasPrefix(name, context+"/") || name == path.Join(d.Folder, d.Connector.Build.Dockerfile) {
				return true
			}
		}
	}
	return false
}

// tellPulls sends workers to the open pull requests that the new tip of their base concerns. For the others their newest
// check holds with the new tip too.
func (e *Engine) tellPulls(ctx context.Context, tx *store.Tx, w *work, concerned map[string]bool) error {
	if len(concerned) == 0 {
		return nil
	}
	pulls, err := gitstore.OpenPulls(ctx, tx, w.repository.ID)
	if err != nil {
		return err
	}
	for _, p := range pulls {
		concerns, known := concerned[p.Against]
		switch {
		case "refs/heads/"+p.Base != w.ref || p.Against == w.tip:
		case known && !concerns:
			err = gitstore.SetPullAgainst(ctx, tx, p.Repository, p.Number, w.tip)
		default:
			err = e.lookAt(ctx, tx, w.repository, p.Number)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lookAt sends a worker to a pull request.
func (e *Engine) lookAt(ctx context.Context, tx *store.Tx, r waybill.Repository, number int) error {
	_, err := queue.Enqueue(ctx, tx, queue.Entry{Kind: PullKind, Key: PullKey(r.ID, number), Tenant: r.Owner})
	return err
}
