package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/face/api/apitest"
	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/face/client"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// filled returns a server with a small world and its client.
func filled(t *testing.T) (*apitest.Server, *client.Client) {
	t.Helper()
	s := apitest.New(t)
	s.Fill(t)
	return s, client.New(s.URL, s.Admin.Reveal())
}

// answer is what a raw request got.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a raw request; headers come in pairs.
func ask(t *testing.T, s *apitest.Server, token auth.Secret, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

func wantCode(t *testing.T, err error, want waybill.Code) {
	t.Helper()
	if got := waybill.CodeOf(err); got != want {
		t.Errorf("error %v has code %q, want %q", err, got, want)
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestConnectors(t *testing.T) {
	t.Parallel()
	_, c := filled(t)
	list := must[[]wire.Connector](t)(c.Connectors(t.Context()))
	if len(list) != 1 || list[0].Title != "Shop feed" || list[0].Type != "datasource" || len(list[0].Majors) != 1 {
		t.Fatalf("list %+v", list)
	}
	m := list[0].Majors[0]
	if m.Dev.Live.Release != apitest.DevRelease || m.Dev.Latest.ID != apitest.BadRelease || m.Dev.Latest.Live || m.Dev.Latest.Outcome != "failed" {
		t.Errorf("dev %+v %+v", m.Dev.Live, m.Dev.Latest)
	}
	if m.Prod.Live.Semver != "1.1.0" || m.Prod.Live.Commit != apitest.Good || !m.Prod.Latest.Live {
		t.Errorf("prod %+v %+v", m.Prod.Live, m.Prod.Latest)
	}
	d := must[wire.ConnectorDetail](t)(c.Connector(t.Context(), "shop-feed"))
	if len(d.Setups) != 1 || d.Setups[0].Application.Command != "/bin/feed" || d.Setups[0].Lines["spec.fields"] != 14 ||
		d.Setups[0].Run.Memory != 512<<20 || d.Setups[0].Build.Timeout != 1200 || d.Setups[0].Rules.ProdTag != "v*" {
		t.Errorf("set-up %+v", d.Setups)
	}
	want := map[string]string{"base_url": "https://shop.example", "pin": "[redacted]"}
	if diff := cmp.Diff(want, d.Setups[0].Rules.DevConfig); diff != "" {
		t.Errorf("dev config: %s", diff)
	}
	if diff := cmp.Diff(want, d.Assignments[0].Config); diff != "" {
		t.Errorf("assignment: %s", diff)
	}
	_, err := c.Connector(t.Context(), "shop-fed")
	wantCode(t, err, waybill.NotFound)
}

func TestHistoryOfAConnectorIsOfThatConnector(t *testing.T) {
	t.Parallel()
	_, c := filled(t)
	for _, limit := range []int{0, 1, 2, 3} {
		entries := must[[]wire.Entry](t)(c.ConnectorHistory(t.Context(), "shop-feed", limit))
		var subjects []string
		for _, e := range entries {
			subjects = append(subjects, e.Subject)
		}
		want := []string{"connector:shop-feed@2", "connector:shop-feed", "connector:shop-feed"}
		if limit > 0 {
			want = want[:limit]
		}
		if diff := cmp.Diff(want, subjects); diff != "" {
			t.Errorf("limit %d: %s", limit, diff)
		}
	}
	_, err := c.ConnectorHistory(t.Context(), "shop", 0)
	wantCode(t, err, waybill.NotFound)
}

func TestReleases(t *testing.T) {
	t.Parallel()
	_, c := filled(t)
	for name, tt := range map[string]struct {
		f    client.ReleaseFilter
		want []string
	}{
		"all":       {client.ReleaseFilter{}, []string{apitest.Prod2, apitest.Prod1, apitest.BadRelease, apitest.DevRelease}},
		"prod":      {client.ReleaseFilter{Environment: "prod"}, []string{apitest.Prod2, apitest.Prod1}},
		"commit":    {client.ReleaseFilter{Commit: apitest.Bad}, []string{apitest.BadRelease}},
		"open":      {client.ReleaseFilter{Open: true}, nil},
		"limited":   {client.ReleaseFilter{Limit: 1}, []string{apitest.Prod2}},
		"connector": {client.ReleaseFilter{Connector: "other"}, nil},
	} {
		var got []string
		for _, r := range must[[]wire.Release](t)(c.Releases(t.Context(), tt.f)) {
			got = append(got, r.ID)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	r := must[wire.Release](t)(c.Release(t.Context(), apitest.BadRelease))
	if r.Steps[0].Detail != "Dockerfile:3: exit code 1" || !r.Steps[0].HasLog || r.Steps[1].Outcome != "waiting" || r.Live {
		t.Errorf("release %+v", r)
	}
}

func TestRollbackAndPromote(t *testing.T) {
	t.Parallel()
	_, c := filled(t)
	back := must[wire.Live](t)(c.Rollback(t.Context(), "shop-feed", wire.Rollback{Environment: "prod"}))
	if back.Release != apitest.Prod1 || back.Semver != "1.0.0" || back.Major != 1 {
		t.Errorf("rolled back to %+v", back)
	}
	if r := must[wire.Release](t)(c.Release(t.Context(), apitest.Prod1)); !r.Live {
		t.Errorf("release %+v is not live", r)
	}
	forth := must[wire.Live](t)(c.Promote(t.Context(), apitest.Prod2))
	if forth.Release != apitest.Prod2 {
		t.Errorf("promoted %+v", forth)
	}
	_, err := c.Promote(t.Context(), apitest.BadRelease)
	wantCode(t, err, waybill.Conflict)
	_, err = c.Rollback(t.Context(), "other", wire.Rollback{Environment: "prod"})
	wantCode(t, err, waybill.NotFound)
	_, err = c.Rollback(t.Context(), "shop-feed", wire.Rollback{Environment: "moon"})
	wantCode(t, err, waybill.Invalid)
}

func TestCommits(t *testing.T) {
	t.Parallel()
	_, c := filled(t)
	good := must[wire.CommitStatuses](t)(c.CommitStatuses(t.Context(), "1a2b3", ""))
	var got []string
	for _, s := range good.Statuses {
		got = append(got, s.Context+" "+s.State+" "+s.Description)
	}
	want := []string{
		"waybill success 1 connector deployed", "waybill/shop-feed/build success sha256:9f2c71e0b7d4", "waybill/shop-feed/validate success valid",
	}
	if diff := cmp.Diff(want, got); diff != "" || good.Commit != apitest.Good || good.Name != "feeds/shop-feed" || len(good.Findings) != 0 {
		t.Errorf("%s\n%+v", diff, good)
	}
	if url := good.Statuses[2].URL; url != "http://waybill.example/commits/"+apitest.Good {
		t.Errorf("url %s", url)
	}
	bad := must[wire.CommitStatuses](t)(c.CommitStatuses(t.Context(), apitest.Bad, "feeds/shop-feed"))
	if len(bad.Findings) != 2 || bad.Findings[0].Code != "WB012" || bad.Findings[0].Line != 14 {
		t.Errorf("findings %+v", bad.Findings)
	}
	_, err := c.CommitStatuses(t.Context(), "1a2b", "")
	wantCode(t, err, waybill.Conflict)
	for _, name := range []string{"1a2", "HEAD", "xyz1"} {
		_, err = c.CommitStatuses(t.Context(), name, "")
		wantCode(t, err, waybill.Invalid)
	}
	_, err = c.CommitStatuses(t.Context(), "dead", "")
	wantCode(t, err, waybill.NotFound)
	r := must[wire.Commit](t)(c.Retry(t.Context(), "1a2bf", ""))
	if r.Commit != apitest.Bad {
		t.Errorf("retried %+v", r)
	}
	entries := must[[]wire.Entry](t)(c.History(t.Context(), "", apitest.Bad, 1))
	if len(entries) != 1 || entries[0].Action != "check.retry" || entries[0].Actor != "ada" || entries[0].Channel != "api" {
		t.Errorf("history %+v", entries)
	}
}

func TestRepositories(t *testing.T) {
	t.Parallel()
	s, c := filled(t)
	added := must[wire.AddedRepository](t)(c.AddRepository(t.Context(), wire.AddRepository{URL: "/srv/git/other.git", Owner: "feeds"}))
	if added.Name != "feeds/other" || !added.HookInstalled {
		t.Errorf("added %+v", added)
	}
	_, err := c.AddRepository(t.Context(), wire.AddRepository{URL: "/srv/git/other.git", Owner: "feeds"})
	wantCode(t, err, waybill.Conflict)
	_, err = c.AddRepository(t.Context(), wire.AddRepository{URL: "ftp:x", Owner: "feeds"})
	wantCode(t, err, waybill.Invalid)
	_, err = c.AddRepository(t.Context(), wire.AddRepository{URL: "", Owner: "feeds"})
	wantCode(t, err, waybill.Invalid)
	for _, name := range []string{added.ID, "feeds/other", "other", "/srv/git/other.git"} {
		if r := must[wire.Repository](t)(c.Repository(t.Context(), name)); r.ID != added.ID {
			t.Errorf("%s is %+v", name, r)
		}
	}
	if list := must[[]wire.Repository](t)(c.Repositories(t.Context())); len(list) != 2 || list[0].Name != "feeds/other" {
		t.Errorf("list %+v", list)
	}
	if a := ask(t, s, s.Admin, "GET", "/api/v1/repositories", ""); strings.Contains(a.body, "very secret") {
		t.Errorf("the hook's secret is shown: %s", a.body)
	}
	if err := c.RemoveRepository(t.Context(), "feeds/other"); err != nil {
		t.Error(err)
	}
	wantCode(t, c.RemoveRepository(t.Context(), added.ID), waybill.NotFound)
}

func TestSitesAndAssignments(t *testing.T) {
	t.Parallel()
	_, c := filled(t)
	sites := must[[]wire.Site](t)(c.Sites(t.Context()))
	if len(sites) != 2 || sites[0].Name != "feeds-dev" || sites[1].Environment != "prod" {
		t.Errorf("sites %+v", sites)
	}
	if all := must[[]wire.Assignment](t)(c.Assignments(t.Context(), "feeds-dev", "")); len(all) != 1 || all[0].Config["pin"] != "[redacted]" {
		t.Errorf("assignments %+v", all)
	}
	if none := must[[]wire.Assignment](t)(c.Assignments(t.Context(), "feeds-prod", "")); len(none) != 0 {
		t.Errorf("assignments %+v", none)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	s, c := filled(t)
	issued := must[wire.IssuedToken](t)(c.CreateToken(t.Context(), wire.NewToken{Name: "ci", Scope: "read", ExpiresIn: 60}))
	if !strings.HasPrefix(issued.Secret, "wb_") || !issued.Expires.Equal(apitest.Now().Add(60e9)) {
		t.Errorf("issued %+v", issued.Token)
	}
	list := must[[]wire.Token](t)(c.Tokens(t.Context()))
	if len(list) != 3 || list[0].ID != issued.ID {
		t.Errorf("tokens %+v", list)
	}
	if _, err := client.New(s.URL, issued.Secret).Sites(t.Context()); err != nil {
		t.Errorf("the new token is not good: %v", err)
	}
	if err := c.RevokeToken(t.Context(), issued.ID); err != nil {
		t.Error(err)
	}
	_, err := client.New(s.URL, issued.Secret).Sites(t.Context())
	wantCode(t, err, waybill.Unauthenticated)
	_, err = c.CreateToken(t.Context(), wire.NewToken{Name: "ci", Scope: "root"})
	wantCode(t, err, waybill.Invalid)
	link := must[wire.SignInLink](t)(c.SignInLink(t.Context()))
	if !strings.HasPrefix(link.URL, "http://waybill.example/sign-in?token=wbl_") {
		t.Errorf("link %+v", link)
	}
}

func TestNotModified(t *testing.T) {
	t.Parallel()
	s, _ := filled(t)
	first := ask(t, s, s.Read, "GET", "/api/v1/connectors", "")
	tag := first.header.Get("ETag")
	if first.status != 200 || tag == "" {
		t.Fatalf("%d %q", first.status, tag)
	}
	again := ask(t, s, s.Read, "GET", "/api/v1/connectors", "", "If-None-Match", tag)
	if again.status != 304 || again.body != "" {
		t.Errorf("%d %q", again.status, again.body)
	}
	if other := ask(t, s, s.Read, "GET", "/api/v1/sites", "", "If-None-Match", tag); other.status != 200 {
		t.Errorf("another resource: %d", other.status)
	}
}

func TestWrongRequests(t *testing.T) {
	t.Parallel()
	s, _ := filled(t)
	for name, tt := range map[string]struct {
		method, path, body string
		want               waybill.Code
		text               string
	}{
		"no such path":        {"GET", "/api/v1/connectrs", "", waybill.NotFound, "no such operation"},
		"no such method":      {"PATCH", "/api/v1/connectors", "", waybill.NotFound, "no such operation"},
		"unknown parameter":   {"GET", "/api/v1/runs?stat=failed", "", waybill.Invalid, "query.stat"},
		"wrong enum":          {"GET", "/api/v1/runs?state=happy", "", waybill.Invalid, "query.state"},
		"limit":               {"GET", "/api/v1/runs?limit=1000", "", waybill.Invalid, "query.limit"},
		"no body":             {"POST", "/api/v1/runs", "", waybill.Invalid, "body"},
		"not JSON":            {"POST", "/api/v1/runs", "{", waybill.Invalid, ""},
		"missing":             {"POST", "/api/v1/runs", `{"connector":"shop-feed"}`, waybill.Invalid, "site"},
		"unknown field":       {"POST", "/api/v1/runs", `{"connector":"a","site":"b","sit":"c"}`, waybill.Invalid, "body.sit"},
		"unknown release":     {"GET", "/api/v1/releases/nope", "", waybill.NotFound, ""},
		"unknown run":         {"GET", "/api/v1/runs/nope/logs", "", waybill.NotFound, ""},
		"step not there":      {"GET", "/api/v1/releases/" + apitest.DevRelease + "/log?step=prod", "", waybill.NotFound, "no step prod"},
		"cursor of records":   {"GET", "/api/v1/runs/" + apitest.GoodRun + "/records?cursor=x", "", waybill.Invalid, "cursor"},
		"cursor of runs":      {"GET", "/api/v1/runs?cursor=zzz", "", waybill.Invalid, `cursor "zzz" is not one of this list`},
		"cursor of releases":  {"GET", "/api/v1/releases?cursor=2", "", waybill.Invalid, `cursor "2" is not one of this list`},
		"cursor of history":   {"GET", "/api/v1/history?cursor=x", "", waybill.Invalid, `cursor "x" is not one of this list`},
		"too large":           {"POST", "/api/v1/runs", `{"connector":"` + strings.Repeat("x", 5<<20) + `"}`, waybill.TooLarge, ""},
		"site does not exist": {"POST", "/api/v1/runs", `{"connector":"shop-feed","site":"moon"}`, waybill.NotFound, "moon"},
	} {
		a := ask(t, s, s.Admin, tt.method, tt.path, tt.body)
		var p struct {
			Code      waybill.Code `json:"code"`
			Detail    string       `json:"detail"`
			RequestID string       `json:"request_id"`
		}
		if err := json.Unmarshal([]byte(a.body), &p); err != nil {
			t.Errorf("%s: %d %s", name, a.status, a.body)
			continue
		}
		if p.Code != tt.want || p.RequestID == "" || p.RequestID != a.header.Get("X-Request-Id") || !strings.Contains(p.Detail, tt.text) || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

// TestSettings checks what the platform declares, without the values of assignments.
func TestSettings(t *testing.T) {
	t.Parallel()
	s, c := filled(t)
	all := must[[]wire.Setting](t)(c.Settings(t.Context(), ""))
	if len(all) != 2 || all[0].Kind != "Site" || all[1].Name != "feeds" || all[0].File != "waybill.yaml" || all[0].Line != 9 || all[0].Commit != apitest.Good {
		t.Errorf("settings %+v", all)
	}
	if teams := must[[]wire.Setting](t)(c.Settings(t.Context(), "Team")); len(teams) != 1 || teams[0].Facts[0] != (wire.Fact{Name: "Members", Value: "ada (owner)"}) {
		t.Errorf("teams %+v", teams)
	}
	if a := ask(t, s, s.Read, "GET", "/api/v1/settings", ""); strings.Contains(a.body, "hunter2") || !strings.Contains(a.body, "shop-feed, sets token") {
		t.Errorf("settings %s", a.body)
	}
	if a := ask(t, s, s.Read, "GET", "/api/v1/settings?kind=Connector", ""); a.status != 422 && a.status != 400 {
		t.Errorf("a kind that is none: %d", a.status)
	}
}
