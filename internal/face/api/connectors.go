package api

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// ConnectorPath names a connector.
type ConnectorPath struct {
	Name string `path:"name" maxLength:"40" doc:"Name of the connector."`
}

func (a *API) addConnectors() {
	add(a, operation{
		method: http.MethodGet, path: "/connectors", id: "list-connectors", tag: "connectors",
		summary: "List connectors by name, with what is live and what came last.", action: auth.Read,
	}, func(ctx context.Context, in *Listing) (*body[wire.Page[wire.Connector]], error) {
		return a.listConnectors(ctx, *in)
	})
	add(a, operation{
		method: http.MethodGet, path: "/connectors/{name}", id: "get-connector", tag: "connectors",
		summary: "Show a connector with its set-up as declared.", action: auth.Read,
	}, func(ctx context.Context, in *ConnectorPath) (*body[wire.ConnectorDetail], error) {
		return a.getConnector(ctx, in.Name)
	})
	add(a, operation{
		method: http.MethodGet, path: "/connectors/{name}/history", id: "list-connector-history", tag: "connectors",
		summary: "List what happened to a connector, newest first.", action: auth.Read,
	}, func(ctx context.Context, in *struct {
		ConnectorPath
		Listing
	},
	) (*body[wire.Page[wire.Entry]], error) {
		if _, err := connectorstore.GetConnector(ctx, a.DB.Query(), in.Name); err != nil {
			return nil, err
		}
		return a.history(ctx, in.Listing, store.HistoryFilter{SubjectPrefix: "connector:" + in.Name}, in.Name)
	})
	add(a, operation{
		method: http.MethodPost, path: "/connectors/{name}/rollback", id: "rollback-connector", tag: "connectors",
		summary: "Make the version live that was live before. Running runs finish on theirs.", action: auth.Act,
	}, func(ctx context.Context, in *struct {
		ConnectorPath
		Body wire.Rollback
	},
	) (*body[wire.Live], error) {
		return a.rollback(ctx, in.Name, in.Body)
	})
}

func (a *API) listConnectors(ctx context.Context, l Listing) (*body[wire.Page[wire.Connector]], error) {
	rows, err := connectorstore.Connectors(ctx, a.DB.Query())
	if err != nil {
		return nil, err
	}
	lives, err := connectorstore.Lives(ctx, a.DB.Query())
	if err != nil {
		return nil, err
	}
	names := named(l, rows, func(c connectorstore.Connector) string { return c.Name },
		func(c connectorstore.Connector) connectorstore.Connector { return c })
	out := wire.Page[wire.Connector]{Items: make([]wire.Connector, 0, len(names.Items)), Next: names.Next}
	for _, c := range names.Items {
		s, err := a.standing(ctx, c, lives)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, s.connector())
	}
	return answer(out), nil
}

func (a *API) getConnector(ctx context.Context, name string) (*body[wire.ConnectorDetail], error) {
	c, err := connectorstore.GetConnector(ctx, a.DB.Query(), name)
	if err != nil {
		return nil, err
	}
	lives, err := connectorstore.Lives(ctx, a.DB.Query())
	if err != nil {
		return nil, err
	}
	s, err := a.standing(ctx, c, lives)
	if err != nil {
		return nil, err
	}
	assignments, err := a.assignments(ctx, connectorstore.AssignmentFilter{Connector: name})
	if err != nil {
		return nil, err
	}
	return answer(wire.ConnectorDetail{Connector: s.connector(), Setups: s.setups(), Assignments: assignments}), nil
}

func (a *API) rollback(ctx context.Context, name string, in wire.Rollback) (*body[wire.Live], error) {
	env := waybill.Environment(in.Environment)
	major, err := a.major(ctx, name, in.Major, env)
	if err != nil {
		return nil, err
	}
	l, err := a.Releases.Rollback(ctx, name, major, env, by(ctx))
	if err != nil {
		return nil, err
	}
	return a.live(ctx, l)
}

// major returns wanted or, when it is 0, the highest major that is live in env.
func (a *API) major(ctx context.Context, name string, wanted int, env waybill.Environment) (int, error) {
	if wanted > 0 {
		return wanted, nil
	}
	lives, err := connectorstore.Lives(ctx, a.DB.Query())
	if err != nil {
		return 0, err
	}
	for _, l := range lives {
		if l.Connector == name && l.Environment == env {
			wanted = max(wanted, l.Major)
		}
	}
	if wanted == 0 {
		if _, err := connectorstore.GetConnector(ctx, a.DB.Query(), name); err != nil {
			return 0, err
		}
		return 0, waybill.Errorf(waybill.Conflict, "nothing of %s is live on %s", name, env)
	}
	return wanted, nil
}

// recent is how many releases of a connector are looked at to say where it stands.
const recent = 50

// standing is where a connector stands: what is live and what came last, per major and environment.
type standing struct {
	row    connectorstore.Connector
	latest map[lane]waybill.Release
	lives  map[lane]waybill.Live
	byID   map[string]waybill.Release
}

type lane struct {
	major int
	env   waybill.Environment
}

func (a *API) standing(ctx context.Context, c connectorstore.Connector, lives []waybill.Live) (standing, error) {
	s := standing{row: c, latest: map[lane]waybill.Release{}, lives: map[lane]waybill.Live{}, byID: map[string]waybill.Release{}}
	rows, err := connectorstore.Releases(ctx, a.DB.Query(), connectorstore.ReleaseFilter{Connector: c.Name, Limit: recent})
	if err != nil {
		return s, err
	}
	for _, r := range rows {
		s.keep(r)
	}
	for _, l := range lives {
		if l.Connector != c.Name {
			continue
		}
		s.lives[lane{l.Major, l.Environment}] = l
		if _, ok := s.byID[l.Release]; ok {
			continue
		}
		r, err := connectorstore.Release(ctx, a.DB.Query(), l.Release)
		if err != nil {
			return s, err
		}
		s.keep(r)
	}
	return s, nil
}

// keep remembers r, and as the latest of its lane when there is no newer one.
func (s standing) keep(r waybill.Release) {
	s.byID[r.ID] = r
	at := lane{r.Declaration.Major, r.Environment}
	if last, ok := s.latest[at]; !ok || r.ID > last.ID {
		s.latest[at] = r
	}
}

// majors returns the newest release of each major.
func (s standing) majors() map[int]waybill.Release {
	newest := map[int]waybill.Release{}
	for at, r := range s.latest {
		if n, ok := newest[at.major]; !ok || r.ID > n.ID {
			newest[at.major] = r
		}
	}
	return newest
}

func (s standing) connector() wire.Connector {
	c := wire.Connector{
		Name: s.row.Name, Owner: s.row.Owner, Repository: s.row.Repository, Created: s.row.Created, Majors: []wire.Major{},
	}
	newest := s.majors()
	for _, m := range slices.Sorted(maps.Keys(newest)) {
		if d := newest[m].Declaration.Connector; d != nil {
			c.Title, c.Type = d.Title, d.Type
		}
		c.Majors = append(c.Majors, wire.Major{Major: m, Dev: s.place(m, waybill.Dev), Prod: s.place(m, waybill.Prod)})
	}
	return c
}

func (s standing) place(major int, env waybill.Environment) *wire.Place {
	at := lane{major, env}
	last, released := s.latest[at]
	if !released {
		return nil
	}
	p, l := &wire.Place{}, s.lives[at]
	r := release(last, l.Release == last.ID)
	p.Latest = &r
	if l.Release != "" {
		live := live(l, s.byID[l.Release])
		p.Live = &live
	}
	return p
}

func (s standing) setups() []wire.Setup {
	setups := []wire.Setup{}
	newest := s.majors()
	for _, m := range slices.Sorted(maps.Keys(newest)) {
		if newest[m].Declaration.Connector != nil {
			setups = append(setups, setup(newest[m]))
		}
	}
	return setups
}
