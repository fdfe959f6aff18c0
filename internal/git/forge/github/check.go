package github

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Of annotations GitHub takes so many in one request; Waybill shows so many at all.
const (
	batch          = 50
	maxAnnotations = 250
)

// Words of check runs.
const (
	completed  = "completed"
	inProgress = "in_progress"
	// ours is written before the title of what failed by no fault of the developer. GitHub has no conclusion for that
	// which would keep a required check from passing and still not read as a failure.
	ours = "ours: "
)

// runWriter writes the check runs of one commit.
type runWriter struct {
	*Forge
	client *github.Client
	at     place
	commit string
	runs   map[string]shownRun // newest of each context
	m      forge.Message
}

// shownRun is a check run as GitHub shows it.
type shownRun struct {
	id          int64
	status      waybill.Status
	annotations int
}

// writeRuns writes each status as the check run of its name. A run that is completed is not edited, because
// annotations can only be added: what begins again is a new run, which takes the place of the old one.
func (f *Forge) writeRuns(ctx context.Context, r waybill.Repository, m forge.Message) (taken int, err error) {
	c, at, err := f.open(ctx, "check_run", r)
	if err != nil {
		return 0, err
	}
	w := runWriter{Forge: f, client: c, at: at, commit: m.Commit, m: m}
	key := r.ForgeID + " " + r.Path + " " + m.Commit
	w.runs = f.takeRuns(key)
	if w.runs == nil || m.Again {
		if err := w.look(ctx); err != nil {
			return 0, err
		}
	}
	for _, s := range m.Statuses {
		if err := w.write(ctx, s); err != nil {
			return taken, err // what is remembered of the commit is doubtful, and was taken
		}
		taken++
	}
	f.runs.Put(key, keptRuns{w.runs, f.o.Now()}, 1)
	return taken, nil
}

// look reads the newest run of each context that this App made.
func (w *runWriter) look(ctx context.Context) error {
	w.runs = map[string]shownRun{}
	for run, err := range forge.Pages(func(page int) ([]*github.CheckRun, int, error) {
		o := &github.ListCheckRunsOptions{AppID: &w.o.App.ID, Filter: github.String("latest"), ListOptions: *pageOf(page)}
		found, resp, err := w.client.Checks.ListCheckRunsForRef(ctx, w.at.owner, w.at.name, w.commit, o)
		if err != nil {
			return nil, 0, err
		}
		return found.CheckRuns, resp.NextPage, nil
	}) {
		if err != nil {
			return w.missing(w.fault(ctx, err))
		}
		if old, known := w.runs[run.GetName()]; !known || run.GetID() > old.id {
			w.runs[run.GetName()] = shown(run)
		}
	}
	return nil
}

// shown reads a check run back into the status that it shows.
func shown(run *github.CheckRun) shownRun {
	s := waybill.Status{Context: run.GetName(), State: waybill.StatePending, Description: run.GetOutput().GetTitle(), URL: run.GetDetailsURL()}
	if run.GetStatus() == completed {
		s.State = waybill.StateFailure
		if run.GetConclusion() == "success" {
			s.State = waybill.StateSuccess
		} else if own, ok := strings.CutPrefix(s.Description, ours); ok {
			s.State, s.Description = waybill.StateError, own
		}
	}
	return shownRun{id: run.GetID(), status: s, annotations: run.GetOutput().GetAnnotationsCount()}
}

func same(a, b waybill.Status) bool {
	return a.State == b.State && titleOf(a) == titleOf(b) && (a.URL == b.URL || b.URL == "")
}

// write brings the run of one context up to date. When an answer is lost it looks what arrived before it gives up.
func (w *runWriter) write(ctx context.Context, s waybill.Status) error {
	notes := w.annotations(s)
	err := w.state(ctx, s, notes)
	if waybill.IsCode(err, waybill.Unavailable) && ctx.Err() == nil && w.look(ctx) == nil && same(w.runs[s.Context].status, s) {
		err = nil
	}
	for err == nil && w.runs[s.Context].annotations < len(notes) {
		err = w.annotate(ctx, s, notes)
	}
	return err
}

// state writes the state, with the first annotations.
func (w *runWriter) state(ctx context.Context, s waybill.Status, notes []*github.CheckRunAnnotation) error {
	old, known := w.runs[s.Context]
	if known && same(old.status, s) {
		return nil
	}
	var run *github.CheckRun
	var err error
	output := w.output(s, notes[:min(batch, len(notes))])
	if known && !old.status.State.Final() {
		o := github.UpdateCheckRunOptions{Name: s.Context, ExternalID: &s.Context, Output: output}
		o.Status, o.Conclusion, o.CompletedAt, o.DetailsURL = words(s)
		run, _, err = w.client.Checks.UpdateCheckRun(ctx, w.at.owner, w.at.name, old.id, o)
	} else {
		o := github.CreateCheckRunOptions{Name: s.Context, HeadSHA: w.commit, ExternalID: &s.Context, Output: output}
		o.Status, o.Conclusion, o.CompletedAt, o.DetailsURL = words(s)
		if !s.Started.IsZero() {
			o.StartedAt = &github.Timestamp{Time: s.Started.UTC()}
		}
		run, _, err = w.client.Checks.CreateCheckRun(ctx, w.at.owner, w.at.name, o)
	}
	if err != nil {
		return w.missing(w.fault(ctx, err))
	}
	if run.GetID() == 0 {
		return waybill.Errorf(waybill.Unavailable, "%s confirms no check run", w.api.Host)
	}
	w.runs[s.Context] = shownRun{id: run.GetID(), status: s, annotations: max(run.GetOutput().GetAnnotationsCount(), min(batch, len(notes)))}
	return nil
}

// annotate adds the next annotations. When the answer is lost it counts those that arrived.
func (w *runWriter) annotate(ctx context.Context, s waybill.Status, notes []*github.CheckRunAnnotation) error {
	run := w.runs[s.Context]
	next := notes[run.annotations:min(run.annotations+batch, len(notes))]
	o := github.UpdateCheckRunOptions{Name: s.Context, Output: w.output(s, next)}
	_, _, err := w.client.Checks.UpdateCheckRun(ctx, w.at.owner, w.at.name, run.id, o)
	err = w.fault(ctx, err)
	if err == nil {
		run.annotations += len(next)
		w.runs[s.Context] = run
		return nil
	}
	if waybill.IsCode(err, waybill.Unavailable) && ctx.Err() == nil && w.look(ctx) == nil && w.runs[s.Context].annotations > run.annotations {
		return nil
	}
	return err
}

// words are the fields of a state that creating and updating share.
func words(s waybill.Status) (status, conclusion *string, at *github.Timestamp, url *string) {
	status = github.String(inProgress)
	if s.State.Final() {
		status, conclusion = github.String(completed), github.String("failure")
		if s.State == waybill.StateSuccess {
			conclusion = github.String("success")
		}
		if !s.Updated.IsZero() {
			at = &github.Timestamp{Time: s.Updated.UTC()}
		}
	}
	if s.URL != "" {
		url = github.String(s.URL)
	}
	return status, conclusion, at, url
}

// titleOf is what people read beside the name.
func titleOf(s waybill.Status) string {
	title := s.Description
	if s.State == waybill.StateError {
		title = ours + title
	}
	if title == "" {
		return string(s.State) // GitHub wants a title
	}
	return title
}

// maxText is how many bytes of text a check run may have, with room to spare.
const maxText = 60_000

// output is what the page of the run shows.
func (w *runWriter) output(s waybill.Status, notes []*github.CheckRunAnnotation) *github.CheckRunOutput {
	o := &github.CheckRunOutput{Title: github.String(titleOf(s)), Summary: github.String(summary(s)), Annotations: notes}
	found := w.findings(s)
	if len(found) == 0 {
		return o
	}
	var text strings.Builder
	if len(found) > maxAnnotations {
		fmt.Fprintf(&text, "%d of %d findings are shown on their lines.\n\n", maxAnnotations, len(found))
	}
	for _, f := range found {
		line := "    " + strings.Join(strings.Fields(f.String()), " ") + "\n" // indented: nothing in it is Markdown
		if text.Len()+len(line) > maxText {
			text.WriteString("\n…\n")
			break
		}
		text.WriteString(line)
	}
	o.Text = github.String(text.String())
	return o
}

func summary(s waybill.Status) string {
	if s.URL == "" {
		return string(s.State)
	}
	return "[What happened](" + strings.NewReplacer(")", "%29", " ", "%20").Replace(s.URL) + ")"
}

// findings are those that a context is about: of the declaration that it validates, and in the aggregate those of
// documents whose names cannot be read.
func (w *runWriter) findings(s waybill.Status) waybill.Findings {
	if !s.State.Final() {
		return nil
	}
	var own waybill.Findings
	for _, f := range w.m.Findings {
		if contextOf(f) == s.Context {
			own = append(own, f)
		}
	}
	return own
}

func contextOf(f waybill.Finding) string {
	if f.Declaration == "" {
		return waybill.AggregateContext
	}
	return waybill.ContextOf(waybill.ParseIdentity(f.Declaration), waybill.StepValidate)
}

// annotations are the findings of a context on their lines.
func (w *runWriter) annotations(s waybill.Status) []*github.CheckRunAnnotation {
	found := w.findings(s)
	found = found[:min(maxAnnotations, len(found))]
	list := make([]*github.CheckRunAnnotation, 0, len(found))
	for _, f := range found {
		a := &github.CheckRunAnnotation{
			Path: github.String(f.File), StartLine: github.Int(max(1, f.Line)), EndLine: github.Int(max(1, f.Line)),
			AnnotationLevel: github.String("failure"), Title: github.String(string(f.Code)), Message: github.String(f.Message),
		}
		if f.Severity == waybill.SeverityWarning {
			a.AnnotationLevel = github.String("warning")
		}
		if f.Hint != "" {
			a.Message = github.String(f.Message + "\n" + f.Hint)
		}
		if f.Column > 0 && f.Line > 0 {
			a.StartColumn, a.EndColumn = github.Int(f.Column), github.Int(f.Column+max(0, f.Width-1))
		}
		list = append(list, a)
	}
	return list
}
