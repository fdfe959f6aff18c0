package gitea

import (
	"context"
	"strconv"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Find returns what Gitea knows of the repository that has the address of r or, when that is empty, its number. The
// address for cloning stands below our own address of Gitea: one that Gitea names could lead the token elsewhere.
func (g *Gitea) Find(ctx context.Context, r waybill.Repository) (waybill.Repository, error) {
	var found *sdk.Repository
	var err error
	if r.URL == "" {
		found, err = g.byID(ctx, r.ForgeID)
	} else {
		found, err = g.byAddress(ctx, r.URL)
	}
	if err != nil {
		return waybill.Repository{}, err
	}
	if _, err := at(found.FullName); err != nil || found.ID <= 0 {
		return waybill.Repository{}, waybill.Errorf(waybill.Unavailable, "Gitea answers with a repository that has no name")
	}
	return waybill.Repository{
		ForgeID: strconv.FormatInt(found.ID, 10), Path: found.FullName, Name: found.Name,
		URL: g.web.String() + "/" + found.FullName + ".git", DefaultBranch: found.DefaultBranch, Archived: found.Archived,
	}, nil
}

func (g *Gitea) byAddress(ctx context.Context, address string) (found *sdk.Repository, err error) {
	path, err := forge.PathOf(g.web, address)
	if err != nil {
		return nil, err
	}
	p, err := at(path)
	if err != nil {
		return nil, err
	}
	err = g.ask(ctx, "repository", func(c *sdk.Client) (err error) {
		found, _, err = c.GetRepo(p.owner, p.name)
		return err
	})
	return found, err
}

// events are what Waybill wants to hear of. Gitea tells of a new branch or tag as a push, too: hearing of it once is enough.
func events() []string {
	return []string{"push", "delete", "repository", "pull_request_only", "pull_request_sync", "issue_comment", "pull_request_comment"}
}

// InstallHook makes a hook and then removes those with this address that were there. Gitea changes no secret of a hook;
// with the new one there first, no push goes by unseen.
func (g *Gitea) InstallHook(ctx context.Context, r waybill.Repository, address string) error {
	old, err := g.hooks(ctx, r, address)
	if err != nil {
		return err
	}
	err = g.in(ctx, r, "hook", func(c *sdk.Client, p place) error {
		_, _, err := c.CreateRepoHook(p.owner, p.name, sdk.CreateHookOption{
			Type: sdk.HookTypeGitea, Active: true, Events: events(),
			Config: map[string]string{"url": address, "content_type": "json", "secret": r.HookSecret},
		})
		return err
	})
	if err != nil {
		return err
	}
	return g.removeHooks(ctx, r, old)
}

// RemoveHook removes every hook with this address.
func (g *Gitea) RemoveHook(ctx context.Context, r waybill.Repository, address string) error {
	old, err := g.hooks(ctx, r, address)
	if waybill.IsCode(err, waybill.NotFound) {
		return nil // with its repository
	}
	if err != nil {
		return err
	}
	return g.removeHooks(ctx, r, old)
}

// hooks returns the ids of the hooks with an address.
func (g *Gitea) hooks(ctx context.Context, r waybill.Repository, address string) (ids []int64, err error) {
	err = pages(func(page sdk.ListOptions) (int, error) {
		var some []*sdk.Hook
		err := g.in(ctx, r, "hooks", func(c *sdk.Client, p place) (err error) {
			some, _, err = c.ListRepoHooks(p.owner, p.name, sdk.ListHooksOptions{ListOptions: page})
			return err
		})
		for _, h := range some {
			if h != nil && h.Config["url"] == address {
				ids = append(ids, h.ID)
			}
		}
		return len(some), err
	})
	return ids, err
}

func (g *Gitea) removeHooks(ctx context.Context, r waybill.Repository, ids []int64) error {
	for _, id := range ids {
		err := g.in(ctx, r, "hook", func(c *sdk.Client, p place) error {
			_, err := c.DeleteRepoHook(p.owner, p.name, id)
			return err
		})
		if err != nil && !waybill.IsCode(err, waybill.NotFound) {
			return err
		}
	}
	return nil
}
