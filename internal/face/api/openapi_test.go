package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/waybill-dev/waybill/internal/face/api/apitest"
)

func description(t *testing.T, s *apitest.Server) *openapi3.T {
	t.Helper()
	a := ask(t, s, "", "GET", "/api/openapi.yaml", "")
	if a.status != http.StatusOK {
		t.Fatalf("description: %d %s", a.status, a.body)
	}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(a.body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestDescriptionIsLegalAndComplete(t *testing.T) {
	t.Parallel()
	s := apitest.New(t)
	doc := description(t, s)
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("OpenAPI %s, want 3.1.0", doc.OpenAPI)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	for path, item := range doc.Paths.Map() {
		if !strings.HasPrefix(path, "/api/v1/") {
			t.Errorf("%s is not below /api/v1", path)
		}
		for method, op := range item.Operations() {
			if op.Summary == "" || op.OperationID == "" || op.Security == nil || !strings.HasSuffix(op.Summary, ".") {
				t.Errorf("%s %s: incomplete: %+v", method, path, op)
			}
			for _, p := range op.Parameters {
				if p.Value.Description == "" {
					t.Errorf("%s %s: parameter %s has no description", method, path, p.Value.Name)
				}
			}
		}
	}
	for name, schema := range doc.Components.Schemas {
		for field, p := range schema.Value.Properties {
			if p.Ref == "" && p.Value.Description == "" && !strings.HasPrefix(name, "Page") {
				t.Errorf("%s.%s has no description", name, field)
			}
		}
	}
}

// Every operation of the description refuses strangers before it looks at anything else, and changes nothing for those
// who may only read.
func TestEveryOperationAsksWhoIsThere(t *testing.T) {
	t.Parallel()
	s := apitest.New(t)
	s.Fill(t)
	n := 0
	for path, item := range description(t, s).Paths.Map() {
		path = strings.NewReplacer("{id}", "x", "{name}", "x", "{commit}", "x").Replace(path)
		for method := range item.Operations() {
			n++
			if a := ask(t, s, "", method, path, ""); a.status != http.StatusUnauthorized || !strings.Contains(a.body, "unauthenticated") {
				t.Errorf("stranger: %s %s: %d %s", method, path, a.status, a.body)
			}
			a := ask(t, s, s.Read, method, path, "")
			tokens := strings.Contains(path, "/tokens")
			asks := strings.HasSuffix(path, "/validate") // has a body, but stores nothing
			if refused := a.status == http.StatusForbidden; refused != (method != http.MethodGet && !asks || tokens) {
				t.Errorf("reader: %s %s: %d %s", method, path, a.status, a.body)
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d operations", n)
	}
}
