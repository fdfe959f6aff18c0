package api

import (
	"context"
	"net/http"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// ReleasePath names a release.
type ReleasePath struct {
	ID string `path:"id" maxLength:"40" doc:"Id of the release."`
}

// releaseQuery selects releases.
type releaseQuery struct {
	Listing

	Connector   string `query:"connector" doc:"Only those of this connector."`
	Major       int    `query:"major" minimum:"0" doc:"Only those of this major version."`
	Environment string `query:"environment" enum:"dev,prod" doc:"Only those to this environment."`
	Commit      string `query:"commit" doc:"Only those of this commit, in full."`
	Open        bool   `query:"open" doc:"Only those that have not ended."`
}

func (a *API) addReleases() {
	add(a, operation{
		method: http.MethodGet, path: "/releases", id: "list-releases", tag: "releases",
		summary: "List releases, newest first.", action: auth.Read,
	}, a.listReleases)
	add(a, operation{
		method: http.MethodGet, path: "/releases/{id}", id: "get-release", tag: "releases",
		summary: "Show a release with its steps.", action: auth.Read,
	}, func(ctx context.Context, in *ReleasePath) (*body[wire.Release], error) {
		r, err := connectorstore.Release(ctx, a.DB.Query(), in.ID)
		if err != nil {
			return nil, err
		}
		l, found, err := connectorstore.FindLive(ctx, a.DB.Query(), r.Declaration.Name, r.Declaration.Major, r.Environment)
		return answer(release(r, found && l.Release == r.ID)), err
	})
	add(a, operation{
		method: http.MethodPost, path: "/releases/{id}/promote", id: "promote-release", tag: "releases",
		summary: "Make a release live whose steps are done. Doing it twice changes nothing.", action: auth.Act,
	}, func(ctx context.Context, in *ReleasePath) (*body[wire.Live], error) {
		l, err := a.Releases.Promote(ctx, in.ID, by(ctx))
		if err != nil {
			return nil, err
		}
		return a.live(ctx, l)
	})
}

func (a *API) listReleases(ctx context.Context, in *releaseQuery) (*body[wire.Page[wire.Release]], error) {
	before, err := in.before()
	if err != nil {
		return nil, err
	}
	rows, err := connectorstore.Releases(ctx, a.DB.Query(), connectorstore.ReleaseFilter{
		Connector: in.Connector, Major: in.Major, Environment: waybill.Environment(in.Environment),
		Commit: in.Commit, Open: in.Open, Before: before, Limit: in.more(),
	})
	if err != nil {
		return nil, err
	}
	lives, err := connectorstore.Lives(ctx, a.DB.Query())
	if err != nil {
		return nil, err
	}
	serves := make(map[string]bool, len(lives))
	for _, l := range lives {
		serves[l.Release] = true
	}
	return answer(page(in.Listing, rows, func(r waybill.Release) string { return r.ID },
		func(r waybill.Release) wire.Release { return release(r, serves[r.ID]) })), nil
}

// live answers with a pointer that was moved.
func (a *API) live(ctx context.Context, l waybill.Live) (*body[wire.Live], error) {
	r, err := connectorstore.Release(ctx, a.DB.Query(), l.Release)
	return answer(live(l, r)), err
}

func live(l waybill.Live, r waybill.Release) wire.Live {
	return wire.Live{
		Connector: l.Connector, Major: l.Major, Environment: string(l.Environment), Release: l.Release,
		Commit: r.Commit, Semver: r.Semver, Image: r.Image, Since: l.Since,
	}
}

func release(r waybill.Release, live bool) wire.Release {
	return wire.Release{
		ID: r.ID, Connector: r.Declaration.Name, Major: r.Declaration.Major, Environment: string(r.Environment),
		Repository: r.Repository, Ref: r.Ref, Commit: r.Commit, Semver: r.Semver, Image: r.Image, RepoDigest: r.RepoDigest,
		Outcome: string(r.Outcome), Steps: each(r.Steps, step), Live: live, Created: r.Created,
	}
}

func step(s waybill.StepState) wire.Step {
	return wire.Step{
		Step: string(s.Step), Outcome: string(s.Outcome), Detail: s.Detail, HasLog: s.Log != "",
		Started: s.Started, Ended: s.Ended,
	}
}
