package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/plan"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// appEdit changes an app.
type appEdit func(*waybill.App)

func invoiceSync(edits ...appEdit) *waybill.App {
	a := &waybill.App{
		Title: "Invoice Sync", Description: "Copies paid invoices.", Owner: "finance-tools", Logo: "logo.svg",
		Support:      waybill.Support{Email: "apps@example.org"},
		Members:      []waybill.Member{{User: "ada", Role: "owner"}},
		Distribution: waybill.Unlisted,
		Allowlist:    []waybill.Allowance{{Workspace: "acme"}},
		Scopes: []waybill.ScopeRequest{
			{Scope: "invoices:read", Purpose: "Reads paid invoices."}, {Scope: "contacts:read", Purpose: "Reads names.", Optional: true},
		},
		Endpoints: []waybill.Endpoint{{Key: "main", URL: "https://hooks.example.org/waybill", Timeout: 15 * time.Second, Signing: "v1", MaxInFlight: 10, Ordering: "none"}},
		Webhooks: []waybill.Webhook{
			{Name: "paid", Endpoint: "main", Events: []string{"invoice.paid"}, DataTypes: []string{"invoice"}, Categories: []string{"sales"}, Filter: "true", Payload: "thin"},
			{Name: "all", Endpoint: "main", Events: []string{"contact.*"}, Payload: "thin"},
		},
		Install: waybill.InstallRules{
			RedirectURLs: []string{"https://app.example.org/done"}, LinkTTL: 7 * 24 * time.Hour, LinkMaxUses: 1,
			Settings: []waybill.Setting{
				{Key: "ledger", Type: "string", Title: "Ledger", Required: true, Pattern: "^L[0-9]+$"},
				{Key: "mode", Type: "enum", Title: "Mode", Enum: []string{"full", "delta"}, Default: new("full")},
			},
		},
		Credentials: waybill.CredentialRules{Overlap: 24 * time.Hour},
		Release:     waybill.AppRelease{PublishedTag: "v*"},
	}
	for _, e := range edits {
		e(a)
	}
	return a
}

// TestAppClasses is the table of change classes of apps: what changed, and what that asks of workspaces.
func TestAppClasses(t *testing.T) {
	t.Parallel()
	hook := func(edit func(*waybill.Webhook)) appEdit { return func(a *waybill.App) { edit(&a.Webhooks[0]) } }
	endpoint := func(edit func(*waybill.Endpoint)) appEdit { return func(a *waybill.App) { edit(&a.Endpoints[0]) } }
	setting := func(i int, edit func(*waybill.Setting)) appEdit {
		return func(a *waybill.App) { edit(&a.Install.Settings[i]) }
	}
	moreSettings := func(s waybill.Setting) appEdit {
		return func(a *waybill.App) { a.Install.Settings = append(a.Install.Settings, s) }
	}
	moreHooks := func(w waybill.Webhook) appEdit { return func(a *waybill.App) { a.Webhooks = append(a.Webhooks, w) } }
	for _, c := range []struct {
		name  string
		edit  appEdit
		class waybill.ChangeClass
		why   string // parts, then reasons
	}{
		{"nothing", func(*waybill.App) {}, waybill.Unchanged, ""},
		// patch
		{"title", func(a *waybill.App) { a.Title = "Sync" }, waybill.Patch, "metadata.title"},
		{"description", func(a *waybill.App) { a.Description = "Copies invoices." }, waybill.Patch, "metadata.description"},
		{"logo", func(a *waybill.App) { a.Logo = "new.svg" }, waybill.Patch, "metadata.logo"},
		{"readme", func(a *waybill.App) { a.Readme = "README.md" }, waybill.Patch, "metadata.readme"},
		{"labels", func(a *waybill.App) { a.Labels = map[string]string{"a": "b"} }, waybill.Patch, "metadata.labels"},
		{"owner", func(a *waybill.App) { a.Owner = "others" }, waybill.Patch, "metadata.owner"},
		{"support", func(a *waybill.App) { a.Support.URL = "https://example.org" }, waybill.Patch, "metadata.support"},
		{"member", func(a *waybill.App) { a.Members[0].Secrets = true }, waybill.Patch, "spec.members"},
		{"wider distribution", func(a *waybill.App) { a.Distribution = waybill.Listed }, waybill.Patch, "spec.distribution: distribution listed is asked for; a reviewer decides"},
		{"narrower distribution", func(a *waybill.App) { a.Distribution = waybill.Private }, waybill.Patch, "spec.distribution: distribution goes back to private at once; nothing is uninstalled"},
		{"allowed", func(a *waybill.App) { a.Allowlist = append(a.Allowlist, waybill.Allowance{Workspace: "beta"}) }, waybill.Patch, "spec.allowlist"},
		{"no longer allowed", func(a *waybill.App) { a.Allowlist = nil }, waybill.Patch, `spec.allowlist: workspace "acme" loses the app after 24 h`},
		{"purpose", func(a *waybill.App) { a.Scopes[0].Purpose = "Reads invoices." }, waybill.Patch, "spec.scopes"},
		{"order of scopes", func(a *waybill.App) { a.Scopes[0], a.Scopes[1] = a.Scopes[1], a.Scopes[0] }, waybill.Patch, "spec.scopes"},
		{"endpoint timeout", endpoint(func(e *waybill.Endpoint) { e.Timeout = time.Second }), waybill.Patch, "spec.endpoints"},
		{"endpoint path", endpoint(func(e *waybill.Endpoint) { e.URL = "https://HOOKS.example.org/v2" }), waybill.Patch, "spec.endpoints"},
		{"signing", endpoint(func(e *waybill.Endpoint) { e.Signing = "v1a" }), waybill.Patch, "spec.endpoints"},
		{"endpoint gone", func(a *waybill.App) { a.Endpoints = nil }, waybill.Patch, "spec.endpoints"},
		{"webhook name", hook(func(w *waybill.Webhook) { w.Name = "other" }), waybill.Patch, "spec.webhooks"},
		{"fewer data types", hook(func(w *waybill.Webhook) { w.DataTypes = []string{"invoice"}; w.Payload = "thin"; w.Endpoint = "x" }), waybill.Patch, "spec.webhooks"},
		{"redirect", func(a *waybill.App) { a.Install.RedirectURLs = nil }, waybill.Patch, "spec.install"},
		{"link", func(a *waybill.App) { a.Install.LinkMaxUses = 5 }, waybill.Patch, "spec.install"},
		{"title of a setting", setting(0, func(s *waybill.Setting) { s.Title = "Book" }), waybill.Patch, "spec.install"},
		{"help of a setting", setting(0, func(s *waybill.Setting) { s.Help = "Where?" }), waybill.Patch, "spec.install"},
		{"credentials", func(a *waybill.App) { a.Credentials.Overlap = 0 }, waybill.Patch, "spec.credentials"},
		{"notes", func(a *waybill.App) { a.Release.Notes = "CHANGES.md" }, waybill.Patch, "spec.release"},
		// minor
		{"optional scope", func(a *waybill.App) {
			a.Scopes = append(a.Scopes, waybill.ScopeRequest{Scope: "x:read", Optional: true})
		}, waybill.Minor, `spec.scopes: new optional scope "x:read"`},
		{"scope becomes optional", func(a *waybill.App) { a.Scopes[0].Optional = true }, waybill.Minor, `spec.scopes: scope "invoices:read" is optional now`},
		{"event", moreHooks(waybill.Webhook{Name: "void", Events: []string{"invoice.void"}, Payload: "full"}), waybill.Minor, "spec.webhooks: new event invoice.void"},
		{"events of a pattern", hook(func(w *waybill.Webhook) { w.Events = []string{"invoice.*"} }), waybill.Minor, "spec.webhooks: new event invoice.*"},
		{"category", hook(func(w *waybill.Webhook) { w.Categories = []string{"sales", "returns"} }), waybill.Minor, `spec.webhooks: event invoice.paid brings category "returns"`},
		{"every category", hook(func(w *waybill.Webhook) { w.Categories = nil }), waybill.Minor, "spec.webhooks: event invoice.paid brings every category"},
		{"filter", hook(func(w *waybill.Webhook) { w.Filter = "false" }), waybill.Minor, "spec.webhooks: event invoice.paid is filtered differently"},
		{"optional setting", moreSettings(waybill.Setting{Key: "tag", Type: "string"}), waybill.Minor, `spec.install: new optional setting "tag"`},
		{"setting with a default", moreSettings(waybill.Setting{Key: "tag", Type: "string", Required: true, Default: new("x")}), waybill.Minor, `spec.install: new setting "tag" with a default`},
		{"setting becomes optional", setting(0, func(s *waybill.Setting) { s.Required = false }), waybill.Minor, `spec.install: setting "ledger" is optional now`},
		{"no pattern", setting(0, func(s *waybill.Setting) { s.Pattern = "" }), waybill.Minor, `spec.install: setting "ledger" takes any text`},
		{"choice", setting(1, func(s *waybill.Setting) { s.Enum = []string{"full", "delta", "none"} }), waybill.Minor, `spec.install: setting "mode" takes "none"`},
		{"default", setting(1, func(s *waybill.Setting) { s.Default = new("delta") }), waybill.Minor, `spec.install: setting "mode" has another default`},
		// consent
		{"required scope", func(a *waybill.App) { a.Scopes = append(a.Scopes, waybill.ScopeRequest{Scope: "x:read"}) }, waybill.Consent, `spec.scopes: new required scope "x:read"`},
		{"scope becomes required", func(a *waybill.App) { a.Scopes[1].Optional = false }, waybill.Consent, `spec.scopes: scope "contacts:read" is required now`},
		{"host", endpoint(func(e *waybill.Endpoint) { e.URL = "https://hooks.example.com/waybill" }), waybill.Consent, "spec.endpoints: new endpoint host hooks.example.com"},
		{"port", endpoint(func(e *waybill.Endpoint) { e.URL = "https://hooks.example.org:8443/waybill" }), waybill.Consent, "spec.endpoints: new endpoint host hooks.example.org:8443"},
		{"second endpoint elsewhere", func(a *waybill.App) {
			a.Endpoints = append(a.Endpoints, waybill.Endpoint{Key: "b", URL: "https://b.example.org"})
		}, waybill.Consent, "spec.endpoints: new endpoint host b.example.org"},
		{"full", hook(func(w *waybill.Webhook) { w.Payload = "full" }), waybill.Consent, "spec.webhooks: event invoice.paid is sent with its data (payload full)"},
		{"full through another webhook", moreHooks(waybill.Webhook{Name: "x", Events: []string{"invoice.*"}, DataTypes: []string{"invoice"}, Categories: []string{"sales"}, Filter: "true", Payload: "full"}), waybill.Consent, "spec.webhooks: event invoice.paid is sent with its data (payload full); new event invoice.*"},
		{"data type", hook(func(w *waybill.Webhook) { w.DataTypes = []string{"invoice", "customer"} }), waybill.Consent, `spec.webhooks: event invoice.paid brings data type "customer"`},
		{"every data type", hook(func(w *waybill.Webhook) { w.DataTypes = nil }), waybill.Consent, "spec.webhooks: event invoice.paid brings every data type"},
		{"required setting", moreSettings(waybill.Setting{Key: "tag", Type: "string", Required: true}), waybill.Consent, `spec.install: new required setting "tag"`},
		{"setting becomes required", setting(1, func(s *waybill.Setting) { s.Required, s.Default = true, nil }), waybill.Consent, `spec.install: setting "mode" is required now`},
		{"consent outweighs minor and patch", func(a *waybill.App) {
			a.Title, a.Scopes[0].Optional, a.Scopes[1].Optional = "Sync", true, false
		}, waybill.Consent, `metadata.title spec.scopes: scope "contacts:read" is required now; scope "invoices:read" is optional now`},
		// major
		{"event gone", func(a *waybill.App) { a.Webhooks = a.Webhooks[:1] }, waybill.Major, "spec.webhooks: event contact.* is gone"},
		{"pattern narrowed", func(a *waybill.App) { a.Webhooks[1].Events = []string{"contact.new"} }, waybill.Major, "spec.webhooks: event contact.* is gone"},
		{"scope gone", func(a *waybill.App) { a.Scopes = a.Scopes[:1] }, waybill.Major, `spec.scopes: scope "contacts:read" is gone`},
		{"setting gone", func(a *waybill.App) { a.Install.Settings = a.Install.Settings[:1] }, waybill.Major, `spec.install: setting "mode" is gone`},
		{"setting renamed", setting(0, func(s *waybill.Setting) { s.Key, s.Required = "book", false }), waybill.Major, `spec.install: setting "ledger" is gone; new optional setting "book"`},
		{"setting retyped", setting(0, func(s *waybill.Setting) { s.Type = "number" }), waybill.Major, `spec.install: setting "ledger" is of type number, it was string`},
		{"choice gone", setting(1, func(s *waybill.Setting) { s.Enum = []string{"full"} }), waybill.Major, `spec.install: setting "mode" no longer takes "delta"`},
		{"pattern", setting(0, func(s *waybill.Setting) { s.Pattern = "^L[0-9]{4}$" }), waybill.Major, `spec.install: setting "ledger" takes only what matches "^L[0-9]{4}$"`},
		{"major outweighs consent", func(a *waybill.App) { a.Scopes = []waybill.ScopeRequest{{Scope: "x:read"}, a.Scopes[0]} }, waybill.Major, `spec.scopes: scope "contacts:read" is gone; new required scope "x:read"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			class, parts, reasons := plan.DifferApp(invoiceSync(), invoiceSync(c.edit))
			why := strings.Join(parts, " ")
			if len(reasons) > 0 {
				why += ": " + strings.Join(reasons, "; ")
			}
			if class != c.class || why != c.why {
				t.Errorf("%s %q, want %s %q", class, why, c.class, c.why)
			}
		})
	}
}

// TestConnectorClasses is the table of change classes of connectors, without knowledge of what goes into the image.
func TestConnectorClasses(t *testing.T) {
	t.Parallel()
	connector := func(f func(*waybill.Connector)) edit { return func(d *waybill.Declaration) { f(d.Connector) } }
	for _, c := range []struct {
		name  string
		edit  edit
		class waybill.ChangeClass
		parts string
	}{
		{"nothing", func(*waybill.Declaration) {}, waybill.Unchanged, ""},
		{"line and file", func(d *waybill.Declaration) { d.Line, d.File = 9, "other/waybill.yaml" }, waybill.Unchanged, ""},
		{"title", title, waybill.Metadata, "metadata.title"},
		{"description", connector(func(c *waybill.Connector) { c.Description = "x" }), waybill.Metadata, "metadata.description"},
		{"labels", connector(func(c *waybill.Connector) { c.Labels = map[string]string{"a": "b"} }), waybill.Metadata, "metadata.labels"},
		{"readme", connector(func(c *waybill.Connector) { c.Readme = "README.md" }), waybill.Metadata, "metadata.readme"},
		{"logo", connector(func(c *waybill.Connector) { c.Logo = "logo.svg" }), waybill.Metadata, "metadata.logo"},
		{"owner with a site of its own", connector(func(c *waybill.Connector) { c.Owner = "others" }), waybill.Redeploy, "metadata.owner"},
		{"fields", fields, waybill.Redeploy, "spec.fields"},
		{"label of a field", connector(func(c *waybill.Connector) { c.Fields[0].Label = "Shop" }), waybill.Redeploy, "spec.fields"},
		{"default of a field", connector(func(c *waybill.Connector) { c.Fields[0].Default = new("x") }), waybill.Redeploy, "spec.fields"},
		{"categories", connector(func(c *waybill.Connector) { c.Categories = []string{"orders"} }), waybill.Redeploy, "spec.datasource"},
		{"channels", connector(func(c *waybill.Connector) { c.Export = &waybill.Export{Channels: []string{"ads"}} }), waybill.Redeploy, "spec.export"},
		{"stages", connector(func(c *waybill.Connector) { c.DataService = &waybill.DataService{Stages: []string{"import"}} }), waybill.Redeploy, "spec.dataService"},
		{"schedule", connector(func(c *waybill.Connector) { c.Run.Schedule = "0 * * * *" }), waybill.Redeploy, "spec.run"},
		{"memory", connector(func(c *waybill.Connector) { c.Run.Memory = 1 << 30 }), waybill.Redeploy, "spec.run"},
		{"egress", connector(func(c *waybill.Connector) { c.Run.Egress = []string{"api.example.org"} }), waybill.Redeploy, "spec.run"},
		{"branch", branch, waybill.Redeploy, "spec.release"},
		{"values of dev", connector(func(c *waybill.Connector) { c.Release.DevConfig = map[string]string{"base_url": "x"} }), waybill.Redeploy, "spec.release"},
		{"access", connector(func(c *waybill.Connector) { c.Release.Everyone = true }), waybill.Redeploy, "spec.release"},
		{"command", command, waybill.Recheck, "spec.application"},
		{"arguments", connector(func(c *waybill.Connector) { c.Application.Arguments = []string{"import"} }), waybill.Recheck, "spec.application"},
		{"health check gone", connector(func(c *waybill.Connector) { c.Application.HealthCheck = nil }), waybill.Recheck, "spec.application"},
		{"health check", connector(func(c *waybill.Connector) {
			c.Application.HealthCheck = &waybill.HealthCheck{Arguments: []string{"--check"}}
		}), waybill.Recheck, "spec.application"},
		{"secret", connector(func(c *waybill.Connector) { c.Secrets = []waybill.SecretRef{{Name: "A"}} }), waybill.Recheck, "spec.secrets"},
		{"provider", connector(func(c *waybill.Connector) { c.Authentication = []string{"shop"} }), waybill.Recheck, "spec.authentication"},
		{"target", target, waybill.Rebuild, "spec.build"},
		{"build argument", connector(func(c *waybill.Connector) { c.Build.Args = map[string]string{"A": "1"} }), waybill.Rebuild, "spec.build"},
		{"Dockerfile", connector(func(c *waybill.Connector) { c.Build.Dockerfile = "build/Dockerfile" }), waybill.Rebuild, "spec.build"},
		{"source", connector(func(c *waybill.Connector) { c.Source = &waybill.Source{Branch: "main"} }), waybill.Rebuild, "spec.source"},
		{"folder", folder, waybill.Rebuild, "folder"},
		{"everything", func(d *waybill.Declaration) { title(d); fields(d); command(d); target(d) }, waybill.Rebuild, "spec.build spec.application spec.fields metadata.title"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			class, parts := plan.Differ(declare(), declare(c.edit), "", "")
			if got := strings.Join(parts, " "); class != c.class || got != c.parts {
				t.Errorf("%s %q, want %s %q", class, got, c.class, c.parts)
			}
		})
	}
}

// TestPlatformClasses checks that a platform declaration changes as a whole, and names what differs as manifests do.
func TestPlatformClasses(t *testing.T) {
	t.Parallel()
	site := func(a ...waybill.AssignmentSpec) *waybill.Platform {
		return &waybill.Platform{Title: "Feeds", Site: &waybill.SiteSpec{Account: "acme", Assignments: a}}
	}
	feed := waybill.AssignmentSpec{Connector: "shop-feed", Major: 1, Enabled: true}
	off := feed
	off.Enabled = false
	export := waybill.AssignmentSpec{Connector: "channel-export", Major: 2}
	team := func(t waybill.TeamSpec) *waybill.Platform { return &waybill.Platform{Team: &t} }
	provider := func(p waybill.AuthProviderSpec) *waybill.Platform { return &waybill.Platform{AuthProvider: &p} }
	for _, c := range []struct {
		name          string
		before, after *waybill.Platform
		want          string
	}{
		{"nothing", site(feed), site(feed), "unchanged"},
		{"assigned", site(), site(feed), `change spec.connectors: connector "shop-feed" is assigned`},
		{"assigned otherwise", site(feed, export), site(export, off), `change spec.connectors: connector "shop-feed" is assigned otherwise`},
		{"assigned no more", site(feed, export), site(feed), `change spec.connectors: connector "channel-export@2" is assigned no more`},
		{"members and limits", team(waybill.TeamSpec{MaxRuns: 5, MaxBuilds: 1}), team(waybill.TeamSpec{Members: []waybill.Member{{User: "ada"}}}), "change spec.members spec.limits"},
		{"addresses", provider(waybill.AuthProviderSpec{}), provider(waybill.AuthProviderSpec{TokenURL: "x", AuthorizeURL: "y", PKCE: true}), "change spec.authorizeUrl spec.tokenUrl spec.pkce"},
		{"title", &waybill.Platform{Title: "a"}, &waybill.Platform{Title: "b"}, "change metadata.title"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			class, parts, reasons := plan.DifferPlatform(c.before, c.after)
			got := strings.Join(append([]string{string(class)}, parts...), " ")
			if len(reasons) > 0 {
				got += ": " + strings.Join(reasons, "; ")
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
