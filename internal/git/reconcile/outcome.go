package reconcile

import (
	"context"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// past is what is known of a commit and its ref when a check is closed.
type past struct {
	said    []waybill.Status // what the commit says already
	earlier []waybill.Check  // other checks of the commit, newest first
	before  waybill.Check    // check of the commit that the ref pointed at before; zero when there was none
}

func (e *Engine) past(ctx context.Context, q store.Querier, c waybill.Check) (p past, err error) {
	if p.said, err = gitstore.Statuses(ctx, q, c.Repository, c.Commit); err != nil {
		return p, err
	}
	if p.earlier, err = gitstore.Checks(ctx, q, c.Repository, c.Commit); err != nil {
		return p, err
	}
	p.earlier = slices.DeleteFunc(p.earlier, func(o waybill.Check) bool { return o.ID >= c.ID })
	p.before, _, err = gitstore.CheckBefore(ctx, q, c.Repository, c.Ref, c.ID)
	return p, err
}

// speaks reports whether the commit has to say something of a declaration: it changed, the commit spoke of it before,
// or it was broken until now.
func (p past) speaks(c waybill.Change) bool {
	context := waybill.ContextOf(c.Identity, waybill.StepValidate)
	return c.Class != waybill.Unchanged || p.mends(c) ||
		slices.ContainsFunc(p.said, func(s waybill.Status) bool { return s.Context == context })
}

func (p past) mends(c waybill.Change) bool {
	return p.before.Findings.Of(c.Identity.String()).Errors() > 0
}

// unchanged says why a commit that changes nothing is well: in the words of an earlier cause, when there was one.
func (p past) unchanged(changes []waybill.Change) string {
	for _, c := range p.earlier {
		if c.State == waybill.StateSuccess && c.Summary != "" {
			return c.Summary
		}
	}
	mended := 0
	for _, c := range changes {
		if p.mends(c) {
			mended++
		}
	}
	if mended > 0 {
		return waybill.Count(mended, "connector") + " valid again; what is deployed is the same"
	}
	return "no manifest changed"
}

// result is the base of the aggregate status: what the check itself found.
func result(findings waybill.Findings, changes []waybill.Change, overtaken bool, tip string, p past) (waybill.State, string) {
	var gone, changed []waybill.Change
	for _, c := range changes {
		switch c.Class {
		case waybill.Unchanged:
		case waybill.Remove:
			gone = append(gone, c)
		default:
			changed = append(changed, c)
		}
	}
	switch {
	case findings.Errors() > 0:
		return waybill.StateFailure, findings.Summary()
	case len(changed) == 0 && len(gone) > 0:
		return waybill.StateSuccess, undeclared(gone)
	case len(changed) == 0:
		return waybill.StateSuccess, p.unchanged(changes)
	case overtaken && tip == "":
		return waybill.StateSuccess, "valid; not deployed, its branch is gone"
	case overtaken:
		return waybill.StateSuccess, "valid; not deployed, superseded by " + waybill.ShortCommit(tip)
	default:
		return waybill.StateSuccess, consequences(changed)
	}
}

// undeclared says what becomes of declarations that are gone: settings are taken back, connectors leave dev.
func undeclared(gone []waybill.Change) string {
	var names []string
	settings := true
	for _, c := range gone {
		names = append(names, c.Identity.String())
		settings = settings && isSetting(c.Identity.Kind)
	}
	is, it := " is ", "it"
	if len(gone) > 1 {
		is, it = " are ", "them"
	}
	if settings {
		return strings.Join(names, ", ") + is + "no longer declared and not applied any more"
	}
	return strings.Join(names, ", ") + is + "no longer declared; dev loses " + it + " after a while, prod keeps " + it
}

// consequences says what becomes of changes: connectors are released, settings applied. Apps are only validated.
func consequences(changes []waybill.Change) string {
	var connectors, settings, apps tally
	for _, c := range changes {
		switch {
		case c.Identity.Kind == waybill.KindConnector:
			connectors.add(c)
		case isSetting(c.Identity.Kind):
			settings.add(c)
		default:
			apps.add(c)
		}
	}
	var parts []string
	for _, t := range []struct {
		tally
		does, otherwise string
	}{
		{connectors, "released", "valid; this ref deploys nothing"},
		{settings, "applied", "valid; this ref applies nothing"},
		{apps, "valid; apps are not published yet", "valid; apps are not published yet"},
	} {
		switch {
		case t.acts:
			parts = append(parts, waybill.Count(t.count, t.noun)+" "+t.does)
		case t.count > 0:
			parts = append(parts, waybill.Count(t.count, t.noun)+" "+t.otherwise)
		}
	}
	return strings.Join(parts, ", ")
}

func isSetting(kind string) bool { return kind != waybill.KindConnector && kind != waybill.KindApp }

// tally counts changes of one sort.
type tally struct {
	count int
	noun  string // what they are, as far as they are of one kind
	acts  bool   // at least one goes somewhere
}

func (t *tally) add(c waybill.Change) {
	t.count++
	t.acts = t.acts || c.Environment != ""
	if n := noun(c.Identity.Kind); t.noun == "" || t.noun == n {
		t.noun = n
	} else {
		t.noun = "setting"
	}
}

// validated returns the validate status of every declaration that has findings or that the commit has to speak of. A
// document whose name cannot be read speaks only through the aggregate.
func (e *Engine) validated(w *work, changes []waybill.Change, findings waybill.Findings, p past) []waybill.Status {
	page := commitPage(w.repository, w.check.Commit)
	var statuses []waybill.Status
	add := func(id waybill.Identity, o waybill.Outcome, description string) {
		statuses = append(statuses, waybill.Status{
			Context: waybill.ContextOf(id, waybill.StepValidate), State: o.State(), Outcome: o,
			Description: waybill.Describe(description), URL: page, Started: w.check.Opened,
		})
	}
	broken := map[string]bool{}
	for _, f := range findings {
		if f.Declaration == "" || f.Severity != waybill.SeverityError || broken[f.Declaration] {
			continue
		}
		broken[f.Declaration] = true
		own := findings.Of(f.Declaration)
		add(waybill.ParseIdentity(f.Declaration), waybill.Failed, own.Summary())
	}
	for _, c := range changes {
		if c.Class == waybill.Remove || !p.speaks(c) || broken[c.Identity.String()] {
			continue
		}
		add(c.Identity, waybill.OK, "1 "+noun(c.Identity.Kind))
	}
	return statuses
}

// noun is what people call a kind.
func noun(kind string) string {
	switch kind {
	case "Connector", "App", "Repository", "Team", "Site", "Workspace", "Policy":
		return strings.ToLower(kind)
	case "AuthProvider":
		return "provider"
	case "EventCatalog":
		return "event catalog"
	default:
		return "declaration"
	}
}

// commitPage is the path of the page that shows a commit's statuses and findings.
func commitPage(r waybill.Repository, commit string) string {
	return "/repositories/" + r.FullName() + "/commits/" + commit
}
