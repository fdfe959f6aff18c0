package api

import (
	"context"
	"net/http"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/git/inbox"
)

func (a *API) addForges() {
	add(a, operation{
		method: http.MethodGet, path: "/forges", id: "list-forges", tag: "repositories",
		summary: "List the forges of the configuration by name, plain Git last.", action: auth.Read,
	}, func(ctx context.Context, _ *struct{}) (*body[wire.Page[wire.Forge]], error) {
		list, err := a.Repositories.Configured(ctx)
		return answer(wire.Page[wire.Forge]{Items: each(list, func(f inbox.Configured) wire.Forge { return wire.Forge(f) })}), err
	})
	add(a, operation{
		method: http.MethodPost, path: "/forges/{name}/check", id: "check-forge", tag: "repositories",
		summary: "Try the credentials of a forge, the way to it and the way back.", action: auth.Manage,
	}, func(ctx context.Context, in *struct {
		Name string `path:"name" maxLength:"40" doc:"Name of the forge in the configuration."`
		Body wire.CheckForge
	},
	) (*body[wire.ForgeCheck], error) {
		found, err := a.Repositories.CheckForge(ctx, in.Name, in.Body.Repository)
		check := wire.ForgeCheck{OK: true, Findings: each(found, func(f inbox.Finding) wire.ForgeFinding { return wire.ForgeFinding(f) })}
		for _, f := range found {
			check.OK = check.OK && f.OK
		}
		return answer(check), err
	})
}
