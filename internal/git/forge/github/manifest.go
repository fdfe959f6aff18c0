package github

import (
	"context"
	"regexp"
	"slices"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Registration is what GitHub makes of an App manifest: everything secret of it is shown this once.
type Registration struct {
	ID         int64
	Name, Slug string
	Page       string // for people: where the App is installed from
	Key        []byte // private, PEM
	HookSecret string
}

var codeWord = regexp.MustCompile(`^[A-Za-z0-9_-]{1,200}$`)

// Convert exchanges the code that GitHub gave a person, who registered an App from a manifest, for the App. It works
// once, within an hour. o needs URL, and HTTP, Now and Observe as New does.
func Convert(ctx context.Context, o Options, code string) (Registration, error) {
	if !codeWord.MatchString(code) {
		return Registration{}, waybill.Errorf(waybill.Invalid, "%q is not a code of GitHub", code)
	}
	o.App, o.Token = nil, func(context.Context) (string, error) { return "", nil }
	f, err := New(o)
	if err != nil {
		return Registration{}, err
	}
	app, _, err := f.dial(f.wire.For("manifest")).Apps.CompleteAppManifest(ctx, code)
	if err != nil {
		return Registration{}, f.fault(ctx, err)
	}
	r := Registration{
		ID: app.GetID(), Name: app.GetName(), Slug: app.GetSlug(), Page: app.GetHTMLURL(), Key: []byte(app.GetPEM()),
		HookSecret: app.GetWebhookSecret(),
	}
	return r, CheckKey(r.Key)
}

// Manifest is what a person posts to GitHub (settings/apps/new, field manifest) to register an App with the rights that
// Waybill needs.
type Manifest struct {
	Name        string            `json:"name"`
	URL         string            `json:"url"`
	Hook        map[string]any    `json:"hook_attributes"`
	Redirect    string            `json:"redirect_url"`
	Public      bool              `json:"public"`
	Permissions map[string]string `json:"default_permissions"`
	Events      []string          `json:"default_events"`
}

// ManifestFor describes the App of the Waybill at publicURL: its hooks go to hook, and GitHub sends the person with the
// code to redirect.
func ManifestFor(name, publicURL, hook, redirect string) Manifest {
	return Manifest{
		Name: name, URL: publicURL, Redirect: redirect, Hook: map[string]any{"url": hook, "active": true},
		Permissions: rights(), Events: slices.DeleteFunc(events(), func(e string) bool { return e == "check_suite" }),
	}
}

// rights are the permissions of an App. Reading metadata is part of every App.
func rights() map[string]string {
	return map[string]string{
		"checks": "write", "contents": "read", "merge_queues": "read", "metadata": "read", "pull_requests": "write",
	}
}
