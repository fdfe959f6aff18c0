package forgetest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Description is the OpenAPI description that a forge publishes of its API.
type Description struct {
	Forge string // its name
	Doc   *openapi3.T
	Base  string // begins the paths of requests, and not those of Doc
	// Beside are paths that the forge answers but does not describe.
	Beside []string
	// Flaws are fields of published examples that are not as described themselves, by path.
	Flaws map[string][]string
}

// Check lets next answer what is described; everything else fails the test, as do answers that are a success and are not
// as described. They are laid over the published examples, if there are any, so that they have all that the forge's have.
func (d *Description) Check(t *testing.T, next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		path := strings.TrimPrefix(r.URL.EscapedPath(), d.Base)
		for _, template := range d.Beside {
			if _, fits := match(template, path); fits {
				next.ServeHTTP(rw, r)
				return
			}
		}
		in := d.find(r, path)
		if in == nil {
			t.Errorf("%s %s is not in %s's description", r.Method, path, d.Forge)
			http.NotFound(rw, r)
			return
		}
		d.checkRequest(t, in, body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		answer := recorded.Body.Bytes()
		if recorded.Code < http.StatusMultipleChoices && len(answer) > 0 {
			answer = d.checkAnswer(t, in, recorded.Code, answer)
			recorded.Header().Del("Content-Length")
		}
		maps.Copy(rw.Header(), recorded.Header())
		rw.WriteHeader(recorded.Code)
		_, _ = rw.Write(answer)
	})
}

// match reads the parameters of a path, which is as it was sent.
func match(template, path string) (map[string]string, bool) {
	want, got, params := strings.Split(template, "/"), strings.Split(path, "/"), map[string]string{}
	if len(want) != len(got) {
		return nil, false
	}
	for i, w := range want {
		part, err := url.PathUnescape(got[i])
		if err != nil {
			return nil, false
		}
		if strings.HasPrefix(w, "{") {
			params[strings.Trim(w, "{}")] = part
		} else if w != part {
			return nil, false
		}
	}
	return params, true
}

func (d *Description) find(r *http.Request, path string) *openapi3filter.RequestValidationInput {
	for template, item := range d.Doc.Paths.Map() {
		params, fits := match(template, path)
		if !fits || item.GetOperation(r.Method) == nil {
			continue
		}
		return &openapi3filter.RequestValidationInput{
			Request: r, PathParams: params, Options: &openapi3filter.Options{MultiError: true},
			Route: &routers.Route{Spec: d.Doc, Path: template, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)},
		}
	}
	return nil
}

// checkRequest also wants every parameter and every field of the body to be described: forges ignore others silently.
func (d *Description) checkRequest(t *testing.T, in *openapi3filter.RequestValidationInput, body []byte) {
	r, op := in.Request, in.Route.Operation
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil {
		t.Errorf("%s %s is not as %s describes it: %v\n%.500s", r.Method, r.URL, d.Forge, reasons(err), body)
	}
	for name := range r.URL.Query() {
		if op.Parameters.GetByInAndName("query", name) == nil && in.Route.PathItem.Parameters.GetByInAndName("query", name) == nil {
			t.Errorf("%s %s: %s knows no parameter %s", r.Method, in.Route.Path, d.Forge, name)
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
			t.Errorf("%s %s: %s knows no field %s", r.Method, in.Route.Path, d.Forge, name)
		}
	}
}

// checkAnswer lays an answer over the published example of it, and checks the result.
func (d *Description) checkAnswer(t *testing.T, in *openapi3filter.RequestValidationInput, code int, answer []byte) []byte {
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
		ours = over(ours, d.sound(in.Route.Path, example(media)))
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
		t.Errorf("the answer to %s %s is not as %s describes it: %v", in.Route.Method, in.Route.Path, d.Forge, reasons(err))
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

// sound leaves the flaws out of an example.
func (d *Description) sound(path string, example any) any {
	if list, ok := example.([]any); ok && len(list) > 0 {
		return []any{d.sound(path, list[0])}
	}
	fields, ok := example.(map[string]any)
	if !ok {
		return example
	}
	fields = maps.Clone(fields)
	for _, flaw := range d.Flaws[path] {
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
		sum := maps.Clone(e)
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
