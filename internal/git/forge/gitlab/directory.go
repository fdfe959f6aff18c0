package gitlab

import (
	"context"
	"errors"
	"strconv"
	"strings"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Find looks a project up by its address, or by its number when there is no address.
func (f *Forge) Find(ctx context.Context, r waybill.Repository) (waybill.Repository, error) {
	if r.URL != "" {
		path, err := forge.PathOf(f.web, r.URL)
		if err != nil {
			return waybill.Repository{}, err
		}
		r.ForgeID, r.Path = "", path
	} else if r.ForgeID == "" {
		return waybill.Repository{}, waybill.Errorf(waybill.Invalid, "neither address nor number of a project is given")
	}
	p, err := f.project(ctx, "find", r)
	if err != nil {
		return waybill.Repository{}, err
	}
	if p.ID <= 0 || !projectPath.MatchString(p.PathWithNamespace) {
		return waybill.Repository{}, waybill.Errorf(waybill.Unavailable, "%s describes a project without a name", f.web.Host)
	}
	return waybill.Repository{
		ForgeID: strconv.FormatInt(p.ID, 10), Path: p.PathWithNamespace, DefaultBranch: p.DefaultBranch, Archived: p.Archived,
		Name: p.PathWithNamespace[strings.LastIndex(p.PathWithNamespace, "/")+1:], URL: f.web.JoinPath(p.PathWithNamespace).String() + ".git",
	}, nil
}

func (f *Forge) project(ctx context.Context, operation string, r waybill.Repository) (*gitlab.Project, error) {
	c, project, err := f.open(operation, r)
	if err != nil {
		return nil, err
	}
	p, err := got(c.Projects.GetProject(project, nil, gitlab.WithContext(ctx)))
	return p, f.fault(ctx, err)
}

// InstallHook makes a project tell of what happens in it.
func (f *Forge) InstallHook(ctx context.Context, r waybill.Repository, address string) error {
	c, project, err := f.open("hook", r)
	if err != nil {
		return err
	}
	there, err := f.hooks(ctx, c, project)
	if err != nil {
		return f.mayNotHook(ctx, r, err)
	}
	yes, no := gitlab.Ptr(true), gitlab.Ptr(false)
	for _, h := range there {
		if h.URL == address {
			_, _, err := c.Projects.EditProjectHook(project, h.ID, &gitlab.EditProjectHookOptions{
				URL: &address, Token: &r.HookSecret, PushEvents: yes, TagPushEvents: yes, MergeRequestsEvents: yes, NoteEvents: yes,
				IssuesEvents: no, EnableSSLVerification: yes,
			}, gitlab.WithContext(ctx))
			return f.mayNotHook(ctx, r, err)
		}
	}
	_, _, err = c.Projects.AddProjectHook(project, &gitlab.AddProjectHookOptions{
		URL: &address, Token: &r.HookSecret, PushEvents: yes, TagPushEvents: yes, MergeRequestsEvents: yes, NoteEvents: yes,
		IssuesEvents: no, EnableSSLVerification: yes,
	}, gitlab.WithContext(ctx))
	return f.mayNotHook(ctx, r, err)
}

// hooks lists the hooks of a project.
func (f *Forge) hooks(ctx context.Context, c *gitlab.Client, project any) ([]*gitlab.ProjectHook, error) {
	var all []*gitlab.ProjectHook
	o := &gitlab.ListProjectHooksOptions{ListOptions: gitlab.ListOptions{PerPage: perPage}}
	for range maxPages {
		list, resp, err := c.Projects.ListProjectHooks(project, o, gitlab.WithContext(ctx))
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

// mayNotHook explains a refusal.
func (f *Forge) mayNotHook(ctx context.Context, r waybill.Repository, err error) error {
	err = f.fault(ctx, err)
	if waybill.IsCode(err, waybill.NotFound) || waybill.IsCode(err, waybill.Denied) {
		return waybill.Wrap(waybill.Denied, errors.Unwrap(err), "the token may not administrate the webhooks of "+r.Path+
			" (it needs the scope api and the role Maintainer)")
	}
	return err
}

// RemoveHook takes the hook with this address away; one that is gone is no error.
func (f *Forge) RemoveHook(ctx context.Context, r waybill.Repository, address string) error {
	c, project, err := f.open("hook", r)
	if err != nil {
		return err
	}
	there, err := f.hooks(ctx, c, project)
	if err != nil {
		return f.mayNotHook(ctx, r, err)
	}
	for _, h := range there {
		if h.URL != address {
			continue
		}
		_, err := c.Projects.DeleteProjectHook(project, h.ID, gitlab.WithContext(ctx))
		if err = f.fault(ctx, err); err != nil && !waybill.IsCode(err, waybill.NotFound) {
			return f.mayNotHook(ctx, r, err)
		}
	}
	return nil
}
