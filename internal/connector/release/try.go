package release

import (
	"context"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Try builds what the head of a pull request would need, in the transaction that closes its check. Such a release has the
// build step alone: it is never registered, pushed to a registry or live, and claims no name. What was built of the same
// commit already is not built again, unless it failed and somebody asks.
func (e *Engine) Try(ctx context.Context, tx *store.Tx, c waybill.Check, changes []waybill.Change) error {
	for _, change := range changes {
		done, err := tried(ctx, tx, c, change)
		if err != nil {
			return err
		}
		if !done {
			if err := e.open(ctx, tx, c, change); err != nil {
				return err
			}
		}
	}
	return nil
}

// tried reports whether the newest build of a change, for the same commit and pull request, stands.
func tried(ctx context.Context, q store.Querier, c waybill.Check, change waybill.Change) (bool, error) {
	earlier, err := connectorstore.Releases(ctx, q, connectorstore.ReleaseFilter{
		Connector: change.Identity.Name, Major: change.Identity.Major, Environment: waybill.Try, Repository: c.Repository, Commit: c.Commit,
	})
	for _, r := range earlier {
		if r.Ref != c.Ref || r.Context != change.Content || r.Declaration.Digest != change.Wanted.Digest {
			continue
		}
		return !r.Outcome.Final() || r.Outcome == waybill.OK || r.Outcome == waybill.Failed && c.Cause != "retry", err
	}
	return false, err
}

// Trials lists what became of the builds of a check's commit in its pull request: of each declaration the newest.
func (e *Engine) Trials(ctx context.Context, q store.Querier, c waybill.Check) ([]waybill.Trial, error) {
	all, err := connectorstore.Releases(ctx, q, connectorstore.ReleaseFilter{
		Environment: waybill.Try, Repository: c.Repository, Commit: c.Commit, Limit: maxOpen,
	})
	if err != nil {
		return nil, err
	}
	var list []waybill.Trial
	for _, r := range all {
		id := r.Declaration.Identity
		if r.Ref != c.Ref || slices.ContainsFunc(list, func(t waybill.Trial) bool { return t.Identity == id }) {
			continue
		}
		image, _, err := connectorstore.FindImage(ctx, q, r.Context, r.Recipe)
		if err != nil {
			return nil, err
		}
		step, _ := r.Step(waybill.StepBuild)
		list = append(list, waybill.Trial{
			Identity: id, Release: r.ID, Outcome: step.Outcome, Detail: step.Detail, Image: r.Image, Size: image.Size,
		})
	}
	return list, nil
}

// discuss has people of a pull request told that one of its builds has ended.
func (e *Engine) discuss(ctx context.Context, tx *store.Tx, r waybill.Release) error {
	if e.Discussion == nil {
		return nil
	}
	c, err := gitstore.Check(ctx, tx, r.Check)
	if waybill.IsCode(err, waybill.NotFound) {
		return nil // it was long ago
	}
	if err == nil {
		_, err = queue.Enqueue(ctx, tx, e.Discussion(r.Repository, c.Pull, r.Declaration.Connector.Owner))
	}
	return err
}

// Reconsider makes the builds of a pull request see whether they are still wanted.
func (e *Engine) Reconsider(ctx context.Context, tx *store.Tx, repository, ref string) error {
	open, err := connectorstore.Releases(ctx, tx, connectorstore.ReleaseFilter{
		Environment: waybill.Try, Repository: repository, Open: true, Limit: maxOpen,
	})
	if err != nil {
		return err
	}
	for _, r := range open {
		if r.Ref != ref {
			continue
		}
		if err := wake(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

// maxOpen bounds how many builds of pull requests of one repository are looked through.
const maxOpen = 1000

// tryKey names the work of a connector major in one pull request: two of them build side by side.
func tryKey(r waybill.Release) string {
	return LaneKey(r.Declaration.Identity, waybill.Try) + " " + r.Repository + " " + r.Ref
}

// lane lists the open releases of a work item, oldest first.
func (e *Engine) lane(ctx context.Context, id waybill.Identity, env waybill.Environment, place string) ([]waybill.Release, error) {
	open, err := connectorstore.Lane(ctx, e.DB.Query(), id.Name, id.Major, env)
	if env != waybill.Try {
		return open, err
	}
	repository, ref, _ := strings.Cut(place, " ")
	var here []waybill.Release
	for _, r := range open {
		if r.Repository == repository && r.Ref == ref {
			here = append(here, r)
		}
	}
	return here, err
}

// unwanted returns why the build of a pull request is not needed any more: a newer head, or the end of the pull request;
// "" while it is.
func (e *Engine) unwanted(ctx context.Context, r waybill.Release) (string, error) {
	c, err := gitstore.Check(ctx, e.DB.Query(), r.Check)
	if waybill.IsCode(err, waybill.NotFound) {
		return "its check is gone", nil
	}
	if err != nil {
		return "", err
	}
	p, err := gitstore.Pull(ctx, e.DB.Query(), r.Repository, c.Pull)
	switch {
	case waybill.IsCode(err, waybill.NotFound), err == nil && !p.Open:
		return "the pull request is closed", nil
	case err != nil:
		return "", err
	case p.Head != r.Commit:
		return supersededError{p.Head}.Error(), nil
	default:
		return "", nil
	}
}

// try works on the builds of one pull request.
func (e *Engine) try(ctx context.Context, item queue.Item, open []waybill.Release) error {
	for i, r := range open {
		why, err := e.unwanted(ctx, r)
		if err != nil {
			return err
		}
		if why == "" && i < len(open)-1 {
			why = "there is a newer one" // of the same head: somebody asked for it again
		}
		j := &job{item: item, release: r}
		if why != "" {
			err = e.giveUp(ctx, j, why)
		} else {
			err = e.work(ctx, j)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// giveUp ends the build of a pull request that nobody needs any more. Its check stays as it is: what merging would do is
// known without it.
func (e *Engine) giveUp(ctx context.Context, j *job, why string) error {
	step, ok := firstOpen(j.release)
	if !ok {
		return nil
	}
	return e.end(ctx, j, outcome{step, waybill.Superseded, why})
}

// keptTries adds those images that open pull requests have.
func (e *Engine) keptTries(ctx context.Context, images []connectorstore.Image, kept map[string]bool) error {
	doubtful := map[string]bool{}
	for _, i := range images {
		doubtful[i.Image] = !kept[i.Image]
	}
	return e.eachRelease(ctx, waybill.Try, func(r waybill.Release) error {
		if !doubtful[r.Image] || kept[r.Image] {
			return nil
		}
		why, err := e.unwanted(ctx, r)
		if err == nil && why == "" {
			kept[r.Image] = true
		}
		return err
	})
}
