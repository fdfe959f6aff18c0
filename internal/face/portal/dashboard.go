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
	dashboardWindow = 100 // newest runs, read at once
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
	repositories, err := gitstore.Repositories(r.Context(), p.DB.Query())
	if err != nil {
		return err
	}
	var topics []string // a new connector wakes its repository
	for _, repository := range repositories {
		topics = append(topics, gitstore.RepositoryTopic(repository.ID))
	}
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
	if err := read.keepAll(ctx); err != nil {
		return page, err
	}
	runs, err := connectorstore.Runs(ctx, read.q, connectorstore.RunFilter{Limit: dashboardWindow})
	if err != nil {
		return page, err
	}
	connectors, err := connectorstore.Connectors(ctx, read.q)
	if err != nil {
		return page, err
	}
	page.Repositories, page.Connectors, page.More = len(read.repositories), len(connectors), len(connectors) > dashboardRows
	for key := range read.lives {
		if key.Environment == waybill.Prod {
			page.LiveProd++
		} else {
			page.LiveDev++
		}
	}
	if page.Failed, err = connectorstore.CountFailed(ctx, read.q, p.Now().Add(-recently)); err != nil {
		return page, err
	}
	if page.Rows, err = read.connectorRows(ctx, connectors[:min(len(connectors), dashboardRows)], runs); err != nil {
		return page, err
	}
	if page.Troubles, err = p.troubles(ctx, read, connectors, runs); err != nil {
		return page, err
	}
	page.Runs, err = read.runRows(ctx, runs[:min(len(runs), dashboardRuns)])
	return page, err
}

// maxTroubles is how many things that went wrong the dashboard explains; the lists show the rest.
const maxTroubles = 5

// troubles explains what is wrong now, newest first: refused manifests, failed releases that nothing newer replaced,
// and connectors whose last run at a site failed.
func (p *Portal) troubles(ctx context.Context, read *reader, connectors []connectorstore.Connector, runs []waybill.Run) ([]trouble, error) {
	var all []trouble
	for _, repository := range read.repositories {
		c, found, err := gitstore.LatestCheck(ctx, read.q, repository.ID, "refs/heads/"+repository.DefaultBranch)
		if err != nil {
			return nil, err
		}
		if t, ok := checkTrouble(c, "", repository); found && ok {
			all = append(all, t)
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
	all = append(all, p.runTroubles(read, connectors, runs)...)
	slices.SortFunc(all, func(a, b trouble) int { return b.At.Compare(a.At) })
	return all[:min(len(all), maxTroubles)], nil
}

// runTroubles explains the connectors whose last run at a site failed within a week.
func (p *Portal) runTroubles(read *reader, connectors []connectorstore.Connector, runs []waybill.Run) []trouble {
	owners := map[string]string{}
	for _, c := range connectors {
		owners[c.Name] = c.Repository
	}
	type place struct {
		id   waybill.Identity
		site string
	}
	var all []trouble
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
	return all
}
