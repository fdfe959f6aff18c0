package portal

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Limits of the page of a connector.
const (
	shownReleases = 5
	shownRuns     = 8
	shownHistory  = 4
	pageRows      = 30
)

// connectorPage is one major of a connector, one tab at a time.
type connectorPage struct {
	frame
	Identity    waybill.Identity
	Declaration *waybill.Declaration // nil until a release holds one
	Repository  waybill.Repository
	Current     commitLink // what the set-up was read from
	Majors      []major
	Tabs        []tab
	Tab         string
	Sites       []string // where it can be run
	// overview
	Tracker  tracker
	Troubles []trouble
	Parts    []part
	Chart    chart
	// overview, versions and runs
	Releases []releaseRow
	Runs     []runRow
	More     string // address of older rows; empty at the end
	// logs
	Log     *runRow
	Panes   []logPane
	History []historyRow
}

// major is one major of a connector to choose.
type major struct {
	link
	Current bool
}

// tab is one part of the page.
type tab struct {
	link
	Current bool
}

func (p *Portal) connector(w http.ResponseWriter, r *http.Request) error {
	page, err := p.loadConnector(r)
	if err != nil {
		return err
	}
	return p.render(w, http.StatusOK, "connector", page)
}

func (p *Portal) connectorEvents(w http.ResponseWriter, r *http.Request) error {
	r.SetPathValue("tab", r.URL.Query().Get("tab"))
	page, err := p.loadConnector(r)
	if err != nil {
		return err
	}
	return p.stream(w, r, live{
		Page: "connector", Topics: []string{"connector:" + page.Identity.Name, gitstore.RepositoryTopic(page.Repository.ID)}, Parts: tabParts(page.Tab),
		Load: func(ctx context.Context) (any, bool, error) {
			page, err := p.loadConnector(r.WithContext(ctx))
			return page, false, err
		},
	})
}

// tabParts lists the parts of a tab that change by themselves.
func tabParts(tab string) []string {
	switch tab {
	case "":
		return []string{"tracker", "troubles", "releases", "chart", "recent", "run-list"}
	case "runs":
		return []string{"chart", "run-list"}
	case "versions":
		return []string{"releases"}
	case "history":
		return []string{"history"}
	default:
		return nil
	}
}

// loadConnector reads the page of a connector for the major, the tab and the cursor of a request.
func (p *Portal) loadConnector(r *http.Request) (connectorPage, error) {
	page := connectorPage{Tab: r.PathValue("tab"), Identity: waybill.ParseIdentity(r.PathValue("name"))}
	ctx, id := r.Context(), page.Identity
	read, err := p.read(ctx)
	if err != nil {
		return page, err
	}
	stored, err := connectorstore.GetConnector(ctx, read.q, id.Name)
	if err != nil {
		return page, err
	}
	recent, err := connectorstore.Releases(ctx, read.q, connectorstore.ReleaseFilter{Connector: id.Name})
	if err != nil {
		return page, err
	}
	read.keep(recent)
	majors := read.majors(id.Name)
	if page.Identity, err = chooseMajor(r, majors); err != nil {
		return page, err
	}
	l, err := read.lanes(ctx, page.Identity)
	if err != nil {
		return page, err
	}
	page.Repository = read.repositories[stored.Repository]
	page.describe(l, read, majors)
	page.frame = p.frame(r, page.title(), "/connectors", link{"Connectors", "/connectors"})
	page.Stream = connectorURL(page.Identity, "events") + "?" + url.Values{"tab": {page.Tab}, "before": {r.URL.Query().Get("before")}}.Encode()
	assignments, err := connectorstore.Assignments(ctx, read.q, connectorstore.AssignmentFilter{Connector: id.Name})
	if err != nil {
		return page, err
	}
	assignments = slices.DeleteFunc(assignments, func(a waybill.Assignment) bool { return a.Major != page.Identity.Major })
	for _, a := range assignments {
		page.Sites = append(page.Sites, a.Site)
	}
	return page, p.fillTab(ctx, &page, read, l, assignments, r.URL.Query().Get("before"))
}

// chooseMajor returns the identity a request asks for: ?major= or name@major, else the highest major there is.
func chooseMajor(r *http.Request, majors []int) (waybill.Identity, error) {
	id := waybill.ParseIdentity(r.PathValue("name"))
	asked := r.URL.Query().Get("major")
	if asked == "" && id.String() == r.PathValue("name") && id.Major > 1 {
		asked = strconv.Itoa(id.Major)
	}
	if asked == "" {
		if len(majors) > 0 && !slices.Contains(majors, 1) {
			id.Major = majors[0]
		}
		return id, nil
	}
	n, err := strconv.Atoi(asked)
	if err != nil || !slices.Contains(majors, n) {
		return id, waybill.Errorf(waybill.NotFound, "connector %s has no version %s", id.Name, clip(asked, 20))
	}
	id.Major = n
	return id, nil
}

// describe fills what every tab shows.
func (page *connectorPage) describe(l lanes, read *reader, majors []int) {
	if c := l.current(); c != nil {
		page.Declaration, page.Current = &c.Declaration, read.link(c.Repository, c.Commit)
	}
	for _, m := range majors {
		id := waybill.Identity{Kind: page.Identity.Kind, Name: page.Identity.Name, Major: m}
		page.Majors = append(page.Majors, major{link{"v" + strconv.Itoa(m), connectorURL(id)}, m == page.Identity.Major})
	}
	for _, t := range []struct{ key, text string }{
		{"", "Overview"}, {"setup", "Setup"}, {"runs", "Runs"}, {"logs", "Logs"}, {"versions", "Versions"}, {"history", "History"},
	} {
		at := connectorURL(page.Identity)
		if t.key != "" {
			at = connectorURL(page.Identity, t.key)
		}
		page.Tabs = append(page.Tabs, tab{link{t.text, at}, t.key == page.Tab})
	}
}

func (page *connectorPage) title() string {
	if page.Declaration != nil && page.Declaration.Connector != nil && page.Declaration.Connector.Title != "" {
		return page.Declaration.Connector.Title
	}
	return page.Identity.String()
}
