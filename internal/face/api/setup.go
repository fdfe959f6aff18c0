package api

import (
	"slices"
	"time"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// redacted stands for a value that must not be shown.
const redacted = "[redacted]"

// redact hides the values of password fields, and of fields that are not declared: nobody knows what those hold.
func redact(fields []waybill.Field, values map[string]string) map[string]string {
	shown := make(map[string]string, len(values))
	for k, v := range values {
		i := slices.IndexFunc(fields, func(f waybill.Field) bool { return f.Key == k })
		if i < 0 || fields[i].Type == "password" {
			v = redacted
		}
		shown[k] = v
	}
	return shown
}

// setup converts what a release declares. The declaration must be that of a connector.
func setup(r waybill.Release) wire.Setup {
	d, c := r.Declaration, r.Declaration.Connector
	return wire.Setup{
		Major: d.Major, Release: r.ID, Commit: r.Commit, File: d.File, Lines: d.Lines, Digest: d.Digest,
		Description: c.Description, Labels: c.Labels, Flow: c.Flow, Mode: c.Mode, Source: source(c.Source),
		Build: wire.Build{
			Context: c.Build.Context, Dockerfile: c.Build.Dockerfile, Target: c.Build.Target,
			Platform: c.Build.Platform, Network: c.Build.Network, Timeout: int64(c.Build.Timeout / time.Second),
		},
		Application: application(c.Application),
		Fields:      each(c.Fields, field),
		Categories:  c.Categories,
		Run: wire.RunSettings{
			Schedule: c.Run.Schedule, Timeout: int64(c.Run.Timeout / time.Second), OnDeploy: c.Run.OnDeploy,
			Concurrency: c.Run.Concurrency, Retries: c.Run.Retries, CPU: c.Run.CPU, Memory: c.Run.Memory, Egress: c.Run.Egress,
		},
		Rules: wire.Rules{
			DevBranch: c.Release.DevBranch, DevSite: d.DevSite(), DevConfig: redact(c.Fields, c.Release.DevConfig),
			ProdTag: d.TagPattern(), ProdSite: d.ProdSite(),
		},
	}
}

func source(s *waybill.Source) *wire.Source {
	if s == nil {
		return nil
	}
	return &wire.Source{Repository: s.Repository, Branch: s.Branch, Path: s.Path}
}

func application(a waybill.Application) wire.Application {
	w := wire.Application{Command: a.Command, Arguments: a.Arguments}
	if h := a.HealthCheck; h != nil {
		w.HealthCheck = &wire.HealthCheck{Arguments: h.Arguments, Timeout: h.Timeout.Seconds()}
	}
	return w
}

func field(f waybill.Field) wire.Field {
	w := wire.Field{
		Key: f.Key, Type: f.Type, Label: f.Label, Required: f.Required, Default: f.Default,
		Placeholder: f.Placeholder, Description: f.Description,
	}
	for _, o := range f.Options {
		w.Options = append(w.Options, wire.Option{Value: o.Value, Label: o.Label})
	}
	return w
}
