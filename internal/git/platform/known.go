package platform

import (
	"context"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	platformstore "github.com/waybill-dev/waybill/internal/foundation/store/platform"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Known completes what the manifests of a repository are judged by: what the platform declares, what exists although
// nothing declares it, and the policies. Without a platform repository it leaves o as it is.
func (e *Engine) Known(ctx context.Context, q store.Querier, o manifest.Options) (manifest.Options, error) {
	if e.URL == "" {
		return o, nil
	}
	settings, err := platformstore.List(ctx, q, "")
	if err != nil {
		return o, err
	}
	o.References = &manifest.References{Names: map[string][]string{}, Forges: append([]string{"plain"}, e.Forges...)}
	for _, s := range settings {
		o.References.Declarations = append(o.References.Declarations, s.Declaration())
	}
	o.Policies = policies(settings)
	return o, e.undeclared(ctx, q, o.References.Names)
}

// Policies returns the policies that are applied, by name.
func Policies(ctx context.Context, q store.Querier) (map[string]waybill.PolicySpec, error) {
	settings, err := platformstore.List(ctx, q, waybill.KindPolicy)
	return policies(settings), err
}

func policies(settings []platformstore.Setting) map[string]waybill.PolicySpec {
	all := map[string]waybill.PolicySpec{}
	for _, s := range settings {
		if s.Spec.Policy != nil {
			p := *s.Spec.Policy
			p.Message = s.Spec.Description
			all[s.Name] = p
		}
	}
	return all
}

// undeclared adds the names of teams, sites and connectors.
func (e *Engine) undeclared(ctx context.Context, q store.Querier, names map[string][]string) error {
	teams, err := connectorstore.Teams(ctx, q)
	if err != nil {
		return err
	}
	sites, err := connectorstore.Sites(ctx, q)
	if err != nil {
		return err
	}
	connectors, err := connectorstore.Connectors(ctx, q)
	if err != nil {
		return err
	}
	names[waybill.KindTeam] = append(names[waybill.KindTeam], teams...)
	for _, s := range sites {
		names[waybill.KindSite] = append(names[waybill.KindSite], s.Name)
	}
	for _, c := range connectors {
		names[waybill.KindConnector] = append(names[waybill.KindConnector], c.Name)
	}
	return nil
}
