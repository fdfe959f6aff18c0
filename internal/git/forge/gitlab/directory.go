package gitlab

import (
	"context"
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
