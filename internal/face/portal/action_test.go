package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/face/portal"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestActions(t *testing.T) {
	t.Parallel()
	f := fill(newWorld(t))
	f.engine.run = f.lastRun
	commit := "/repositories/feeds/shop-feed/commits/" + f.failed.Commit
	for _, c := range []struct {
		path string
		form url.Values
		to   string
		call string
	}{
		{"/connectors/shop-feed@2/runs", url.Values{"site": {"feeds-dev"}}, "/runs/" + f.lastRun.ID, "start shop-feed 2 feeds-dev by ada"},
		{"/connectors/shop-feed/rollback", url.Values{"environment": {"prod"}}, "/connectors/shop-feed?did=rollback", "rollback shop-feed 1 prod by ada"},
		{"/releases/" + f.older.ID + "/promote", nil, "/connectors/shop-feed?did=promote", "promote " + f.older.ID + " by ada"},
		{"/runs/" + f.running.ID + "/cancel", nil, "/runs/" + f.running.ID + "?did=cancel", "cancel " + f.running.ID + " by ada"},
		{commit + "/retry", nil, commit + "?did=retry", "retry " + f.shop.ID + " " + f.failed.Commit + " by ada"},
		{commit + "/retry", url.Values{"connector": {"shop-feed@2"}}, "/connectors/shop-feed@2?did=retry", "retry " + f.shop.ID + " " + f.failed.Commit + " by ada"},
	} {
		f.engine.calls, f.engine.err = nil, nil
		for _, who := range []auth.Principal{{}, {Name: "eve", Scope: auth.ScopeRead}} {
			if rec := f.post(c.path, who, c.form); rec.Code != http.StatusUnauthorized && rec.Code != http.StatusForbidden {
				t.Errorf("%s for %q: status %d", c.path, who.Scope, rec.Code)
			}
		}
		if rec := f.post(c.path, admin(), c.form); rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != c.to {
			t.Errorf("%s: status %d to %q, want %q", c.path, rec.Code, rec.Header().Get("Location"), c.to)
		}
		if diff := cmp.Diff([]string{c.call}, f.engine.calls); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.path, diff)
		}
		f.engine.err = waybill.Errorf(waybill.Conflict, "somebody was faster")
		rec := f.post(c.path, admin(), c.form)
		if html := body(t, rec); rec.Code != http.StatusConflict || !strings.Contains(html, "somebody was faster") {
			t.Errorf("%s refused: status %d\n%s", c.path, rec.Code, html)
		}
	}
}

func TestWrongActions(t *testing.T) {
	t.Parallel()
	f := fill(newWorld(t))
	for path, want := range map[string]int{
		"/connectors/shop-feed/runs":                          http.StatusUnprocessableEntity,
		"/connectors/shop-feed/rollback":                      http.StatusUnprocessableEntity,
		"/runs/nothing/cancel":                                http.StatusNotFound,
		"/repositories/feeds/nothing/commits/abcdef123/retry": http.StatusNotFound,
	} {
		if rec := f.post(path, admin(), nil); rec.Code != want {
			t.Errorf("%s: status %d, want %d", path, rec.Code, want)
		}
	}
	if len(f.engine.calls) > 0 {
		t.Errorf("the engines were asked: %q", f.engine.calls)
	}
}

func TestMissingPages(t *testing.T) {
	t.Parallel()
	f := fill(newWorld(t))
	for _, path := range []string{
		"/nothing", "/connectors/nothing", "/connectors/shop-feed?major=9", "/connectors/shop-feed@9", "/connectors/shop-feed/nothing",
		"/runs/nothing", "/runs/nothing/events", "/runs/" + f.lastRun.ID + "/logs/nothing", "/releases/nothing", "/releases/" + f.live.ID + "/logs/dev",
		"/repositories/feeds/shop-feed/commits/abc", "/repositories/feeds/shop-feed/commits/deadbeef", "/repositories/x/y/commits/deadbeef",
		"/repositories/catalog/pim/commits/" + f.failed.Commit,
	} {
		rec := f.get(path, auth.Principal{})
		html := body(t, rec)
		if rec.Code != http.StatusNotFound || !strings.Contains(html, "not_found") {
			t.Errorf("%s: status %d", path, rec.Code)
		}
		checkHTML(t, path, html)
	}
	rec := f.get("/repositories/feeds/shop-feed/commits/"+f.failed.Commit[:9], auth.Principal{})
	if to := rec.Header().Get("Location"); !strings.HasSuffix(to, f.failed.Commit) {
		t.Errorf("a short commit leads to %q", to)
	}
}

func TestDownloads(t *testing.T) {
	t.Parallel()
	f := fill(newWorld(t))
	for path, want := range map[string]string{
		"/runs/" + f.lastRun.ID + "/logs/stdout":   "{\"id\":1}\n",
		"/releases/" + f.failed.ID + "/logs/build": buildLog(30),
	} {
		rec := f.get(path, auth.Principal{})
		if diff := cmp.Diff(want, body(t, rec)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		if h := rec.Header(); !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: %v", path, h)
		}
	}
}

// TestClosedPortal: where strangers reach the server, nobody reads without a session.
func TestClosedPortal(t *testing.T) {
	t.Parallel()
	f := fill(newWorld(t))
	o := f.portal.Options
	o.Open = false
	var err error
	f.portal, err = portal.New(o)
	must(t, err)
	for _, path := range append(f.paths(), "/events", "/runs/"+f.lastRun.ID+"/logs/stdout") {
		rec := f.get(path, auth.Principal{})
		if path != "/session" && (rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != "/session") {
			t.Errorf("%s: status %d for a stranger", path, rec.Code)
		}
	}
	if rec := f.get("/", auth.Principal{Name: "eve", Scope: auth.ScopeRead}); rec.Code != http.StatusOK {
		t.Errorf("with a token to read: status %d", rec.Code)
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	html := body(t, w.get("/", auth.Principal{}))
	limits := map[string]int{"style": 20_000, "waybill": 10_000, "icons": 10_000, "favicon": 1000}
	for name, limit := range limits {
		_, rest, ok := strings.Cut(html, "/assets/"+name+".")
		if !ok {
			t.Errorf("the page does not use %s", name)
			continue
		}
		path := "/assets/" + name + "." + rest[:strings.IndexAny(rest, `"#`)]
		rec := w.get(path, auth.Principal{})
		if n := rec.Body.Len(); rec.Code != http.StatusOK || n == 0 || n >= limit {
			t.Errorf("%s: status %d, %d bytes of %d", path, rec.Code, n, limit)
		}
		if c := rec.Header().Get("Cache-Control"); !strings.Contains(c, "immutable") {
			t.Errorf("%s is kept %q", path, c)
		}
	}
	if rec := w.get("/assets/style.css", auth.Principal{}); rec.Code != http.StatusNotFound {
		t.Errorf("a name without hash: status %d", rec.Code)
	}
}
