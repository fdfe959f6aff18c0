package reconcile

import (
	"context"

	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/git/plan"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Question asks what a tree that was not pushed would mean.
type Question struct {
	Tree       waybill.Tree
	Folders    []string // whose manifests are meant; nil: all
	Repository string   // id, name or URL it would be pushed to; empty: not known
}

// Preview is the answer. Nothing was stored.
type Preview struct {
	// Repository is zero when it is not watched: owners are not checked then, and nothing is compared.
	Repository waybill.Repository
	Loaded     manifest.Result
	Changes    []waybill.Change
	Findings   waybill.Findings // with what the plan refuses; sorted
}

// Preview validates a tree as a push to the default branch would, with everything the portal knows, and says what it
// would change. What goes into images is not part of the tree, so only settings are compared.
func (e *Engine) Preview(ctx context.Context, q Question) (Preview, error) {
	var p Preview
	var err error
	db := e.DB.Query()
	if q.Repository != "" {
		p.Repository, err = gitstore.RepositoryByName(ctx, db, q.Repository)
		if err != nil && !waybill.IsCode(err, waybill.NotFound) {
			return p, err
		}
	}
	options, err := e.Platform.Known(ctx, db, manifest.Options{
		Owner: p.Repository.Owner, Folders: q.Folders, Platform: p.Repository.ID == "" || e.Platform.Is(p.Repository),
	})
	if err != nil {
		return p, err
	}
	if p.Loaded, err = e.Loader.Load(ctx, q.Tree, options); err != nil {
		return p, err
	}
	p.Findings = p.Loaded.Findings
	if p.Repository.ID == "" {
		return p, nil
	}
	w := &work{repository: p.Repository, loaded: p.Loaded}
	whole := p.Repository.ID
	if q.Folders != nil {
		whole = "" // what other folders declare is not gone
	}
	observed, err := e.Connectors.Observe(ctx, db, whole, w.identities())
	if err != nil {
		return p, err
	}
	if e.Platform.Is(p.Repository) {
		applied, contradicted, err := e.Platform.Observe(ctx, db, waybill.Check{Repository: p.Repository.ID}, p.Loaded.Declarations)
		if err != nil {
			return p, err
		}
		if whole != "" {
			observed = append(observed, applied...)
		}
		p.Findings = append(p.Findings, contradicted...)
	}
	changes, refused := plan.Compute(plan.Input{
		Wanted: p.Loaded.Declarations, Broken: broken(p.Loaded.Findings), Observed: observed, Repository: p.Repository,
		Ref: "refs/heads/" + p.Repository.DefaultBranch,
	})
	p.Changes, p.Findings = changes, append(p.Findings, refused...)
	p.Findings.Sort()
	return p, nil
}
