package portal_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// admin is somebody with a session.
func admin() auth.Principal {
	return auth.Principal{Name: "ada", Scope: auth.ScopeAdmin, Channel: waybill.ChannelPortal, Token: "t"}
}

// get asks for a page as who and returns the answer.
func (w *world) get(path string, who auth.Principal) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(auth.With(w.t.Context(), who), http.MethodGet, path, nil)
	rec := httptest.NewRecorder()
	w.portal.ServeHTTP(rec, r)
	return rec
}

func (w *world) post(path string, who auth.Principal, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(auth.With(w.t.Context(), who), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	w.portal.ServeHTTP(rec, r)
	return rec
}

func body(t testing.TB, rec *httptest.ResponseRecorder) string {
	t.Helper()
	b, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEmptyPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, want := range map[string]string{
		"/":           "waybill repo add",
		"/connectors": "waybill repo add",
		"/runs":       "waybill runs start",
		"/session":    "waybill token link",
		"/settings":   "first push to the platform repository",
	} {
		rec := w.get(path, auth.Principal{})
		html := body(t, rec)
		if rec.Code != http.StatusOK || !strings.Contains(html, want) {
			t.Errorf("%s: status %d, want 200 and %q in:\n%s", path, rec.Code, want, html)
		}
		checkHTML(t, path, html)
	}
}

// paths are all pages of a full world.
func (f *full) paths() []string {
	return []string{
		"/", "/connectors", "/connectors?q=shop&sort=owner", "/runs", "/runs?state=failed&site=feeds-prod", "/session", "/settings",
		"/connectors/shop-feed", "/connectors/shop-feed@2", "/connectors/shop-feed?major=2", "/connectors/price-history",
		"/connectors/international-order-export-to-warehouse", "/connectors/pim-products",
		"/connectors/shop-feed/setup", "/connectors/shop-feed/runs", "/connectors/shop-feed/logs",
		"/connectors/shop-feed/versions", "/connectors/shop-feed/history",
		"/runs/" + f.badRun.ID, "/runs/" + f.lastRun.ID, "/runs/" + f.running.ID, "/runs/" + f.badRun.ID + "?q=shop",
		"/releases/" + f.failed.ID, "/releases/" + f.live.ID, "/releases/" + f.building.ID, "/releases/" + f.older.ID,
		"/releases/" + f.failed.ID + "/log", "/releases/" + f.failed.ID + "/log?step=build&q=undefined",
		"/repositories/catalog/pim/commits/" + f.refused, "/repositories/feeds/shop-feed/commits/" + f.failed.Commit,
	}
}

func TestFullPages(t *testing.T) {
	t.Parallel()
	f := fill(newWorld(t))
	for _, who := range []auth.Principal{{}, admin()} {
		for _, path := range f.paths() {
			rec := f.get(path, who)
			html := body(t, rec)
			if rec.Code != http.StatusOK {
				t.Fatalf("%s: status %d\n%s", path, rec.Code, html)
			}
			if len(html) > 60_000 {
				t.Errorf("%s weighs %d bytes, more than 60 kB", path, len(html))
			}
			checkHTML(t, path, html)
			if strings.Contains(html, "hunter2") || strings.Contains(html, "very-secret") {
				t.Errorf("%s shows a secret value", path)
			}
			if strings.Contains(html, "<form method=\"post\"") && who.Name == "" {
				t.Errorf("%s offers a change to somebody without a session", path)
			}
		}
	}
}
