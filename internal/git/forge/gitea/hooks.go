package gitea

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// events are what Waybill wants to hear of. Gitea tells of a new branch or tag as a push, too: hearing of it once is enough.
func events() []string {
	return []string{"push", "delete", "repository", "pull_request_only", "pull_request_sync", "issue_comment", "pull_request_comment"}
}

// InstallHook makes a repository tell of what happens in it.
func (g *Gitea) InstallHook(ctx context.Context, r waybill.Repository, address string) error {
	return forge.InstallHook(ctx, hooks{g, r}, address)
}

// RemoveHook removes every hook with this address.
func (g *Gitea) RemoveHook(ctx context.Context, r waybill.Repository, address string) error {
	return forge.RemoveHook(ctx, hooks{g, r}, address)
}

// Ping makes the hook of r with this address say something: Gitea sends the last push to the default branch again, and
// nothing while there is none. NotFound: there is no such hook.
func (g *Gitea) Ping(ctx context.Context, r waybill.Repository, address string) error {
	return forge.PingHook(ctx, hooks{g, r}, address)
}

// hooks are those of one repository.
type hooks struct {
	gitea *Gitea
	r     waybill.Repository
}

// in makes one request, and explains a refusal.
func (h hooks) in(ctx context.Context, operation string, do func(c *sdk.Client, p place) error) error {
	err := h.gitea.in(ctx, h.r, operation, do)
	if waybill.IsCode(err, waybill.Denied) {
		return waybill.Wrap(waybill.Denied, errors.Unwrap(err), err.Error()+
			": make the token's user an administrator of the repository, or install the hook by hand")
	}
	return err
}

// List lists the hooks; Gitea does not tell how they do.
func (h hooks) List(ctx context.Context) ([]forge.Hook, error) {
	var all []forge.Hook
	for one, err := range listed(func(page sdk.ListOptions) (some []*sdk.Hook, err error) {
		err = h.in(ctx, "hooks", func(c *sdk.Client, p place) error {
			some, _, err = c.ListRepoHooks(p.owner, p.name, sdk.ListHooksOptions{ListOptions: page})
			return err
		})
		return some, err
	}) {
		if err != nil {
			return nil, err
		}
		all = append(all, forge.Hook{ID: one.ID, Address: one.Config["url"]})
	}
	return all, nil
}

// Put makes a hook and then removes those that were there. Gitea changes no secret of a hook; with the new one there
// first, no push goes by unseen.
func (h hooks) Put(ctx context.Context, address string, there []forge.Hook) error {
	err := h.in(ctx, "hook", func(c *sdk.Client, p place) error {
		_, _, err := c.CreateRepoHook(p.owner, p.name, sdk.CreateHookOption{
			Type: sdk.HookTypeGitea, Active: true, Events: events(),
			Config: map[string]string{"url": address, "content_type": "json", "secret": h.r.HookSecret},
		})
		return err
	})
	if err != nil {
		return err
	}
	return forge.DeleteHooks(ctx, h, there)
}

// Delete removes a hook.
func (h hooks) Delete(ctx context.Context, id int64) error {
	return h.in(ctx, "hook", func(c *sdk.Client, p place) error {
		_, err := c.DeleteRepoHook(p.owner, p.name, id)
		return err
	})
}

// Ping has Gitea test a hook. The library has no call for that.
func (h hooks) Ping(ctx context.Context, id int64) error {
	return h.in(ctx, "ping", func(_ *sdk.Client, p place) error {
		tests := h.gitea.web.JoinPath("api/v1/repos", url.PathEscape(p.owner), url.PathEscape(p.name), "hooks", strconv.FormatInt(id, 10), "tests")
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, tests.String(), http.NoBody)
		if err != nil {
			return err
		}
		res, err := h.gitea.wire.For("ping").Client().Do(req)
		if err != nil {
			return err
		}
		return res.Body.Close()
	})
}
