package portal

import (
	"context"
	"net/http"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// releasePage is one release: its steps, what went wrong, and the log of the step that matters.
type releasePage struct {
	frame
	Release waybill.Release
	Row     releaseRow
	Steps   []releaseStep
	Trouble *trouble
	Pane    *logPane // nil when no step has a log
	Step    waybill.Step
	History []historyRow
}

// releaseStep is one step of a release.
type releaseStep struct {
	Name    string
	Mark    mark
	Detail  string
	Started time.Time
	Took    string
	Log     string // address of its log
}

func (p *Portal) release(w http.ResponseWriter, r *http.Request) error {
	return p.showRelease(w, r, "release")
}

// releaseLogPage shows the log of a step on a page of its own.
func (p *Portal) releaseLogPage(w http.ResponseWriter, r *http.Request) error {
	return p.showRelease(w, r, "releaselog")
}

func (p *Portal) showRelease(w http.ResponseWriter, r *http.Request, template string) error {
	page, err := p.loadRelease(r)
	if err != nil {
		return err
	}
	logs, err := p.fillPane(&page, r)
	if err != nil {
		return err
	}
	if !page.Release.Outcome.Final() {
		page.Stream = page.Row.URL + "/events?step=" + string(page.Step) + "&last=" + positions(logs)
	}
	return p.render(w, http.StatusOK, template, page)
}

// fillPane reads the log of the step a request asks for, else of the step that failed or runs.
func (p *Portal) fillPane(page *releasePage, r *http.Request) ([]followed, error) {
	state := shownStep(page.Release, waybill.Step(r.URL.Query().Get("step")))
	page.Step = state.Step
	if state.Log == "" {
		return nil, nil
	}
	pane, err := p.readPane(logPane{
		ID: "log", Title: titleOf(state.Step) + " log", Raw: page.Row.URL + "/logs/" + string(state.Step),
		Follow: !state.Outcome.Final(), Search: r.URL.Query().Get("q"),
	}, state.Log)
	page.Pane = &pane
	return []followed{{Pane: "log", Log: state.Log, From: pane.Size}}, err
}

// shownStep returns the step whose log to show: the one asked for, the one that failed, or the last with a log.
func shownStep(r waybill.Release, asked waybill.Step) waybill.StepState {
	if s, ok := r.Step(asked); ok {
		return s
	}
	if s := failedStep(r); s.Log != "" {
		return s
	}
	var last waybill.StepState
	for _, s := range r.Steps {
		if s.Log != "" {
			last = s
		}
	}
	return last
}

func (p *Portal) releaseEvents(w http.ResponseWriter, r *http.Request) error {
	page, err := p.loadRelease(r)
	if err != nil {
		return err
	}
	var logs []followed
	if s := shownStep(page.Release, waybill.Step(r.URL.Query().Get("step"))); s.Log != "" {
		logs = readPositions(r, []followed{{Pane: "log", Log: s.Log}})
	}
	id := page.Release.Declaration.Identity
	return p.stream(w, r, live{
		Page: "release", Topics: []string{"release:" + page.Release.ID, "connector:" + id.Name},
		Parts: []string{"release-state", "steps", "history"}, Logs: logs,
		Load: func(ctx context.Context) (any, bool, error) {
			page, err := p.loadRelease(r.WithContext(ctx))
			return page, page.Release.Outcome.Final(), err
		},
	})
}

// loadRelease reads a release without its logs.
func (p *Portal) loadRelease(r *http.Request) (releasePage, error) {
	var page releasePage
	ctx := r.Context()
	read, err := p.read(ctx)
	if err != nil {
		return page, err
	}
	if page.Release, err = connectorstore.Release(ctx, read.q, r.PathValue("id")); err != nil {
		return page, err
	}
	rel := page.Release
	id := rel.Declaration.Identity
	page.Row = newReleaseRow(rel, read.live(), read.link)
	title := "Release of " + waybill.ShortCommit(rel.Commit)
	if page.Row.Version != "" {
		title = "Release " + page.Row.Version
	}
	page.frame = p.frame(r, title, "/connectors",
		link{"Connectors", "/connectors"}, linkTo(id), link{"Versions", connectorURL(id, "versions")})
	for _, s := range rel.Steps {
		page.Steps = append(page.Steps, newReleaseStep(rel, s))
	}
	l, err := read.lane(ctx, id, rel.Environment)
	if err != nil {
		return page, err
	}
	l.Newest = &rel
	if t, ok := releaseTrouble(l, read.link); ok {
		t.Log, page.Row.Retry = link{}, "" // the log is below, and one button to retry is enough
		page.Trouble = &t
	}
	entries, err := store.History(ctx, read.q, store.HistoryFilter{Subject: "connector:" + id.String(), Commit: rel.Commit})
	page.History = newHistory(entries, read.link)
	return page, err
}

func newReleaseStep(r waybill.Release, s waybill.StepState) releaseStep {
	step := releaseStep{
		Name: string(s.Step), Mark: markStep(r, s), Detail: s.Detail, Started: s.Started, Took: took(s.Started, s.Ended),
	}
	if s.Log != "" {
		step.Log = "/releases/" + r.ID + "/log?step=" + string(s.Step)
	}
	return step
}

// releaseLog sends the log of a step as it is.
func (p *Portal) releaseLog(w http.ResponseWriter, r *http.Request) error {
	rel, err := connectorstore.Release(r.Context(), p.DB.Query(), r.PathValue("id"))
	if err != nil {
		return err
	}
	s, _ := rel.Step(waybill.Step(r.PathValue("step")))
	return p.download(w, s.Log, rel.Declaration.Name+"-"+waybill.ShortCommit(rel.Commit)+"-"+string(s.Step)+".log")
}
