package github

import (
	"context"
	"strconv"

	"github.com/google/go-github/v60/github"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Find looks a repository up by its address, or by its number when there is no address.
func (f *Forge) Find(ctx context.Context, r waybill.Repository) (waybill.Repository, error) {
	found, err := f.find(ctx, r)
	if err != nil {
		return waybill.Repository{}, f.fault(ctx, err)
	}
	path := found.GetFullName()
	at, err := placeOf(path)
	if err != nil || found.GetID() <= 0 {
		return waybill.Repository{}, waybill.Errorf(waybill.Unavailable, "%s describes a repository without a name", f.api.Host)
	}
	return waybill.Repository{
		ForgeID: strconv.FormatInt(found.GetID(), 10), Path: path, Name: at.name, DefaultBranch: found.GetDefaultBranch(), Archived: found.GetArchived(),
		URL: f.web.JoinPath(at.owner, at.name).String() + ".git",
	}, nil
}

func (f *Forge) find(ctx context.Context, r waybill.Repository) (*github.Repository, error) {
	if r.URL != "" {
		var err error
		if r.Path, err = forge.PathOf(f.web, r.URL); err != nil {
			return nil, err
		}
		r.ForgeID = ""
		c, at, err := f.open(ctx, "find", r)
		if err != nil {
			return nil, err
		}
		found, _, err := c.Repositories.Get(ctx, at.owner, at.name)
		return found, err
	}
	id, err := number(r.ForgeID)
	if err != nil {
		return nil, err
	}
	r.Path = ""
	c, err := f.client(ctx, "find", r)
	if err != nil {
		return nil, err
	}
	found, _, err := c.Repositories.GetByID(ctx, id)
	return found, err
}
