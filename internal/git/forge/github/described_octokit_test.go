//go:build octokit

package github

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/waybill-dev/waybill/internal/git/forge/forgetest"
)

// used are the paths of GitHub's description that the adapter asks; what is asked beside them fails the test.
func used() []string {
	return []string{
		"/user", "/app", "/app/installations/{installation_id}/access_tokens", "/app/hook/deliveries",
		"/app/hook/deliveries/{delivery_id}/attempts", "/app-manifests/{code}/conversions",
		"/repos/{owner}/{repo}", "/repos/{owner}/{repo}/installation", "/repos/{owner}/{repo}/statuses/{sha}",
		"/repos/{owner}/{repo}/commits/{ref}/status", "/repos/{owner}/{repo}/check-runs",
		"/repos/{owner}/{repo}/check-runs/{check_run_id}", "/repos/{owner}/{repo}/commits/{ref}/check-runs",
		"/repos/{owner}/{repo}/hooks", "/repos/{owner}/{repo}/hooks/{hook_id}",
		"/repos/{owner}/{repo}/hooks/{hook_id}/pings", "/repos/{owner}/{repo}/pulls",
		"/repos/{owner}/{repo}/pulls/{pull_number}", "/repos/{owner}/{repo}/issues/{issue_number}/comments",
		"/repos/{owner}/{repo}/issues/comments/{comment_id}",
		"/repos/{owner}/{repo}/collaborators/{username}/permission",
	}
}

// undescribed are those that GitHub answers and redirects to, but does not describe.
func undescribed() []string { return []string{"/repositories/{id}", "/repositories/{id}/installation"} }

var theDescription = sync.OnceValues(load)

// load reads what is used of the description: the whole of it takes many times longer.
func load() (*openapi3.T, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(cache, "waybill/npm/@octokit/openapi/generated/api.github.com.json"))
	if err != nil {
		return nil, err
	}
	var whole struct {
		OpenAPI    string                                `json:"openapi"`
		Info       json.RawMessage                       `json:"info"`
		Paths      map[string]json.RawMessage            `json:"paths"`
		Components map[string]map[string]json.RawMessage `json:"components"`
	}
	if err := json.Unmarshal(raw, &whole); err != nil {
		return nil, err
	}
	paths, components := map[string]json.RawMessage{}, map[string]map[string]json.RawMessage{}
	for _, path := range used() {
		paths[path] = whole.Paths[path]
		keep(whole.Paths[path], whole.Components, components)
	}
	cut, err := json.Marshal(map[string]any{"openapi": whole.OpenAPI, "info": whole.Info, "paths": paths, "components": components})
	if err != nil {
		return nil, err
	}
	return openapi3.NewLoader().LoadFromData(cut)
}

var reference = regexp.MustCompile(`"\$ref":\s*"#/components/([^/"]+)/([^"]+)"`)

// keep copies the components that part refers to, and those that they refer to.
func keep(part json.RawMessage, from, to map[string]map[string]json.RawMessage) {
	for _, m := range reference.FindAllSubmatch(part, -1) {
		kind, name := string(m[1]), string(m[2])
		if to[kind] == nil {
			to[kind] = map[string]json.RawMessage{}
		}
		if _, done := to[kind][name]; !done {
			to[kind][name] = from[kind][name]
			keep(from[kind][name], from, to)
		}
	}
}

// described checks every request, and every answer that is a success, against GitHub's description.
func described(t *testing.T, next http.Handler) http.Handler {
	t.Helper()
	doc, err := theDescription()
	if err != nil {
		t.Fatalf("GitHub's description cannot be read (run .tools/setup/octokit): %v", err)
	}
	d := forgetest.Description{Forge: "GitHub", Doc: doc, Base: "/api/v3", Beside: undescribed(), Flaws: map[string][]string{
		"/repos/{owner}/{repo}":                     {"source", "parent", "template_repository"},
		"/repos/{owner}/{repo}/pulls":               {"requested_teams"},
		"/repos/{owner}/{repo}/pulls/{pull_number}": {"requested_teams"},
	}}
	return d.Check(t, next)
}
