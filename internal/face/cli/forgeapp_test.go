package cli

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMakeApp goes the way of a browser: the form, GitHub, and back with a code.
func TestMakeApp(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}))
	answer, err := json.Marshal(map[string]any{
		"id": 42, "slug": "waybill-acme", "html_url": "https://hub.test/apps/waybill-acme", "pem": key, "webhook_secret": "s3cret",
	})
	if err != nil {
		t.Fatal(err)
	}
	var manifest, state string
	github := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/organizations/acme/settings/apps/new":
			manifest, state = r.PostFormValue("manifest"), r.URL.Query().Get("state")
		case "/api/v3/app-manifests/c0de/conversions":
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write(answer)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(github.Close)
	folder := filepath.Join(t.TempDir(), "data")
	out, printed := io.Pipe()
	a := &app{Env: Env{Stdout: printed}}
	done := make(chan error, 1)
	go func() {
		done <- a.makeApp(t.Context(), newApp{
			name: "Waybill", organization: "acme", forge: "hub", home: github.URL,
			public: "https://waybill.example.test", folder: folder, wait: time.Minute,
		})
		_ = printed.Close()
	}()
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	here := regexp.MustCompile(`http://[0-9.:]+/`).FindString(line)

	page := fetch(t, http.MethodGet, here, "")
	part := func(pattern string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(page)
		if m == nil {
			t.Fatalf("%s is not in the page:\n%s", pattern, page)
		}
		return html.UnescapeString(m[1])
	}
	fetch(t, http.MethodPost, part(`action="([^"]+)"`), "manifest="+part(`value="([^"]+)"`))
	for _, want := range []string{`"url":"https://waybill.example.test/hooks/hub/app"`, `"redirect_url":"` + here + `callback"`, `"checks":"write"`} {
		if !strings.Contains(manifest, want) {
			t.Errorf("%s is not in the manifest %s", want, manifest)
		}
	}
	if said := fetch(t, http.MethodGet, here+"callback?code=c0de&state=guess", ""); !strings.Contains(said, "not the answer") {
		t.Errorf("a code of a stranger was taken: %s", said)
	}
	fetch(t, http.MethodGet, here+"callback?code=c0de&state="+state, "")
	rest, err := io.ReadAll(lines)
	if err != nil || <-done != nil {
		t.Fatalf("%v\n%s", err, rest)
	}
	for name, want := range map[string]string{"hub.app.pem": key, "hub.app.secret": "s3cret\n"} {
		name = filepath.Join(folder, name)
		text, err := os.ReadFile(name)
		if err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
		if !strings.Contains(string(rest), name) {
			t.Errorf("%s is not told:\n%s", name, rest)
		}
	}
	if !strings.Contains(string(rest), "id: 42") || strings.Contains(string(rest), "s3cret") {
		t.Errorf("printed:\n%s", rest)
	}
}

func fetch(t *testing.T, method, address, body string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
