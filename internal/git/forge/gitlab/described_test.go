package gitlab

import (
	_ "embed"
	"net/http"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/waybill-dev/waybill/internal/git/forge/forgetest"
)

// published is what GitLab publishes of the endpoints that the adapter asks; its first lines say from where it is.
//
//go:embed testdata/openapi.yaml
var published []byte

var theDescription = sync.OnceValues(func() (*openapi3.T, error) { return openapi3.NewLoader().LoadFromData(published) })

// described checks every request, and every answer that is a success, against GitLab's description.
func described(t *testing.T, next http.Handler) http.Handler {
	t.Helper()
	doc, err := theDescription()
	if err != nil {
		t.Fatal(err)
	}
	d := forgetest.Description{Forge: "GitLab", Doc: doc, Base: "/api/v4"}
	return d.Check(t, next)
}

// TestDescription: what is written down is a description.
func TestDescription(t *testing.T) {
	t.Parallel()
	doc, err := theDescription()
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}
