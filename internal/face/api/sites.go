package api

import (
	"context"
	"net/http"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func (a *API) addSites() {
	add(a, operation{
		method: http.MethodGet, path: "/sites", id: "list-sites", tag: "sites",
		summary: "List sites by name.", action: auth.Read,
	}, func(ctx context.Context, in *Listing) (*body[wire.Page[wire.Site]], error) {
		rows, err := connectorstore.Sites(ctx, a.DB.Query())
		return answer(named(*in, rows, func(s waybill.Site) string { return s.Name }, site)), err
	})
	add(a, operation{
		method: http.MethodGet, path: "/assignments", id: "list-assignments", tag: "sites",
		summary: "List which connector is assigned where.", action: auth.Read,
	}, func(ctx context.Context, in *struct {
		Site      string `query:"site" doc:"Only those at this site."`
		Connector string `query:"connector" doc:"Only those of this connector."`
	},
	) (*body[wire.Page[wire.Assignment]], error) {
		items, err := a.assignments(ctx, connectorstore.AssignmentFilter{Site: in.Site, Connector: in.Connector})
		return answer(wire.Page[wire.Assignment]{Items: items}), err
	})
}

func (a *API) assignments(ctx context.Context, f connectorstore.AssignmentFilter) ([]wire.Assignment, error) {
	rows, err := connectorstore.Assignments(ctx, a.DB.Query(), f)
	if err != nil {
		return nil, err
	}
	items := make([]wire.Assignment, 0, len(rows))
	for _, r := range rows {
		fields, err := a.fields(ctx, r.Connector, r.Major)
		if err != nil {
			return nil, err
		}
		items = append(items, wire.Assignment{
			Site: r.Site, Connector: r.Connector, Major: r.Major, Config: redact(fields, r.Config),
			Schedule: r.Schedule, Enabled: r.Enabled, Updated: r.Updated,
		})
	}
	return items, nil
}

// fields returns the fields that the newest release of a connector major declares; none when there is no release.
func (a *API) fields(ctx context.Context, name string, major int) ([]waybill.Field, error) {
	rows, err := connectorstore.Releases(ctx, a.DB.Query(), connectorstore.ReleaseFilter{Connector: name, Major: major, Limit: 1})
	if err != nil || len(rows) == 0 || rows[0].Declaration.Connector == nil {
		return nil, err
	}
	return rows[0].Declaration.Connector.Fields, nil
}

func site(s waybill.Site) wire.Site {
	return wire.Site{Name: s.Name, Owner: s.Owner, Environment: string(s.Environment), Created: s.Created}
}
