package platform

import (
	"context"
	"slices"

	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	platformstore "github.com/waybill-dev/waybill/internal/foundation/store/platform"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// follow brings the tables that other rooms work with to where s wants them. Kinds that are only read need nothing.
func (a *application) follow(ctx context.Context, s, old platformstore.Setting) error {
	switch {
	case s.Spec.Team != nil:
		return connectorstore.EnsureTeam(ctx, a.tx, s.Name, a.engine.Now())
	case s.Spec.Repository != nil:
		return a.engine.Repositories.Declare(ctx, a.tx, s.Name, *s.Spec.Repository, a.by)
	case s.Spec.Site != nil:
		return a.site(ctx, s, old)
	}
	return nil
}

// withdraw undoes what follow did. A team stays as long as something of it may be left.
func (a *application) withdraw(ctx context.Context, s platformstore.Setting) error {
	switch {
	case s.Spec.Repository != nil:
		return a.engine.Repositories.Withdraw(ctx, a.tx, s.Name, *s.Spec.Repository, a.by)
	case s.Spec.Site != nil:
		if err := a.unassign(ctx, s.Name, s.Spec.Site.Assignments, nil); err != nil {
			return err
		}
		return connectorstore.RemoveEmptySite(ctx, a.tx, s.Name)
	}
	return nil
}

// site makes the site and its assignments those of the declaration.
func (a *application) site(ctx context.Context, s, old platformstore.Setting) error {
	spec := s.Spec.Site
	site := waybill.Site{Name: s.Name, Owner: s.Spec.Owner, Environment: spec.Environment, Created: a.engine.Now()}
	if _, err := connectorstore.EnsureSite(ctx, a.tx, site); err != nil {
		return err
	}
	if old.Spec.Site != nil {
		if err := a.unassign(ctx, s.Name, old.Spec.Site.Assignments, spec.Assignments); err != nil {
			return err
		}
	}
	for _, w := range spec.Assignments {
		assignment := waybill.Assignment{
			Site: s.Name, Connector: w.Connector, Major: w.Major, Config: w.Config, Schedule: w.Schedule, Enabled: w.Enabled,
			Updated: a.engine.Now(),
		}
		if err := connectorstore.PutAssignment(ctx, a.tx, assignment); err != nil {
			return err
		}
		a.tx.Notify("connector:" + w.Connector)
	}
	a.tx.Notify(connectorstore.ScheduleTopic)
	return nil
}

// unassign removes the assignments of a site that are in was and not in is.
func (a *application) unassign(ctx context.Context, site string, was, is []waybill.AssignmentSpec) error {
	for _, w := range was {
		if slices.ContainsFunc(is, func(n waybill.AssignmentSpec) bool { return n.Connector == w.Connector && n.Major == w.Major }) {
			continue
		}
		if err := connectorstore.RemoveAssignment(ctx, a.tx, site, w.Connector, w.Major); err != nil {
			return err
		}
		a.tx.Notify("connector:" + w.Connector)
	}
	a.tx.Notify(connectorstore.ScheduleTopic)
	return nil
}
