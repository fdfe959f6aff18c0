package reconcile

import (
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// result is the base of the aggregate status: what the check itself found.
func result(findings waybill.Findings, changes []waybill.Change, overtaken bool, tip string) (waybill.State, string) {
	deploys := slices.ContainsFunc(changes, func(c waybill.Change) bool { return c.Environment != "" })
	changed, what := 0, ""
	for _, c := range changes {
		if c.Class == waybill.Unchanged {
			continue
		}
		changed++
		if noun := noun(c.Identity.Kind); what == "" || what == noun {
			what = noun
		} else {
			what = "declaration"
		}
	}
	switch {
	case findings.Errors() > 0:
		return waybill.StateFailure, findings.Summary()
	case changed == 0:
		return waybill.StateSuccess, "no manifest changed"
	case overtaken && tip == "":
		return waybill.StateSuccess, "valid; not deployed, its branch is gone"
	case overtaken:
		return waybill.StateSuccess, "valid; not deployed, superseded by " + waybill.ShortCommit(tip)
	case deploys:
		return waybill.StateSuccess, waybill.Count(changed, what) + " released"
	default:
		return waybill.StateSuccess, waybill.Count(changed, what) + " valid; this ref deploys nothing"
	}
}

// validated returns the validate status of every declaration that changed or has findings. A document whose name
// cannot be read speaks only through the aggregate.
func (e *Engine) validated(w *work, changes []waybill.Change, findings waybill.Findings) []waybill.Status {
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
		if c.Class == waybill.Unchanged || broken[c.Identity.String()] {
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
