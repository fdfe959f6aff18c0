package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/face/api/apitest"
)

// TestValidateLimits sends trees that no commit can hold, or that are larger than the limit.
func TestValidateLimits(t *testing.T) {
	t.Parallel()
	s := apitest.New(t)
	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"legal":          {`{"files":[{"path":"a/waybill.yaml","mode":"100644","size":1,"content":"YQ=="}]}`, http.StatusOK},
		"nothing":        {`{"files":[]}`, http.StatusOK},
		"outside":        {`{"files":[{"path":"../x","mode":"100644","size":1}]}`, http.StatusBadRequest},
		"absolute":       {`{"files":[{"path":"/etc/passwd","mode":"100644","size":1}]}`, http.StatusBadRequest},
		"the root":       {`{"files":[{"path":".","mode":"100644","size":1}]}`, http.StatusBadRequest},
		"a mode":         {`{"files":[{"path":"x","mode":"160000","size":1}]}`, http.StatusBadRequest},
		"just too large": {`{"files":[{"path":"x","mode":"100644","size":1,"content":"` + strings.Repeat("A", 5<<20) + `"}]}`, http.StatusRequestEntityTooLarge},
		"larger than 1M": {`{"files":[{"path":"x","mode":"100644","size":1572864,"content":"` + strings.Repeat("A", 2<<20) + `"}]}`, http.StatusOK},
	} {
		if a := ask(t, s, s.Read, http.MethodPost, "/api/v1/validate", c.body); a.status != c.status && (c.status != http.StatusBadRequest || a.status != http.StatusUnprocessableEntity) {
			t.Errorf("%s: %d, want %d: %.300s", name, a.status, c.status, a.body)
		}
	}
}
