package github

import (
	"context"
	"errors"
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

// events are those that Waybill wants to hear of. A hook of a repository takes all of them; pull requests bring their
// comments as issue_comment.
func events() []string {
	return []string{
		"push", "create", "delete", "pull_request", "issue_comment", "check_run", "check_suite", "merge_group", "repository",
	}
}

// InstallHook makes a repository tell of what happens in it. An App has a hook of its own for all its repositories.
func (f *Forge) InstallHook(ctx context.Context, r waybill.Repository, address string) error {
	if f.o.App != nil {
		_, err := f.installationOf(ctx, r)
		return err
	}
	c, at, err := f.open(ctx, "hook", r)
	if err != nil {
		return err
	}
	there, err := f.hooks(ctx, c, at)
	if err != nil {
		return f.mayNotHook(ctx, r, err)
	}
	hook := &github.Hook{Active: github.Bool(true), Events: events(), Config: &github.HookConfig{
		URL: &address, ContentType: github.String("json"), InsecureSSL: github.String("0"), Secret: &r.HookSecret,
	}}
	for _, h := range there {
		if h.GetConfig().GetURL() == address {
			_, _, err := c.Repositories.EditHook(ctx, at.owner, at.name, h.GetID(), hook)
			return f.mayNotHook(ctx, r, err)
		}
	}
	_, _, err = c.Repositories.CreateHook(ctx, at.owner, at.name, hook)
	return f.mayNotHook(ctx, r, err)
}

// hooks lists the hooks of a repository.
func (f *Forge) hooks(ctx context.Context, c *github.Client, at place) ([]*github.Hook, error) {
	var all []*github.Hook
	o := &github.ListOptions{PerPage: perPage}
	for range maxPages {
		list, resp, err := c.Repositories.ListHooks(ctx, at.owner, at.name, o)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if resp.NextPage == 0 {
			break
		}
		o.Page = resp.NextPage
	}
	return all, nil
}

// mayNotHook explains a refusal: GitHub hides hooks from those who may not see them as if they were not there.
func (f *Forge) mayNotHook(ctx context.Context, r waybill.Repository, err error) error {
	err = f.fault(ctx, err)
	if waybill.IsCode(err, waybill.NotFound) || waybill.IsCode(err, waybill.Denied) {
		return waybill.Wrap(waybill.Denied, errors.Unwrap(err), "the token may not administrate the webhooks of "+r.Path+
			" (classic: scope admin:repo_hook; fine-grained: Webhooks, read and write; and the user must be an admin there)")
	}
	return err
}

// RemoveHook takes the hook with this address away; one that is gone is no error.
func (f *Forge) RemoveHook(ctx context.Context, r waybill.Repository, address string) error {
	if f.o.App != nil {
		return nil
	}
	c, at, err := f.open(ctx, "hook", r)
	if err != nil {
		return err
	}
	there, err := f.hooks(ctx, c, at)
	if err != nil {
		return f.mayNotHook(ctx, r, err)
	}
	for _, h := range there {
		if h.GetConfig().GetURL() != address {
			continue
		}
		_, err := c.Repositories.DeleteHook(ctx, at.owner, at.name, h.GetID())
		if err = f.fault(ctx, err); err != nil && !waybill.IsCode(err, waybill.NotFound) {
			return f.mayNotHook(ctx, r, err)
		}
	}
	return nil
}
