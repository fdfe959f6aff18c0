package api

import (
	"context"
	"net/http"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/inbox"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// repositories adds and removes what is watched.
type repositories interface {
	AddRepository(ctx context.Context, q inbox.Request, by waybill.Actor) (inbox.Added, error)
	RemoveRepository(ctx context.Context, id string, by waybill.Actor) error
	InstallHook(ctx context.Context, id string) (inbox.Added, error)
	RotateSecret(ctx context.Context, id string, by waybill.Actor) (inbox.Rotated, error)
	Configured(ctx context.Context) ([]inbox.Configured, error)
	CheckForge(ctx context.Context, name, repository string) ([]inbox.Finding, error)
}

// repositoryPath names a repository by its id.
type repositoryPath struct {
	ID string `path:"id" doc:"Id of the repository; its owner/name with the slash escaped works too."`
}

func (a *API) addRepositories() {
	add(a, operation{
		method: http.MethodGet, path: "/repositories", id: "list-repositories", tag: "repositories",
		summary: "List what is watched, by name.", action: auth.Read,
	}, func(ctx context.Context, in *Listing) (*body[wire.Page[wire.Repository]], error) {
		rows, err := gitstore.Repositories(ctx, a.DB.Query())
		return answer(named(*in, rows, waybill.Repository.FullName, repository)), err
	})
	add(a, operation{
		method: http.MethodPost, path: "/repositories", id: "add-repository", tag: "repositories", status: http.StatusCreated,
		summary: "Watch a repository. A second request for the same URL is a conflict.", action: auth.Manage,
	}, func(ctx context.Context, in *create[wire.AddRepository]) (*body[wire.AddedRepository], error) {
		return once(ctx, a.seen, "repositories", in, a.addRepository)
	})
	add(a, operation{
		method: http.MethodGet, path: "/repositories/{id}", id: "get-repository", tag: "repositories",
		summary: "Show a repository.", action: auth.Read,
	}, func(ctx context.Context, in *repositoryPath) (*body[wire.Repository], error) {
		r, err := a.repository(ctx, in.ID)
		return answer(repository(r)), err
	})
	add(a, operation{
		method: http.MethodDelete, path: "/repositories/{id}", id: "remove-repository", tag: "repositories",
		summary: "Stop watching a repository. What was deployed from it stays.", action: auth.Manage,
	}, func(ctx context.Context, in *repositoryPath) (*struct{}, error) {
		r, err := a.repository(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return nil, a.Repositories.RemoveRepository(ctx, r.ID, by(ctx))
	})
	add(a, operation{
		method: http.MethodPost, path: "/repositories/{id}/hook", id: "install-hook", tag: "repositories",
		summary: "Install the hook of a repository again, with a new secret if that is asked for.", action: auth.Manage,
	}, func(ctx context.Context, in *struct {
		ID   string `path:"id" doc:"Id of the repository; its owner/name with the slash escaped works too."`
		Body wire.RepositoryHook
	},
	) (*body[wire.InstalledHook], error) {
		r, err := a.repository(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return a.installHook(ctx, r.ID, in.Body.Rotate)
	})
}

func (a *API) installHook(ctx context.Context, id string, rotate bool) (*body[wire.InstalledHook], error) {
	if !rotate {
		added, err := a.Repositories.InstallHook(ctx, id)
		return answer(wire.InstalledHook{Hook: hook(added)}), err
	}
	rotated, err := a.Repositories.RotateSecret(ctx, id, by(ctx))
	return answer(wire.InstalledHook{Hook: hook(rotated.Added), OldSecretEnds: rotated.OldEnds}), err
}

func (a *API) addRepository(ctx context.Context, in wire.AddRepository) (wire.AddedRepository, error) {
	added, err := a.Repositories.AddRepository(ctx, inbox.Request{
		URL: in.URL, Name: in.Name, Forge: in.Forge, Owner: in.Owner, PushNotes: in.PushNotes,
	}, by(ctx))
	return wire.AddedRepository{Repository: repository(added.Repository), Hook: hook(added)}, err
}

func hook(a inbox.Added) wire.Hook {
	h := wire.Hook{HookInstalled: a.Hooked, Hint: a.Hint}
	if f := a.Form; f != nil {
		h.HookForm = &wire.HookForm{Page: f.Page, Address: f.Address, Secret: f.Secret, ContentType: f.ContentType, Events: f.Events}
	}
	return h
}

// repository finds a repository by id, or by what people call it.
func (a *API) repository(ctx context.Context, name string) (waybill.Repository, error) {
	r, err := gitstore.Repository(ctx, a.DB.Query(), name)
	if waybill.IsCode(err, waybill.NotFound) {
		return gitstore.RepositoryByName(ctx, a.DB.Query(), name)
	}
	return r, err
}

func repository(r waybill.Repository) wire.Repository {
	return wire.Repository{
		ID: r.ID, Name: r.FullName(), URL: r.URL, Forge: r.Forge, ForgeID: r.ForgeID, Path: r.Path, Owner: r.Owner,
		DefaultBranch: r.DefaultBranch, PushNotes: r.PushNotes, Archived: r.Archived, Added: r.Added,
		LastPolled: r.LastPolled, LastTold: r.LastTold, LastMissed: r.LastMissed,
	}
}
