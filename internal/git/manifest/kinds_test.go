package manifest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// example returns one declaration of the examples.
func example(t *testing.T, identity string) waybill.Declaration {
	t.Helper()
	for _, d := range load(t, examples(t), manifest.Options{Platform: true}).Declarations {
		if d.Identity.String() == identity {
			return d
		}
	}
	t.Fatalf("no example %s", identity)
	return waybill.Declaration{}
}

func text(s string) *string { return &s }

func TestAppDeclaration(t *testing.T) {
	t.Parallel()
	d := example(t, "app/invoice-sync")
	want := &waybill.App{
		Title: "Invoice Sync", Description: "Copies paid invoices into the ledger of the workspace.", Owner: "finance-tools",
		Readme: "README.md", Logo: "logo.svg",
		Support:      waybill.Support{Email: "apps@example.org", URL: "https://apps.example.org/invoice-sync"},
		Members:      []waybill.Member{{User: "kim", Role: "owner", Secrets: true}, {User: "lin", Role: "publisher"}},
		Distribution: waybill.Private,
		Allowlist:    []waybill.Allowance{{Workspace: "acme-test"}},
		Scopes: []waybill.ScopeRequest{
			{Scope: "invoices:read", Purpose: "Reads amount and customer of each paid invoice."},
			{Scope: "payouts:read", Purpose: "Matches payouts with the invoices that they pay.", Optional: true},
		},
		Endpoints: []waybill.Endpoint{{
			Key: "main", URL: "https://hooks.example.org/waybill", Timeout: 10 * time.Second, Signing: "v1", MaxInFlight: 10, Ordering: "workspace",
		}},
		Webhooks: []waybill.Webhook{
			{
				Name: "paid", Endpoint: "main", Events: []string{"invoice.paid"}, DataTypes: []string{"amount", "customer"},
				Filter: `data.amount > 0 && data.currency == "EUR"`, Payload: "full",
			},
			{Name: "voided", Endpoint: "main", Events: []string{"invoice.voided"}, Payload: "thin"},
			{Name: "payouts", Endpoint: "main", Events: []string{"payout.*"}, Payload: "thin"},
		},
		Install: waybill.InstallRules{
			RedirectURLs: []string{"https://apps.example.org/invoice-sync/installed"}, SetupURL: "https://apps.example.org/invoice-sync/setup",
			Settings: []waybill.Setting{
				{
					Key: "ledgerId", Type: "string", Title: "Ledger", Help: "L and four digits, as on the first page of the ledger",
					Required: true, Pattern: "^L[0-9]{4}$",
				},
				{Key: "minimum", Type: "number", Title: "Smallest amount", Default: text("0")},
				{Key: "mode", Type: "enum", Title: "How to copy", Default: text("each"), Enum: []string{"each", "daily"}},
			},
			LinkTTL: 7 * 24 * time.Hour, LinkMaxUses: 1,
		},
		Credentials: waybill.CredentialRules{RotateEvery: 90 * 24 * time.Hour, Overlap: 48 * time.Hour},
		Release:     waybill.AppRelease{PublishedTag: "invoice-sync/v*", Notes: "NEWS.md"},
	}
	if diff := cmp.Diff(want, d.App, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if d.TagPattern() != "invoice-sync/v*" || d.DevBranch("main") != "main" || d.Connector != nil || d.Platform != nil {
		t.Errorf("declaration %+v", d)
	}
}

func TestPlatformDeclarations(t *testing.T) {
	t.Parallel()
	for identity, want := range map[string]waybill.Platform{
		"repository/shop-feed": {Repository: &waybill.RepositorySpec{
			URL: "https://git.example.org/feeds/shop-feed.git", Forge: "plain", Owner: "feeds", Branches: []string{"main", "feature/*"}, PullRequests: true,
		}},
		"team/feeds": {Title: "Feeds", Description: "Moves data between shops and channels.", Team: &waybill.TeamSpec{
			Members: []waybill.Member{{User: "ada", Role: "owner"}, {User: "lin", Role: "developer"}}, DevAccount: "acme", DevProject: "sandbox",
			MaxConnectors: 20, MaxBuilds: 2, MaxRuns: 5,
		}},
		"site/garden-shop": {Title: "Garden shop", Owner: "feeds", Site: &waybill.SiteSpec{
			Account: "acme", Project: "garden", Environment: waybill.Prod,
			Assignments: []waybill.AssignmentSpec{
				{
					Connector: "shop-feed", Major: 1, Config: map[string]string{"base_url": "https://shop.example", "page_size": "500"},
					Schedule: "CRON_TZ=Europe/Berlin 30 5 * * *", Enabled: true,
				},
				{Connector: "channel-export", Major: 1, Config: map[string]string{"file_name": "garden.csv"}, Enabled: true},
			},
		}},
		"workspace/acme-test": {Workspace: &waybill.WorkspaceSpec{
			Title: "Acme, for trying out", Admins: []string{"ada", "kim"},
			Installs: []waybill.InstallSpec{{
				App: "invoice-sync", Channel: "draft", Settings: map[string]string{"ledgerId": "L0001", "minimum": "10"}, Scopes: []string{"invoices:read"},
			}},
		}},
		"auth-provider/market-account": {Title: "Account of the market", AuthProvider: &waybill.AuthProviderSpec{
			Type: "oauth2", AuthorizeURL: "https://market.example/oauth/authorize", TokenURL: "https://market.example/oauth/token",
			Scopes: []string{"offers.read", "offers.write"}, PKCE: true,
		}},
		"auth-provider/shop-login": {Title: "Shop login", AuthProvider: &waybill.AuthProviderSpec{
			Type: "basic", Fields: []waybill.CredentialField{{Name: "user"}, {Name: "password", Secret: true}},
		}},
		"terms/publishers": {Title: "Terms for publishers", Terms: &waybill.TermsSpec{Version: "1.0", Text: "terms.md", Effective: "2026-01-01", GraceDays: 30}},
		"policy/baseline": {Title: "Baseline", Policy: &waybill.PolicySpec{
			BaseImages: []string{"busybox:*", "registry.example.org/*"}, RequireHealthCheck: true, MaxImageSize: 500 << 20, Forks: "validate",
			MoveTags: "deny", Reviewers: []string{"lin"}, Constraints: "policy.cue", Source: []byte(examples(t)["platform/policy/policy.cue"]),
		}},
	} {
		if diff := cmp.Diff(&want, example(t, identity).Platform, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", identity, diff)
		}
	}
	catalog := example(t, "event-catalog/ledger").Platform.EventCatalog
	if len(catalog.Events) != 3 || catalog.Events[0].Type != "invoice.paid" || len(catalog.Events[0].Schema) == 0 || len(catalog.Scopes) != 2 {
		t.Errorf("catalog %+v", catalog)
	}
}
