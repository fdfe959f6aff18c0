package manifest

import (
	"strconv"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// wire is a connector as it is written, with defaults.
type wire struct {
	Metadata wireMetadata
	Spec     struct {
		Type, Flow     string
		Version        int
		Execution      struct{ Mode string }
		Source         *wireSource
		Build          wireBuild
		Application    wireApplication
		Authentication struct{ Providers []string }
		Secrets        []wireSecret
		Fields         []wireField
		Datasource     struct{ Categories []string }
		Export         *waybill.Export
		DataService    *waybill.DataService
		Run            wireRun
		Release        wireRelease
	}
}

type wireSource struct {
	Repository, Branch, Path string
	Auth                     struct{ Type, Secret string }
}

type wireBuild struct {
	Context, Dockerfile, Target, Platform, Network, Timeout string
	Args                                                    map[string]string
}

type wireApplication struct {
	Command     string
	Arguments   []string
	HealthCheck *struct {
		Arguments []string
		Timeout   string
	}
}

type wireSecret struct {
	Name string
	Ref  struct{ Store, Path, Key string }
}

type wireField struct {
	Key, Type, Label, Placeholder, Description string
	Required                                   bool
	Default                                    any
	Options                                    []waybill.Option
}

type wireRun struct {
	Schedule, Timeout, Concurrency string
	OnDeploy                       bool
	Retries                        int
	Resources                      struct{ CPU, Memory string }
	Egress                         []string
}

type wireRelease struct {
	Dev struct {
		Branch, Site string
		Config       map[string]string
	}
	Prod    struct{ Tag string }
	Targets waybill.Scope
	Access  struct {
		Everyone bool
		waybill.Scope
	}
}

// connector returns the domain value of d. Values that the rules refuse are zero.
func (d *document) connector() *waybill.Connector {
	meta, spec := d.wire.Metadata, d.wire.Spec
	c := &waybill.Connector{
		Title: meta.Title, Description: meta.Description, Owner: meta.Owner, Labels: meta.Labels, Readme: meta.Readme, Logo: meta.Logo,
		Type: spec.Type, Flow: spec.Flow, Mode: spec.Execution.Mode,
		Build: waybill.Build{
			Context: spec.Build.Context, Dockerfile: spec.Build.Dockerfile, Target: spec.Build.Target, Args: spec.Build.Args,
			Platform: spec.Build.Platform, Network: spec.Build.Network, Timeout: duration(spec.Build.Timeout),
		},
		Application:    waybill.Application{Command: spec.Application.Command, Arguments: spec.Application.Arguments},
		Authentication: spec.Authentication.Providers,
		Categories:     spec.Datasource.Categories,
		Export:         spec.Export,
		DataService:    spec.DataService,
		Run: waybill.RunSettings{
			Schedule: spec.Run.Schedule, Timeout: duration(spec.Run.Timeout), OnDeploy: spec.Run.OnDeploy,
			Concurrency: spec.Run.Concurrency, Retries: spec.Run.Retries, CPU: spec.Run.Resources.CPU,
			Memory: memory(spec.Run.Resources.Memory), Egress: spec.Run.Egress,
		},
		Release: waybill.ReleaseRules{
			DevBranch: spec.Release.Dev.Branch, DevSite: spec.Release.Dev.Site, DevConfig: spec.Release.Dev.Config,
			ProdTag: spec.Release.Prod.Tag, Everyone: spec.Release.Access.Everyone, Access: spec.Release.Access.Scope,
			Targets: spec.Release.Targets,
		},
	}
	if s := spec.Source; s != nil {
		c.Source = &waybill.Source{Repository: s.Repository, Branch: s.Branch, Path: s.Path, AuthType: s.Auth.Type, AuthSecret: s.Auth.Secret}
	}
	if h := spec.Application.HealthCheck; h != nil {
		c.Application.HealthCheck = &waybill.HealthCheck{Arguments: h.Arguments, Timeout: duration(h.Timeout)}
	}
	for _, s := range spec.Secrets {
		c.Secrets = append(c.Secrets, waybill.SecretRef{Name: s.Name, Store: s.Ref.Store, Path: s.Ref.Path, Key: s.Ref.Key})
	}
	for _, f := range spec.Fields {
		c.Fields = append(c.Fields, waybill.Field{
			Key: f.Key, Type: f.Type, Label: f.Label, Placeholder: f.Placeholder, Description: f.Description,
			Required: f.Required, Default: asText(f.Default), Options: f.Options,
		})
	}
	return c
}

// duration reads 1h30m and 7d; anything else is 0.
func duration(s string) time.Duration {
	if days, rest, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.Atoi(days)
		if more := duration(rest); err == nil && n <= maxDays && (rest == "" || more > 0) {
			return time.Duration(n)*24*time.Hour + more
		}
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0
	}
	return d
}

const maxDays = 100_000

// memory reads 512Mi as bytes; anything else is 0.
func memory(s string) int64 {
	n, _ := waybill.ParseBytes(s)
	return n
}
