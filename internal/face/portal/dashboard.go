package portal

import (
	"context"
	"net/http"
	"slices"
	"time"

	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Limits of the dashboard.
const (
	dashboardRows   = 50 // connectors
	dashboardRuns   = 10
	dashboardWindow = 200 // newest releases read at once
	recently        = 24 * time.Hour
)

// dashboardPage answers: is it live, what failed, whose fault, what next.
type dashboardPage struct {
	frame
	Connectors   int
	LiveDev      int
	LiveProd     int
	Failed       int // in the last 24 hours: releases and runs
	Repositories int
	Troubles     []trouble
	Rows         []connectorRow
	More         bool // there are more connectors than rows
	Runs         []runRow
}

// connectorRow is one connector major in a list.
type connectorRow struct {
	Identity  link
	Title     string
	Owner     string
	Type      string
	Major     int
	Dev, Prod envCell
	LastRun   *runRow
}

// envCell is one environment of a connector in a list.
type envCell struct {
	Mark    mark
	Version string // v1.2.0 or a short commit; empty when nothing is live
	Since   time.Time
	Live    bool
}

func (p *Portal) dashboard(w http.ResponseWriter, r *http.Request) error {
	page, err := p.loadDashboard(r.Context())
	if err != nil {
		return err
	}
	page.frame = p.frame(r, "Dashboard", "/")
	page.Stream = "/events"
	return p.render(w, http.StatusOK, "dashboard", page)
}

func (p *Portal) dashboardEvents(w http.ResponseWriter, r *http.Request) error {
	page, err := p.loadDashboard(r.Context())
	if err != nil {
		return err
	}
	topics := []string{"connectors"}
	for _, row := range page.Rows {
		topics = append(topics, "connector:"+waybill.ParseIdentity(row.Identity.Text).Name)
	}
	slices.Sort(topics)
	frame := p.frame(r, "Dashboard", "/")
	return p.stream(w, r, live{
		Page: "dashboard", Topics: slices.Compact(topics), Parts: []string{"numbers", "troubles", "connectors", "recent-runs"},
		Load: func(ctx context.Context) (any, bool, error) {
			page, err := p.loadDashboard(ctx)
			page.frame = frame
			return page, false, err
		},
	})
}

func (p *Portal) loadDashboard(ctx context.Context) (dashboardPage, error) {
	var page dashboardPage
	read, err := p.read(ctx)
	if err != nil {
		return page, err
	}
	recent, err := connectorstore.Releases(ctx, read.q, connectorstore.ReleaseFilter{Limit: dashboardWindow})
	if err != nil {
		return page, err
	}
	read.keep(recent)
	runs, err := connectorstore.Runs(ctx, read.q, connectorstore.RunFilter{Limit: dashboardWindow})
	if err != nil {
		return page, err
	}
	connectors, err := connectorstore.Connectors(ctx, read.q)
	if err != nil {
		return page, err
	}
	page.Repositories, page.Connectors, page.More = len(read.repositories), len(connectors), len(connectors) > dashboardRows
	page.count(read, recent, runs, p.Now())
	if page.Rows, err = p.connectorRows(ctx, read, connectors[:min(len(connectors), dashboardRows)], recent, runs); err != nil {
		return page, err
	}
	if page.Troubles, err = p.troubles(ctx, read, connectors, runs); err != nil {
		return page, err
	}
	page.Runs, err = read.runRows(ctx, runs[:min(len(runs), dashboardRuns)])
	return page, err
}

// count fills the numbers above the fold.
func (page *dashboardPage) count(read *reader, releases []waybill.Release, runs []waybill.Run, now time.Time) {
	for key := range read.lives {
		if key.Environment == waybill.Prod {
			page.LiveProd++
		} else {
			page.LiveDev++
		}
	}
	for _, r := range releases {
		if (r.Outcome == waybill.Failed || r.Outcome == waybill.Errored) && now.Sub(r.Created) < recently {
			page.Failed++
		}
	}
	for _, r := range runs {
		if failedRun(r) && now.Sub(r.Created) < recently {
			page.Failed++
		}
	}
}

func failedRun(r waybill.Run) bool {
	return r.State == waybill.RunFailed || r.State == waybill.RunTimedOut || r.State == waybill.RunLost
}

// connectorRows builds one row for each major of connectors.
func (p *Portal) connectorRows(ctx context.Context, read *reader, connectors []connectorstore.Connector, recent []waybill.Release, runs []waybill.Run) ([]connectorRow, error) {
	var rows []connectorRow
	for _, c := range connectors {
		var own []waybill.Release
		for _, r := range recent {
			if r.Declaration.Name == c.Name {
				own = append(own, r)
			}
		}
		majors := read.majors(c.Name, own)
		if len(majors) == 0 {
			majors = []int{1}
		}
		for _, major := range majors {
			id := waybill.Identity{Kind: "Connector", Name: c.Name, Major: major}
			l, err := read.lanes(ctx, id)
			if err != nil {
				return nil, err
			}
			row := newConnectorRow(id, c.Owner, l)
			if row.LastRun, err = read.lastRun(ctx, id, runs); err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func newConnectorRow(id waybill.Identity, owner string, l lanes) connectorRow {
	row := connectorRow{Identity: linkTo(id), Owner: owner, Major: id.Major, Dev: newEnvCell(l.Dev), Prod: newEnvCell(l.Prod)}
	if c := l.current(); c != nil && c.Declaration.Connector != nil {
		row.Title, row.Type = c.Declaration.Connector.Title, c.Declaration.Connector.Type
	}
	return row
}

// newEnvCell shows what an environment serves, or what became of the newest attempt when that is not live.
func newEnvCell(l lane) envCell {
	c := envCell{Mark: none("none")}
	if l.Newest != nil {
		c.Mark = markOutcome(l.Newest.Outcome)
	}
	if l.Live != nil {
		c.Live, c.Since, c.Version = true, l.Since, waybill.ShortCommit(l.Live.Commit)
		if l.Live.Semver != "" {
			c.Version = "v" + l.Live.Semver
		}
	}
	return c
}

// lastRun returns the newest run of a connector major, among runs or from the store.
func (r *reader) lastRun(ctx context.Context, id waybill.Identity, runs []waybill.Run) (*runRow, error) {
	i := slices.IndexFunc(runs, func(run waybill.Run) bool { return run.Connector == id.Name && run.Major == id.Major })
	if i < 0 {
		if len(runs) < dashboardWindow {
			return nil, nil //nolint:nilnil // There is no run.
		}
		var err error
		runs, err = connectorstore.Runs(ctx, r.q, connectorstore.RunFilter{Connector: id.Name, Major: id.Major, Limit: 1})
		if err != nil || len(runs) == 0 {
			return nil, err
		}
		i = 0
	}
	row := newRunRow(runs[i], nil, r.link)
	return &row, nil
}

// maxTroubles is how many things that went wrong the dashboard explains; the lists show the rest.
const maxTroubles = 5

// troubles explains what is wrong now, newest first: refused manifests, failed releases that nothing newer replaced,
// and connectors whose last run at a site failed.
func (p *Portal) troubles(ctx context.Context, read *reader, connectors []connectorstore.Connector, runs []waybill.Run) ([]trouble, error) {
	var all []trouble
	for _, repository := range read.repositories {
		checks, err := gitstore.Checks(ctx, read.q, repository.ID, "")
		if err != nil {
			return nil, err
		}
		for _, c := range latest(checks, repository.DefaultBranch, "") {
			if t, ok := checkTrouble(c, "", repository); ok {
				all = append(all, t)
			}
		}
	}
	for _, head := range read.heads {
		if head == nil {
			continue
		}
		l, err := read.lane(ctx, head.Declaration.Identity, head.Environment)
		if err != nil {
			return nil, err
		}
		if t, ok := releaseTrouble(l, read.link); ok {
			all = append(all, t)
		}
	}
	owners := map[string]string{}
	for _, c := range connectors {
		owners[c.Name] = c.Repository
	}
	type place struct {
		id   waybill.Identity
		site string
	}
	seen := map[place]bool{}
	for _, run := range runs {
		at := place{identityOf(run), run.Site}
		if !run.State.Final() || seen[at] {
			continue
		}
		seen[at] = true
		if t, ok := runTrouble(run, read.link, owners[run.Connector]); ok && p.Now().Sub(run.Created) < 7*recently {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b trouble) int { return b.At.Compare(a.At) })
	return all[:min(len(all), maxTroubles)], nil
}
