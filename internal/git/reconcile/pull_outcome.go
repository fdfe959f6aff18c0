package reconcile

import (
	"context"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// proposal is the base of the aggregate status for a pull request: what merging it would do.
func (w *work) proposal(findings waybill.Findings, changes []waybill.Change) (waybill.State, string) {
	planned := news(changes)
	switch {
	case findings.Errors() > 0:
		return waybill.StateFailure, findings.Summary()
	case len(planned) == 0:
		return waybill.StateSuccess, "no manifest changed"
	case w.tip == "":
		return waybill.StateSuccess, "valid; not planned, the pull request is closed"
	case w.tip != w.check.Commit:
		return waybill.StateSuccess, "valid; not planned, superseded by " + waybill.ShortCommit(w.tip)
	}
	var what []string
	for _, c := range planned {
		what = append(what, c.Identity.String()+" "+string(c.Class))
	}
	return waybill.StateSuccess, waybill.Count(len(planned), "change") + " planned: " + strings.Join(what, ", ")
}

// news leaves out what does not change.
func news(changes []waybill.Change) []waybill.Change {
	var planned []waybill.Change
	for _, c := range changes {
		if c.Class != waybill.Unchanged {
			planned = append(planned, c)
		}
	}
	return planned
}

// planned returns the plan status of every declaration that merging would change, and of those that cannot be planned.
func (w *work) planned(changes []waybill.Change, findings waybill.Findings, p past) []waybill.Status {
	var statuses []waybill.Status
	add := func(id waybill.Identity, o waybill.Outcome, description string) {
		statuses = append(statuses, waybill.Status{
			Context: waybill.ContextOf(id, waybill.StepPlan), State: o.State(), Outcome: o,
			Description: waybill.Describe(description), URL: commitPage(w.repository, w.check.Commit), Started: w.check.Opened,
		})
	}
	wrong := broken(findings)
	for i, id := range wrong {
		if !slices.Contains(wrong[:i], id) {
			add(id, waybill.Failed, "not planned: "+findings.Of(id.String()).Summary())
		}
	}
	for _, c := range changes {
		context := waybill.ContextOf(c.Identity, waybill.StepPlan)
		spoke := slices.ContainsFunc(p.said, func(s waybill.Status) bool { return s.Context == context })
		switch {
		case slices.Contains(wrong, c.Identity):
		case c.Class == waybill.Unchanged && !spoke:
		case w.tip == "":
			add(c.Identity, waybill.Skipped, "the pull request is closed")
		case w.tip != w.check.Commit:
			add(c.Identity, waybill.Superseded, "superseded by "+waybill.ShortCommit(w.tip))
		case c.Class == waybill.Unchanged:
			add(c.Identity, waybill.OK, "merging changes nothing")
		default:
			add(c.Identity, waybill.OK, w.describe(c))
		}
	}
	return statuses
}

// describe says in one line what merging does to one declaration.
func (w *work) describe(c waybill.Change) string {
	text := string(c.Class)
	if len(c.Parts) > 0 {
		text += ": " + strings.Join(c.Parts, ", ")
	}
	if c.Environment == "" {
		text += "; " + w.pull.Base + " deploys nothing of it"
	}
	if len(c.Affected) > 0 {
		text += "; affects " + strings.Join(c.Affected, ", ")
	}
	return text
}

// offer records what merging the pull request would do, has its head built when it lies in the same repository, and asks
// for the comment. Nothing is handed over.
func (e *Engine) offer(ctx context.Context, tx *store.Tx, w *work, c *waybill.Check, changes []waybill.Change) error {
	if w.tip != c.Commit {
		return nil // a newer head, or the end of the pull request, has its own
	}
	if err := gitstore.SetPullAgainst(ctx, tx, c.Repository, w.pull.Number, w.base); err != nil {
		return err
	}
	if err := gitstore.SetPullNote(ctx, tx, c.Repository, w.pull.Number, ""); err != nil {
		return err
	}
	c.Changes = nil
	for _, change := range news(changes) {
		change.Wanted, change.Content = nil, ""
		c.Changes = append(c.Changes, change)
	}
	if !w.pull.Fork && e.Trials != nil {
		if err := e.Trials.Try(ctx, tx, *c, w.buildable(changes, c.Findings)); err != nil {
			return err
		}
	}
	return e.say(ctx, tx, w.repository, w.pull.Number)
}

// buildable lists the changes that need an image of what the head holds.
func (w *work) buildable(changes []waybill.Change, findings waybill.Findings) []waybill.Change {
	wrong := broken(findings)
	var list []waybill.Change
	for _, c := range changes {
		content, in := w.own[c.Identity.String()]
		image := c.Class == waybill.Create || c.Class == waybill.Rebuild || c.Class == waybill.Recheck
		if image && in && c.Wanted != nil && c.Wanted.Connector != nil && !slices.Contains(wrong, c.Identity) {
			c.Environment, c.Content = waybill.Try, content
			list = append(list, c)
		}
	}
	return list
}

// inHead leaves the declarations whose manifests are in the head of a pull request.
func (w *work) inHead(ctx context.Context) ([]waybill.Declaration, error) {
	var list []waybill.Declaration
	for _, d := range w.loaded.Declarations {
		f, err := w.head.Open(ctx, d.File)
		if waybill.IsCode(err, waybill.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		_ = f.Close()
		list = append(list, d)
	}
	return list, nil
}
