package api

import (
	"context"
	"net/http"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	platformstore "github.com/waybill-dev/waybill/internal/foundation/store/platform"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func (a *API) addSettings() {
	add(a, operation{
		method: http.MethodGet, path: "/settings", id: "list-settings", tag: "settings",
		summary: "List what the platform repository declares, by kind and name.", action: auth.Read,
	}, func(ctx context.Context, in *struct {
		Listing

		Kind string `query:"kind" enum:"Repository,Team,Site,Workspace,AuthProvider,EventCatalog,Terms,Policy" doc:"Only those of this kind."`
	},
	) (*body[wire.Page[wire.Setting]], error) {
		rows, err := platformstore.List(ctx, a.DB.Query(), in.Kind)
		if err != nil {
			return nil, err
		}
		repository, err := a.platform(ctx)
		return answer(named(in.Listing, rows, func(s platformstore.Setting) string { return s.Kind + "/" + s.Name },
			func(s platformstore.Setting) wire.Setting { return setting(s, repository) })), err
	})
}

// platform returns the name of the platform repository; empty when it is not watched.
func (a *API) platform(ctx context.Context) (string, error) {
	all, err := gitstore.Repositories(ctx, a.DB.Query())
	for _, r := range all {
		if a.Platform != "" && r.URL == a.Platform {
			return r.FullName(), err
		}
	}
	return "", err
}

func setting(s platformstore.Setting, repository string) wire.Setting {
	return wire.Setting{
		Kind: s.Kind, Name: s.Name, Repository: repository, Commit: s.Commit, File: s.File, Line: s.Line, Applied: s.Applied,
		Facts: each(s.Spec.Facts(), func(f waybill.Fact) wire.Fact { return wire.Fact{Name: f.Name, Value: f.Value} }),
	}
}
