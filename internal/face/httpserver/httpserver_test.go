package httpserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waybill-dev/waybill/internal/face/httpserver"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

// keeper knows one token and one link.
type keeper struct{ links int }

func (k *keeper) Request(r *http.Request) (auth.Principal, error) {
	switch {
	case r.Header.Get("Authorization") == "Bearer wb_good":
		return auth.Principal{Name: "ada", Scope: auth.ScopeAdmin, Channel: waybill.ChannelAPI}, nil
	case r.Header.Get("Authorization") != "":
		return auth.Principal{}, waybill.Errorf(waybill.Unauthenticated, "unknown token")
	}
	if c, err := r.Cookie(auth.CookieName); err == nil && c.Value == "wbs_1" {
		return auth.Principal{Name: "ada", Scope: auth.ScopeAdmin, Channel: waybill.ChannelPortal, Token: "s1"}, nil
	}
	return auth.Principal{}, nil
}

func (k *keeper) SignIn(_ context.Context, link auth.Secret) (auth.Secret, time.Time, error) {
	if link != "wbl_good" || k.links > 0 {
		return "", time.Time{}, waybill.Errorf(waybill.Unauthenticated, "unknown link")
	}
	k.links++
	return "wbs_1", time.Now().Add(time.Hour), nil
}

func (k *keeper) Revoke(context.Context, string, waybill.Actor) error { return nil }

// public wraps a handler that answers everything with who asks.
func public(t *testing.T, log *slog.Logger) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	k := &keeper{}
	httpserver.SignIn(mux, log, k, false)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			httpserver.WriteError(w, r, log, err)
			return
		}
		switch r.URL.Path {
		case "/panic":
			panic("oh no")
		case "/fail":
			httpserver.WriteError(w, r, log, waybill.Wrap(waybill.Unavailable, errors.New("dial secret-host"), "the database is away"))
		default:
			_, _ = fmt.Fprintf(w, "hello %s", auth.From(r.Context()).Name)
		}
	})
	return httpserver.Public(mux, httpserver.Options{Log: log, Now: time.Now, Hosts: []string{"portal.example"}, Auth: k})
}

type request struct {
	method, target, host, body string
	header                     map[string]string
}

// reply is what was answered.
type reply struct {
	StatusCode int
	Header     http.Header
	Body       *bytes.Buffer
}

// Cookies returns the cookies that were set.
func (r reply) Cookies() []*http.Cookie { return (&http.Response{Header: r.Header}).Cookies() }

func ask(t *testing.T, h http.Handler, q request) reply {
	t.Helper()
	if q.method == "" {
		q.method = http.MethodGet
	}
	r := httptest.NewRequestWithContext(t.Context(), q.method, q.target, strings.NewReader(q.body))
	r.Host = "127.0.0.1:8080"
	if q.host != "" {
		r.Host = q.host
	}
	for k, v := range q.header {
		r.Header.Set(k, v)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return reply{rec.Code, rec.Header(), rec.Body}
}

func problemOf(t *testing.T, res reply) httpserver.Problem {
	t.Helper()
	if ct := res.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("content type %q, want a problem document", ct)
	}
	var p httpserver.Problem
	if err := json.NewDecoder(res.Body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	if p.Status != res.StatusCode || p.Title != http.StatusText(res.StatusCode) {
		t.Errorf("problem says %d %q, the answer is %d", p.Status, p.Title, res.StatusCode)
	}
	return p
}

func TestEveryCodeHasAStatusOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[int]waybill.Code{}
	for _, code := range waybill.Codes() {
		s := httpserver.StatusOf(code)
		if other, taken := seen[s]; taken {
			t.Errorf("%s and %s are both %d", code, other, s)
		}
		seen[s] = code
		if back := httpserver.CodeOf(s); back != code {
			t.Errorf("%s is %d, which is %s", code, s, back)
		}
		if (s == http.StatusInternalServerError) != (code == waybill.Internal) {
			t.Errorf("%s has status %d", code, s)
		}
	}
	if s := httpserver.StatusOf("new"); s != 500 {
		t.Errorf("an unknown code has status %d", s)
	}
	for status := 400; status < 600; status++ {
		if code := httpserver.CodeOf(status); !slices.Contains(waybill.Codes(), code) {
			t.Errorf("status %d has code %q", status, code)
		}
	}
}

func TestProblemTellsNoCause(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := public(t, slog.New(slog.NewTextHandler(&log, nil)))
	p := problemOf(t, ask(t, h, request{target: "/fail"}))
	if p.Code != waybill.Unavailable || p.Detail != "the database is away" || p.RequestID == "" {
		t.Errorf("problem %+v", p)
	}
	if !strings.Contains(log.String(), "the database is away: dial secret-host") || !strings.Contains(log.String(), p.RequestID) {
		t.Errorf("log: %s", log.String())
	}
	foreign := httpserver.ProblemOf(t.Context(), errors.New("pq: secret"))
	if foreign.Code != waybill.Internal || strings.Contains(foreign.Detail, "secret") {
		t.Errorf("foreign error: %+v", foreign)
	}
}

func TestFrameworkErrorsAreProblems(t *testing.T) {
	t.Parallel()
	err := huma.NewError(422, "validation failed", &huma.ErrorDetail{Location: "body.url", Message: "expected string"}, nil)
	var p *httpserver.Problem
	if !errors.As(err, &p) || p.Code != waybill.Invalid || p.Detail != "body.url: expected string" || len(p.Errors) != 1 {
		t.Errorf("framework error %+v", err)
	}
	err = huma.NewError(500, "unexpected error occurred", errors.New("pq: secret"))
	if !errors.As(err, &p) || p.Code != waybill.Internal || len(p.Errors) != 0 {
		t.Errorf("framework error %+v", err)
	}
}

func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	p := problemOf(t, ask(t, public(t, slog.New(slog.NewTextHandler(&log, nil))), request{target: "/panic"}))
	if p.Code != waybill.Internal || strings.Contains(p.Detail, "oh no") || !strings.Contains(log.String(), "oh no") {
		t.Errorf("problem %+v, log %s", p, log.String())
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	h := public(t, silent())
	for host, want := range map[string]int{
		"127.0.0.1:8080": 200, "127.0.0.1": 200, "localhost:1": 200, "LOCALHOST": 200, "[::1]:8080": 200, "10.1.2.3": 200,
		"portal.example": 200, "Portal.Example:443": 200,
		"evil.example": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403, "portal.example.evil.example:80": 403,
	} {
		if got := ask(t, h, request{target: "/", host: host}).StatusCode; got != want {
			t.Errorf("host %s: %d, want %d", host, got, want)
		}
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	h := public(t, silent())
	cookie := auth.CookieName + "=wbs_1"
	for name, tt := range map[string]struct {
		method string
		header map[string]string
		want   int
	}{
		"program":                  {"POST", map[string]string{"Authorization": "Bearer wb_good"}, 200},
		"own page":                 {"POST", map[string]string{"Cookie": cookie, "Origin": "http://127.0.0.1:8080"}, 200},
		"own page, new browser":    {"POST", map[string]string{"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}, 200},
		"strange page":             {"POST", map[string]string{"Cookie": cookie, "Origin": "http://evil.example"}, 403},
		"strange page without":     {"POST", map[string]string{"Origin": "http://evil.example"}, 403},
		"other port":               {"POST", map[string]string{"Cookie": cookie, "Origin": "http://127.0.0.1:9"}, 403},
		"strange, new browser":     {"DELETE", map[string]string{"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}, 403},
		"cookie without origin":    {"POST", map[string]string{"Cookie": cookie}, 403},
		"opaque origin":            {"POST", map[string]string{"Cookie": cookie, "Origin": "null"}, 403},
		"reading from a link":      {"GET", map[string]string{"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}, 200},
		"reading without a header": {"GET", map[string]string{"Cookie": cookie}, 200},
	} {
		if got := ask(t, h, request{method: tt.method, target: "/", header: tt.header}).StatusCode; got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	h := public(t, silent())
	for header, want := range map[string]struct {
		status int
		body   string
	}{"": {200, "hello "}, "Bearer wb_good": {200, "hello ada"}, "Bearer wb_bad": {401, ""}} {
		head := map[string]string{}
		if header != "" {
			head["Authorization"] = header
		}
		res := ask(t, h, request{target: "/", header: head})
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != want.status || want.body != "" && string(body) != want.body {
			t.Errorf("%q: %d %q, %v", header, res.StatusCode, body, err)
		}
		if (res.Header.Get("WWW-Authenticate") != "") != (want.status == 401) {
			t.Errorf("%q: WWW-Authenticate %q", header, res.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	h := httpserver.LimitBody(4)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			httpserver.WriteError(w, r, silent(), err)
		}
	}))
	if got := ask(t, h, request{method: "POST", target: "/", body: "1234"}).StatusCode; got != 200 {
		t.Errorf("4 bytes: %d", got)
	}
	if p := problemOf(t, ask(t, h, request{method: "POST", target: "/", body: "12345"})); p.Code != waybill.TooLarge {
		t.Errorf("5 bytes: %+v", p)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := public(t, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	res := ask(t, h, request{target: "/sign-in?token=wbl_good"})
	if res.StatusCode != 303 || res.Header.Get("Location") != "/" || len(res.Cookies()) != 1 || res.Cookies()[0].Value != "wbs_1" {
		t.Errorf("first use: %d %v", res.StatusCode, res.Header)
	}
	if p := problemOf(t, ask(t, h, request{target: "/sign-in?token=wbl_good"})); p.Code != waybill.Unauthenticated {
		t.Errorf("second use: %+v", p)
	}
	if strings.Contains(log.String(), "wbl_good") || !strings.Contains(log.String(), "path=/sign-in") {
		t.Errorf("access log: %s", log.String())
	}
	out := ask(t, h, request{
		method: "POST", target: "/sign-out",
		header: map[string]string{"Cookie": auth.CookieName + "=wbs_1", "Origin": "http://127.0.0.1:8080"},
	})
	if out.StatusCode != 303 || len(out.Cookies()) != 1 || out.Cookies()[0].MaxAge >= 0 {
		t.Errorf("sign out: %d %v", out.StatusCode, out.Header)
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	res := ask(t, public(t, silent()), request{target: "/"})
	for name, part := range map[string]string{
		"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Referrer-Policy": "same-origin", "X-Request-Id": "",
	} {
		if got := res.Header.Get(name); got == "" || !strings.Contains(got, part) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if csp := res.Header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") {
		t.Errorf("policy %s", csp)
	}
}

func TestETag(t *testing.T) {
	t.Parallel()
	content := `{"n":1}`
	h := httpserver.ETag()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ct, status := "application/json", http.StatusOK
		switch r.URL.Path {
		case "/text":
			ct = "text/plain"
		case "/problem":
			ct, status = "application/problem+json", http.StatusNotFound
		}
		w.Header().Set("Content-Type", ct)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, content)
	}))
	res := ask(t, h, request{target: "/"})
	tag := res.Header.Get("ETag")
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != content || !strings.HasPrefix(tag, `"`) {
		t.Fatalf("%q %s %v", body, tag, err)
	}
	for match, want := range map[string]int{tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200, "": 200} {
		res := ask(t, h, request{target: "/", header: map[string]string{"If-None-Match": match}})
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != want || (want == 304) != (len(body) == 0) || res.Header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s: %d %q %v", match, res.StatusCode, body, err)
		}
	}
	for _, q := range []request{{target: "/text"}, {target: "/problem"}, {method: "POST", target: "/"}} {
		if res := ask(t, h, q); res.Header.Get("ETag") != "" {
			t.Errorf("%+v has a tag", q)
		}
	}
}

func TestStreamsFlushThroughTheMiddleware(t *testing.T) {
	t.Parallel()
	step := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "first\n")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-step
	})
	log := slog.New(slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	srv := httptest.NewServer(httpserver.Public(httpserver.ETag()(mux), httpserver.Options{Log: log, Now: time.Now, Auth: &keeper{}}))
	defer srv.Close()
	defer close(step)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	line := make([]byte, 6)
	if _, err := io.ReadFull(res.Body, line); err != nil || string(line) != "first\n" {
		t.Errorf("read %q, %v while the handler is still at work", line, err)
	}
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	var away error
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "waybill_up 1\n") })
	h := httpserver.Admin(metrics, func(context.Context) error { return away }, httpserver.Options{Log: silent(), Now: time.Now})
	get := func(path string) (int, string) {
		res := ask(t, h, request{target: path})
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
	for path, want := range map[string]string{
		"/": "/metrics\n/healthz\n", "/metrics": "waybill_up 1", "/healthz": "ok", "/readyz": "ready", "/debug/pprof/": "goroutine", "/debug/pprof/cmdline": "test",
	} {
		if code, body := get(path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	away = errors.New("the queue stands still")
	if code, body := get("/readyz"); code != 503 || !strings.Contains(body, "the queue stands still") {
		t.Errorf("/readyz: %d %s", code, body)
	}
	if code, _ := get("/healthz"); code != 200 {
		t.Errorf("/healthz: %d", code)
	}
}
