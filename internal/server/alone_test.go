package server

import (
	"testing"

	"github.com/waybill-dev/waybill/internal/foundation/config"
)

// TestAlone: pages without a session are for this machine only.
func TestAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		listen, public string
		want           bool
	}{
		{"127.0.0.1:8080", "", true},
		{"localhost:8080", "http://localhost:8080", true},
		{"[::1]:8080", "http://127.0.0.1:8080", true},
		{"127.0.0.1:8080", "https://waybill.example.org", false}, // behind a proxy
		{"0.0.0.0:8080", "", false},
		{":8080", "http://localhost:8080", false},
	} {
		if got := alone(config.Config{Listen: c.listen, PublicURL: c.public}); got != c.want {
			t.Errorf("listen %s, public %q: %v, want %v", c.listen, c.public, got, c.want)
		}
	}
}
