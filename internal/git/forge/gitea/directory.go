package gitea

import (
	"context"
	"errors"
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

// repository returns what Gitea knows of r.
func (g *Gitea) repository(ctx context.Context, r waybill.Repository) (found *sdk.Repository, err error) {
	err = g.in(ctx, r, "repository", func(c *sdk.Client, p place) error {
		found, _, err = c.GetRepo(p.owner, p.name)
		return err
	})
	return found, err
}

// me returns the user whose token it is. Denied: the token signs in all the same.
func (g *Gitea) me(ctx context.Context) (user *sdk.User, err error) {
	err = g.ask(ctx, "user", func(c *sdk.Client) error {
		user, _, err = c.GetMyUserInfo()
		return err
	})
	if waybill.IsCode(err, waybill.Denied) {
		err = waybill.Wrap(waybill.Denied, errors.Unwrap(err), err.Error()+"; without the scope read:user a token does not know its own comments")
	}
	return user, err
}
