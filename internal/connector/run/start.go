package run

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Request asks for a run of what is live of a connector at a site.
type Request struct {
	Connector string
	Major     int // 0: the highest that is live there
	Site      string
	Values    map[string]string // win over those of the assignment
	Trigger   waybill.Trigger   // empty: manual
	By        waybill.Actor
}

// Start queues a run and returns it.
//
// NotFound: no such connector or site, or it is not assigned there. Invalid: a required field without a value, or a
// value for a field that does not exist. Conflict: the assignment is disabled, nothing is live, or a run is in progress
// and the connector's concurrency is skip.
func (e *Engine) Start(ctx context.Context, req Request) (waybill.Run, error) {
	var r waybill.Run
	err := e.DB.Write(ctx, "run.start", func(tx *store.Tx) error {
		var err error
		r, err = e.start(ctx, tx, req)
		return err
	})
	return r, err
}

// start is Start within a transaction. A refusal is decided before anything is written.
func (e *Engine) start(ctx context.Context, tx *store.Tx, req Request) (waybill.Run, error) {
	t, err := find(ctx, tx, req)
	if err != nil {
		return waybill.Run{}, err
	}
	if _, err := t.values(req.Values); err != nil {
		return waybill.Run{}, err
	}
	if err := e.admit(ctx, tx, t, req.By); err != nil {
		return waybill.Run{}, err
	}
	r := waybill.Run{
		Connector: t.Name, Major: t.Major, Site: t.site.Name, Environment: t.site.Environment,
		Release: t.release.ID, Commit: t.release.Commit, Image: t.release.Image,
		Trigger: cmp.Or(req.Trigger, waybill.TriggerManual), Attempt: 1, Actor: req.By.Name, Values: maps.Clone(req.Values),
	}
	return e.insert(ctx, tx, r, t.site.Owner, req.By)
}

// insert stores a queued run and its work.
func (e *Engine) insert(ctx context.Context, tx *store.Tx, r waybill.Run, owner string, by waybill.Actor) (waybill.Run, error) {
	now := e.Now()
	r.ID, r.State, r.Created = store.NewID(now), waybill.RunQueued, now
	r.Stdout, r.Stderr = "run/"+r.ID+"/stdout", "run/"+r.ID+"/stderr"
	if err := connectorstore.InsertRun(ctx, tx, r); err != nil {
		return waybill.Run{}, err
	}
	if err := record(ctx, tx, r, by, "run.start", "", string(r.Trigger)); err != nil {
		return waybill.Run{}, err
	}
	announce(tx, r)
	_, err := queue.Enqueue(ctx, tx, queue.Entry{Kind: Kind, Key: r.ID, Tenant: owner, Due: due(r)})
	return r, err
}

// target is what a request leads to.
type target struct {
	waybill.Identity
	site       waybill.Site
	assignment waybill.Assignment
	release    waybill.Release
}

// find resolves a request, or says what is missing and what to do about it.
func find(ctx context.Context, q store.Querier, req Request) (target, error) {
	if _, err := connectorstore.GetConnector(ctx, q, req.Connector); err != nil {
		return target{}, err
	}
	site, err := connectorstore.Site(ctx, q, req.Site)
	if err != nil {
		return target{}, err
	}
	assigned, err := connectorstore.Assignments(ctx, q, connectorstore.AssignmentFilter{Connector: req.Connector})
	if err != nil {
		return target{}, err
	}
	here := slices.DeleteFunc(slices.Clone(assigned), func(a waybill.Assignment) bool {
		return a.Site != req.Site || req.Major != 0 && a.Major != req.Major
	})
	if len(here) == 0 {
		return target{}, notAssigned(req, assigned)
	}
	slices.SortFunc(here, func(a, b waybill.Assignment) int { return b.Major - a.Major })
	return newest(ctx, q, site, here)
}

// newest returns the first of assignments, highest major first, of which something is live.
func newest(ctx context.Context, q store.Querier, site waybill.Site, assignments []waybill.Assignment) (target, error) {
	disabled := 0
	for _, a := range assignments {
		if !a.Enabled {
			disabled++
			continue
		}
		live, found, err := connectorstore.FindLive(ctx, q, a.Connector, a.Major, site.Environment)
		if err != nil {
			return target{}, err
		}
		if !found {
			continue
		}
		release, err := connectorstore.Release(ctx, q, live.Release)
		id := waybill.Identity{Kind: "Connector", Name: a.Connector, Major: a.Major}
		return target{Identity: id, site: site, assignment: a, release: release}, err
	}
	id := waybill.Identity{Name: assignments[0].Connector, Major: assignments[0].Major}
	if disabled == len(assignments) {
		return target{}, waybill.Errorf(waybill.Conflict, "%s is disabled at %s; enable its assignment first", id, site.Name)
	}
	how := "push it to its dev branch"
	if site.Environment == waybill.Prod {
		how = "push a release tag"
	}
	return target{}, waybill.Errorf(waybill.Conflict, "no version of %s is live in %s; %s first", id, site.Environment, how)
}

// notAssigned says where the connector runs instead.
func notAssigned(req Request, assigned []waybill.Assignment) error {
	id := waybill.Identity{Name: req.Connector, Major: req.Major}
	var sites []string
	for _, a := range assigned {
		if req.Major == 0 || a.Major == req.Major {
			sites = append(sites, a.Site)
		}
	}
	sites = slices.Compact(slices.Sorted(slices.Values(sites)))
	if len(sites) == 0 {
		return waybill.Errorf(waybill.NotFound, "%s is not assigned to any site; deploy it first", id)
	}
	return waybill.Errorf(waybill.NotFound, "%s is not assigned to %s; it is to %s", id, req.Site, strings.Join(sites, ", "))
}

// values returns what the fields hold in a run with the given values. What the assignment holds for fields that the
// live version does not have, as after a rollback, is left out.
func (t target) values(given map[string]string) (map[string]string, error) {
	c := t.release.Declaration.Connector
	config := maps.Clone(t.assignment.Config)
	maps.DeleteFunc(config, func(key, _ string) bool {
		return !slices.ContainsFunc(c.Fields, func(f waybill.Field) bool { return f.Key == key })
	})
	values, err := c.Values(config, given)
	if err != nil {
		where := "with --set key=value"
		if t.site.Environment == waybill.Dev {
			where += " or in release.dev.config"
		}
		return nil, waybill.Errorf(waybill.Invalid, "%s at %s: %w; give values %s", t.Identity, t.site.Name, err, where)
	}
	return values, nil
}

// admit applies the connector's concurrency: what happens to a new run while another is in progress at its place.
func (e *Engine) admit(ctx context.Context, tx *store.Tx, t target, by waybill.Actor) error {
	others, err := inProgress(ctx, tx, t.Name, t.Major, t.site.Name)
	if err != nil || len(others) == 0 {
		return err
	}
	switch t.release.Declaration.Connector.Run.Concurrency {
	case "queue":
		return nil
	case "replace":
		for _, r := range others {
			if err := e.cancel(ctx, tx, r, by, "replaced by a newer run"); err != nil {
				return err
			}
		}
		return nil
	default:
		return waybill.Errorf(waybill.Conflict, "%s is in progress at %s (run %s); wait for its end or cancel it",
			t.Identity, t.site.Name, others[0].ID)
	}
}

// inProgress lists the runs of a connector major at a site that have not ended, oldest first.
func inProgress(ctx context.Context, q store.Querier, connector string, major int, site string) ([]waybill.Run, error) {
	const most = 1000
	runs, err := connectorstore.Runs(ctx, q, connectorstore.RunFilter{
		Connector: connector, Major: major, Site: site, Limit: most,
		States: []waybill.RunState{waybill.RunQueued, waybill.RunRunning},
	})
	slices.Reverse(runs)
	return runs, err
}
