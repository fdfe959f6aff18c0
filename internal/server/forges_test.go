package server

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/config"
	"github.com/waybill-dev/waybill/internal/foundation/telemetry"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestForgesAsConfigured: every kind can be made, may be asked for a ping, and gets credentials for its own address only,
// with the token that is in the file now.
func TestForgesAsConfigured(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n")
	s := &Server{metrics: telemetry.New("test")}
	s.Now = time.Now
	for _, kind := range []string{config.GitHub, config.Gitea, config.GitLab} {
		s.Config.Forges = append(s.Config.Forges, config.Forge{Name: kind, Kind: kind, URL: "https://" + kind + ".test", TokenFile: file})
	}
	all, err := s.openForges()
	if err != nil {
		t.Fatal(err)
	}
	type pinger interface {
		Ping(ctx context.Context, r waybill.Repository, address string) error
	}
	for name, f := range all {
		if _, ok := forge.As[pinger](f.Host); !ok {
			t.Errorf("%s cannot be asked for a ping", name)
		}
		ask := func(url string) string {
			t.Helper()
			_, password, err := all.credentials(t.Context(), waybill.Repository{Forge: name, URL: url, Path: "acme/shop"})
			if err != nil {
				t.Fatal(err)
			}
			return password
		}
		write("first\n")
		if got := ask("https://" + name + ".test/acme/shop.git"); got != "first" {
			t.Errorf("%s: password %q", name, got)
		}
		write("second\n")
		if got := ask("https://" + name + ".test/acme/shop.git"); got != "second" {
			t.Errorf("%s: a changed token is not seen: %q", name, got)
		}
		for _, elsewhere := range []string{
			"https://evil.test/acme/shop.git", "http://" + name + ".test/acme/shop.git", "https://" + name + ".test.evil.test/a", "https://" + name + ".test:8443/a", "/srv/git/a.git",
		} {
			if got := ask(elsewhere); got != "" {
				t.Errorf("%s: its token goes to %s", name, elsewhere)
			}
		}
	}
}
