package manifest

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// wireApp is an app as it is written, with defaults.
type wireApp struct {
	Metadata struct {
		wireMetadata
		Support waybill.Support
	}
	Spec struct {
		Members      []waybill.Member
		Distribution waybill.Distribution
		Allowlist    []waybill.Allowance
		Scopes       []waybill.ScopeRequest
		Endpoints    map[string]wireEndpoint
		Webhooks     []waybill.Webhook
		Install      wireInstall
		Credentials  struct{ RotateEvery, Overlap string }
		Release      struct {
			Draft     struct{ Branch string }
			Published struct{ Tag string }
			Notes     string
		}
	}
}

// wireMetadata is what metadata of every kind has.
type wireMetadata struct {
	Name, Title, Description, Owner, Readme, Logo string
	Labels                                        map[string]string
}

type wireEndpoint struct {
	URL, Timeout, Signing, Ordering string
	MaxInFlight                     int
}

type wireInstall struct {
	RedirectURLs []string
	SetupURL     string
	Settings     []wireSetting
	Link         struct {
		TTL     string
		MaxUses int
	}
}

type wireSetting struct {
	Key, Type, Title, Help, Pattern string
	Required                        bool
	Default                         any
	Enum                            []string
}

// app returns the domain value. Values that the rules refuse are zero.
func (w *wireApp) app() *waybill.App {
	meta, spec := w.Metadata, w.Spec
	a := &waybill.App{
		Title: meta.Title, Description: meta.Description, Owner: meta.Owner, Labels: meta.Labels, Readme: meta.Readme, Logo: meta.Logo,
		Support: meta.Support, Members: spec.Members, Distribution: spec.Distribution, Allowlist: spec.Allowlist, Scopes: spec.Scopes,
		Webhooks: spec.Webhooks,
		Install: waybill.InstallRules{
			RedirectURLs: spec.Install.RedirectURLs, SetupURL: spec.Install.SetupURL,
			LinkTTL: duration(spec.Install.Link.TTL), LinkMaxUses: spec.Install.Link.MaxUses,
		},
		Credentials: waybill.CredentialRules{RotateEvery: duration(spec.Credentials.RotateEvery), Overlap: duration(spec.Credentials.Overlap)},
		Release: waybill.AppRelease{
			DraftBranch: spec.Release.Draft.Branch, PublishedTag: spec.Release.Published.Tag, Notes: spec.Release.Notes,
		},
	}
	for _, key := range slices.Sorted(maps.Keys(spec.Endpoints)) {
		e := spec.Endpoints[key]
		a.Endpoints = append(a.Endpoints, waybill.Endpoint{
			Key: key, URL: e.URL, Timeout: duration(e.Timeout), Signing: e.Signing, MaxInFlight: e.MaxInFlight, Ordering: e.Ordering,
		})
	}
	for _, s := range spec.Install.Settings {
		a.Install.Settings = append(a.Install.Settings, waybill.Setting{
			Key: s.Key, Type: s.Type, Title: s.Title, Help: s.Help, Required: s.Required, Default: asText(s.Default), Enum: s.Enum, Pattern: s.Pattern,
		})
	}
	return a
}

// asText returns a text, number or truth value as text; nil for anything else.
func asText(v any) *string {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case bool:
		s = strconv.FormatBool(v)
	case float64:
		s = strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		s = v.String()
	default:
		return nil
	}
	return &s
}
