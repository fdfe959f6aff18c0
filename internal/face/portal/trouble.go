package portal

import (
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// trouble is something that went wrong: what, the cause in its own words, and the next action in a sentence.
type trouble struct {
	Mark    mark
	Title   string
	Subject link // the object it happened to
	Quote   string
	Next    string
	Still   string // what serves in spite of it; empty when nothing does
	Commit  commitLink
	At      time.Time
	Log     link   // where to read more; without URL when there is nothing
	Retry   string // address to post to; empty when a retry cannot help
}

// releaseTrouble returns what went wrong with the newest release of a lane, if anything did.
func releaseTrouble(l lane, link func(repository, sha string) commitLink) (trouble, bool) {
	r := l.Newest
	if r == nil || r.Outcome != waybill.Failed && r.Outcome != waybill.Errored {
		return trouble{}, false
	}
	state := failedStep(*r)
	t := trouble{
		Mark:    markOutcome(state.Outcome),
		Title:   titleOf(state.Step) + " failed",
		Subject: linkTo(r.Declaration.Identity),
		Quote:   state.Detail,
		Next:    advise(state.Step, state.Outcome, state.Detail),
		Commit:  link(r.Repository, r.Commit),
		At:      lastMove(*r, state),
	}
	t.Log.Text, t.Log.URL = "Open the release", "/releases/"+r.ID
	if state.Log != "" {
		t.Log.Text, t.Log.URL = "Read the log", "/releases/"+r.ID+"/log?step="+string(state.Step)
	}
	if t.Commit.URL != "" {
		t.Retry = t.Commit.URL + "/retry"
	}
	t.Still = stillServes(l, r.Environment)
	return t, true
}

func stillServes(l lane, env waybill.Environment) string {
	if l.Live == nil {
		return ""
	}
	what := waybill.ShortCommit(l.Live.Commit)
	if l.Live.Semver != "" {
		what = "v" + l.Live.Semver
	}
	return titleOf(waybill.Step(env)) + " still serves " + what
}

// failedStep returns the step a release failed at.
func failedStep(r waybill.Release) waybill.StepState {
	for _, s := range r.Steps {
		if s.Outcome == waybill.Failed || s.Outcome == waybill.Errored {
			return s
		}
	}
	return waybill.StepState{}
}

func titleOf(s waybill.Step) string {
	name := string(s)
	if name == "" {
		return "Release"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func linkTo(id waybill.Identity) link { return link{Text: id.String(), URL: connectorURL(id)} }

// runTrouble returns what went wrong with a run.
func runTrouble(r waybill.Run, link func(repository, sha string) commitLink, repository string) (trouble, bool) {
	switch r.State {
	case waybill.RunFailed, waybill.RunTimedOut, waybill.RunLost:
	default:
		return trouble{}, false
	}
	t := trouble{
		Mark:    markRun(r.State),
		Title:   "Run " + markRun(r.State).Word + " at " + r.Site,
		Subject: linkTo(identityOf(r)),
		Quote:   r.Reason,
		Next:    adviseRun(r),
		Commit:  link(repository, r.Commit),
		At:      r.Ended,
	}
	t.Log.Text, t.Log.URL = "Read the logs", "/runs/"+r.ID
	return t, true
}

// shownFindings is how many findings a trouble quotes; the page of the commit shows all.
const shownFindings = 3

// checkTrouble returns what is wrong with a checked commit, if its manifests were refused. Of findings only those of
// connector count, and those of documents whose name cannot be read; connector "" counts all.
func checkTrouble(c waybill.Check, connector string, repository waybill.Repository) (trouble, bool) {
	var errors waybill.Findings
	for _, f := range c.Findings {
		if f.Severity == waybill.SeverityError && (connector == "" || f.Declaration == "" || f.Declaration == connector) {
			errors = append(errors, f)
		}
	}
	if len(errors) == 0 && c.State != waybill.StateError {
		return trouble{}, false
	}
	url := commitURL(repository, c.Commit)
	t := trouble{
		Mark:    toned(toneFailed, "failed"),
		Title:   "Manifest refused: " + plural(len(errors), "error"),
		Subject: link{Text: repository.FullName(), URL: url},
		Quote:   quoteFindings(errors),
		Next:    advise(waybill.StepValidate, waybill.Failed, ""),
		Commit:  commitLink{SHA: c.Commit, Short: waybill.ShortCommit(c.Commit), URL: url},
		At:      c.Opened,
		Log:     link{Text: "See all findings", URL: url},
	}
	if len(errors) == 0 {
		t.Mark, t.Title, t.Quote = toned(toneError, "error"), "The commit could not be read", c.Summary
		t.Next, t.Log.Text, t.Retry = advise(waybill.StepValidate, waybill.Errored, ""), "Open the commit", url+"/retry"
	}
	return t, true
}

func quoteFindings(findings waybill.Findings) string {
	var lines []string
	for _, f := range findings[:min(shownFindings, len(findings))] {
		line := f.Place() + " " + f.Message
		if f.Hint != "" {
			line += " (" + f.Hint + ")"
		}
		lines = append(lines, line)
	}
	if more := len(findings) - shownFindings; more > 0 {
		lines = append(lines, "and "+plural(more, "other"))
	}
	return strings.Join(lines, "\n")
}

// latest returns the newest check of a branch and the newest of any tag, the latter only when it is newer than since,
// the id of a release. checks come newest first.
func latest(checks []waybill.Check, branch, since string) []waybill.Check {
	var found []waybill.Check
	var haveBranch, haveTag bool
	for _, c := range checks {
		b, isBranch := waybill.Branch(c.Ref)
		_, isTag := waybill.Tag(c.Ref)
		switch {
		case isBranch && b == branch && !haveBranch:
			haveBranch, found = true, append(found, c)
		case isTag && !haveTag && c.ID > since:
			haveTag, found = true, append(found, c)
		}
	}
	return found
}
