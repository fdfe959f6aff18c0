package portal_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/face/portal"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	platformstore "github.com/waybill-dev/waybill/internal/foundation/store/platform"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// declareSettings applies what the platform repository of the examples declares, one of each kind.
func (w *world) declareSettings() {
	w.t.Helper()
	w.repository("platform", "platform")
	commit := w.sha()
	for i, s := range []platformstore.Setting{
		{Kind: "Team", Name: "feeds", Spec: waybill.Platform{Title: "Feeds", Description: "Moves data between shops and channels.", Team: &waybill.TeamSpec{
			Members: []waybill.Member{{User: "ada", Role: "owner"}, {User: "lin", Role: "developer"}}, DevAccount: "acme", DevProject: "sandbox",
			Targets: waybill.Scope{Accounts: []string{"acme"}}, MaxConnectors: 20, MaxBuilds: 2, MaxRuns: 5,
		}}},
		{Kind: "Repository", Name: "shop-feed", Spec: waybill.Platform{Repository: &waybill.RepositorySpec{
			URL: "https://git.example.org/feeds/shop-feed.git", Forge: "plain", Owner: "feeds", Branches: []string{"main", "feature/*"}, PullRequests: true,
		}}},
		{Kind: "Site", Name: "garden-shop", Spec: waybill.Platform{Title: "Garden shop", Owner: "feeds", Site: &waybill.SiteSpec{
			Account: "acme", Project: "garden", Environment: waybill.Prod, Assignments: []waybill.AssignmentSpec{
				{Connector: "shop-feed", Major: 1, Config: map[string]string{"base_url": "https://shop.example", "api_key": "hunter2"}, Schedule: "CRON_TZ=Europe/Berlin 30 5 * * *", Enabled: true},
				{Connector: "international-order-export-to-warehouse", Major: 2},
			},
		}}},
		{Kind: "Workspace", Name: "acme-test", Spec: waybill.Platform{Workspace: &waybill.WorkspaceSpec{
			Title: "Acme, for tests", Admins: []string{"kim"}, Installs: []waybill.InstallSpec{{App: "invoice-sync", Channel: "published"}},
		}}},
		{Kind: "AuthProvider", Name: "market-account", Spec: waybill.Platform{AuthProvider: &waybill.AuthProviderSpec{
			Type: "oauth2", Fields: []waybill.CredentialField{{Name: "shop"}, {Name: "client_secret", Secret: true}},
			AuthorizeURL: "https://market.example/authorize", TokenURL: "https://market.example/token", Scopes: []string{"orders.read"}, PKCE: true,
		}}},
		{Kind: "EventCatalog", Name: "ledger", Spec: waybill.Platform{EventCatalog: &waybill.EventCatalogSpec{
			Events: []waybill.EventType{{Type: "invoice.paid"}, {Type: "invoice.closed", Retired: true}}, Scopes: []waybill.ScopeSpec{{Name: "invoices:read"}},
		}}},
		{Kind: "Terms", Name: "developers", Spec: waybill.Platform{Terms: &waybill.TermsSpec{Version: "2026-12", Text: "terms.md", Effective: "2026-12-31", GraceDays: 14}}},
		{Kind: "Policy", Name: "house", Spec: waybill.Platform{Description: "Build on images that security has checked.", Policy: &waybill.PolicySpec{
			BaseImages: []string{"busybox:*", "debian:12-slim"}, RequireHealthCheck: true, MaxImageSize: 500 << 20, Forks: "validate", MoveTags: "deny", Reviewers: []string{"ada"},
		}}},
	} {
		s.Commit, s.File, s.Line, s.Applied = commit, "waybill.yaml", 2+9*i, now().Add(-26*time.Hour)
		w.write(func(tx *store.Tx) error { return platformstore.Put(w.t.Context(), tx, s) })
	}
}

// TestSettings shows each setting with the line in Git that it comes from, and no value of an assignment.
func TestSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.declareSettings()
	html := body(t, w.get("/settings", auth.Principal{}))
	for _, want := range []string{
		"8 declarations", "platform/platform", "waybill.yaml:2<", "waybill.yaml:20<", "/repositories/platform/platform/commits/",
		"ada (owner), lin (developer)", "sets api_key, base_url", "international-order-export-to-warehouse@2, disabled", "500 MiB",
		"invoice.closed (no longer sent)", "client_secret (secret)", "14 days later",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("no %q in:\n%s", want, html)
		}
	}
	if strings.Contains(html, "hunter2") || strings.Contains(html, "https://shop.example") {
		t.Error("the page shows values of an assignment")
	}
}

// TestNoPlatform tells people what to do who have no platform repository.
func TestNoPlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.portal.Options
	o.Platform = ""
	var err error
	if w.portal, err = portal.New(o); err != nil {
		t.Fatal(err)
	}
	rec := w.get("/settings", auth.Principal{})
	if html := body(t, rec); rec.Code != http.StatusOK || !strings.Contains(html, "WAYBILL_PLATFORM_REPOSITORY=") {
		t.Errorf("%d %s", rec.Code, html)
	}
}
