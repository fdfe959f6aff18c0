//go:build octokit

package github

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
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

// described checks every request, and every answer that is a success, against GitHub's description. The answers of the
// server are laid over the published examples, so that they have everything that GitHub's have.
func described(t *testing.T, next http.Handler) http.Handler {
	t.Helper()
	doc, err := theDescription()
	if err != nil {
		t.Fatalf("GitHub's description cannot be read (run .tools/setup/octokit): %v", err)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		path := strings.TrimPrefix(r.URL.Path, "/api/v3")
		for _, template := range undescribed() {
			if _, fits := match(template, path); fits {
				next.ServeHTTP(rw, r)
				return
			}
		}
		in := find(doc, r, path)
		if in == nil {
			t.Errorf("%s %s is not in GitHub's description", r.Method, path)
			http.NotFound(rw, r)
			return
		}
		checkRequest(t, in, body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		answer := recorded.Body.Bytes()
		if recorded.Code < 300 && len(answer) > 0 {
			answer = checkAnswer(t, in, recorded.Code, answer)
			recorded.Header().Del("Content-Length")
		}
		for name, values := range recorded.Header() {
			rw.Header()[name] = values
		}
		rw.WriteHeader(recorded.Code)
		_, _ = rw.Write(answer)
	})
}

// match reads the parameters of a path.
func match(template, path string) (map[string]string, bool) {
	want, got, params := strings.Split(template, "/"), strings.Split(path, "/"), map[string]string{}
	if len(want) != len(got) {
		return nil, false
	}
	for i, w := range want {
		if strings.HasPrefix(w, "{") {
			params[strings.Trim(w, "{}")] = got[i]
		} else if w != got[i] {
			return nil, false
		}
	}
	return params, true
}

func find(doc *openapi3.T, r *http.Request, path string) *openapi3filter.RequestValidationInput {
	for template, item := range doc.Paths.Map() {
		params, fits := match(template, path)
		if !fits || item.GetOperation(r.Method) == nil {
			continue
		}
		return &openapi3filter.RequestValidationInput{
			Request: r, PathParams: params, Options: &openapi3filter.Options{MultiError: true},
			Route: &routers.Route{Spec: doc, Path: template, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)},
		}
	}
	return nil
}

// checkRequest also wants every parameter and every field of the body to be described: GitHub ignores others silently.
func checkRequest(t *testing.T, in *openapi3filter.RequestValidationInput, body []byte) {
	t.Helper()
	r, op := in.Request, in.Route.Operation
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
		t.Errorf("%s %s is not as GitHub describes it: %v\n%.500s", r.Method, r.URL, reasons(err), body)
	}
	for name := range r.URL.Query() {
		if op.Parameters.GetByInAndName("query", name) == nil && in.Route.PathItem.Parameters.GetByInAndName("query", name) == nil {
			t.Errorf("%s %s: GitHub knows no parameter %s", r.Method, in.Route.Path, name)
		}
	}
	if len(body) == 0 {
		return
	}
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil || op.RequestBody == nil {
		t.Errorf("%s %s: a body that is not wanted or no object: %s (%v)", r.Method, r.URL, body, err)
		return
	}
	schema := op.RequestBody.Value.Content.Get("application/json").Schema.Value
	for name := range fields {
		known := schema.Properties[name] != nil
		for _, one := range append(schema.OneOf, schema.AnyOf...) {
			known = known || one.Value.Properties[name] != nil
		}
		if !known {
			t.Errorf("%s %s: GitHub knows no field %s", r.Method, in.Route.Path, name)
		}
	}
}

// checkAnswer lays an answer over the published example of it, and checks the result.
func checkAnswer(t *testing.T, in *openapi3filter.RequestValidationInput, code int, answer []byte) []byte {
	t.Helper()
	described := in.Route.Operation.Responses.Status(code)
	if described == nil {
		t.Errorf("%s %s is never answered %d", in.Route.Method, in.Route.Path, code)
		return answer
	}
	var ours any
	if err := json.Unmarshal(answer, &ours); err != nil {
		t.Errorf("%s %s: %v", in.Route.Method, in.Route.Path, err)
		return answer
	}
	if media := described.Value.Content.Get("application/json"); media != nil {
		ours = over(ours, sound(in.Route.Path, example(media)))
	}
	answer, err := json.Marshal(ours)
	if err != nil {
		t.Error(err)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: code, Header: http.Header{"Content-Type": {"application/json"}},
		Options: &openapi3filter.Options{MultiError: true},
	}
	if err := openapi3filter.ValidateResponse(in.Request.Context(), out.SetBodyBytes(answer)); err != nil {
		t.Errorf("the answer to %s %s is not as GitHub describes it: %v", in.Route.Method, in.Route.Path, reasons(err))
	}
	return answer
}

// reasons leaves out the schemas that an error quotes.
func reasons(err error) string {
	var list []string
	for line := range strings.Lines(err.Error()) {
		if !strings.HasPrefix(line, " ") && strings.TrimSpace(line) != "" {
			list = append(list, strings.TrimSpace(line))
		}
	}
	return strings.Join(list, "\n")
}

// example returns the published example that says most.
func example(media *openapi3.MediaType) any {
	best, most := media.Example, 0
	for _, e := range media.Examples {
		raw, err := json.Marshal(e.Value.Value)
		if err == nil && len(raw) > most {
			best, most = e.Value.Value, len(raw)
		}
	}
	return best
}

// sound leaves out of an example what is itself not as GitHub describes it.
func sound(path string, example any) any {
	if list, ok := example.([]any); ok && len(list) > 0 {
		return []any{sound(path, list[0])}
	}
	fields, ok := example.(map[string]any)
	if !ok {
		return example
	}
	fields = maps.Clone(fields)
	for _, flaw := range map[string][]string{
		"/repos/{owner}/{repo}":                     {"source", "parent", "template_repository"},
		"/repos/{owner}/{repo}/pulls":               {"requested_teams"},
		"/repos/{owner}/{repo}/pulls/{pull_number}": {"requested_teams"},
	}[path] {
		delete(fields, flaw)
	}
	return fields
}

// over lays ours over an example: fields of ours count, others come from the example.
func over(ours, example any) any {
	switch o := ours.(type) {
	case map[string]any:
		e, ok := example.(map[string]any)
		if !ok {
			return ours
		}
		sum := map[string]any{}
		for k, v := range e {
			sum[k] = v
		}
		for k, v := range o {
			sum[k] = over(v, e[k])
		}
		return sum
	case []any:
		e, ok := example.([]any)
		if !ok || len(e) == 0 {
			return ours
		}
		for i, v := range o {
			o[i] = over(v, e[0])
		}
	}
	return ours
}
