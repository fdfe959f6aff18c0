package server

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/config"
	"github.com/waybill-dev/waybill/internal/foundation/telemetry"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
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
	s.Now, s.Log = time.Now, slog.New(slog.DiscardHandler)
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

// TestSecretsOfApps are those that the files hold now.
func TestSecretsOfApps(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &Server{}
	s.Log = slog.New(slog.DiscardHandler)
	s.Config.Forges = []config.Forge{{Name: "hub", Kind: config.GitHub, App: &config.App{
		HookSecretFile: filepath.Join(folder, "now"), OldHookSecretFile: filepath.Join(folder, "before"),
	}}}
	if _, err := s.appSecrets(); !waybill.IsCode(err, waybill.Denied) {
		t.Errorf("without a secret: %v", err)
	}
	write("now", "one\n")
	secrets, err := s.appSecrets()
	if err != nil {
		t.Fatal(err)
	}
	want := func(what string, want ...webhooks.Secret) {
		t.Helper()
		if got := secrets["hub"](); !slices.Equal(got, want) {
			t.Errorf("%s: %d secrets, want %d, or other ones", what, len(got), len(want))
		}
	}
	want("at first", "one")
	write("before", "one\n")
	write("now", "two\n")
	want("exchanged", "two", "one")
	write("now", "")
	want("being written", "two", "one")
	write("before", "")
	want("the old one ended", "two")
}

// TestKeyOfApp: what is no key is a mistake at the start.
func TestKeyOfApp(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("-----BEGIN RSA PRIVATE KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Server{metrics: telemetry.New("test")}
	s.Now, s.Log = time.Now, slog.New(slog.DiscardHandler)
	for _, name := range []string{file, file + ".missing"} {
		s.Config.Forges = []config.Forge{{Name: "hub", Kind: config.GitHub, URL: "https://hub.test", App: &config.App{ID: 1, KeyFile: name}}}
		if _, err := s.openForges(); !waybill.IsCode(err, waybill.Denied) {
			t.Errorf("%s: %v, want denied", name, err)
		}
	}
}
