package forge_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// wireTo returns a wire to a server that answers so; asked is every request that it got.
func wireTo(t *testing.T, answer http.HandlerFunc) (w *forge.Wire, url string, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Method+" "+r.URL.Path)
		answer(rw, r)
	}))
	t.Cleanup(s.Close)
	line := forge.NewWire(strings.TrimPrefix(s.URL, "http://"), nil, time.Now, nil)
	return line.For("test"), s.URL, asked
}

// TestRedirects: what was to be written is never asked instead, and credentials go nowhere else.
func TestRedirects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, to string
		status     int
		want       waybill.Code
		asked      string
	}{
		{"GET", "/new", 301, "", "GET /old, GET /new"},
		{"POST", "/new", 307, "", "POST /old, POST /new"},
		{"POST", "/new", 301, waybill.NotFound, "POST /old"},
		{"POST", "/new", 308, "", "POST /old, POST /new"},
		{"PATCH", "/new", 301, waybill.NotFound, "PATCH /old"},
		{"POST", "/sign-in", 302, waybill.Unavailable, "POST /old"},
		{"PATCH", "/maintenance", 302, waybill.Unavailable, "PATCH /old"},
		{"DELETE", "/sign-in", 303, waybill.Unavailable, "DELETE /old"},
		{"GET", "/old", 301, waybill.Unavailable, "GET /old, GET /old, GET /old, GET /old"},
		{"GET", "http://elsewhere.test/new", 301, waybill.Unavailable, "GET /old"},
		{"GET", "https://HOST/new", 301, waybill.Unavailable, "GET /old"},
	} {
		w, url, asked := wireTo(t, func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/old" {
				http.Redirect(rw, r, strings.Replace(c.to, "HOST", r.Host, 1), c.status)
			}
		})
		req, err := http.NewRequestWithContext(t.Context(), c.method, url+"/old", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := w.Client().Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if err = forge.Fault(t.Context(), w.Host, err); waybill.CodeOf(err) != c.want {
			t.Errorf("%s to %s by %d: %v, want %q", c.method, c.to, c.status, err, c.want)
		}
		if got := strings.Join(*asked, ", "); got != c.asked {
			t.Errorf("%s to %s by %d: asked %s, want %s", c.method, c.to, c.status, got, c.asked)
		}
	}
}

// TestTokens: the token of the moment goes with a request, an empty one does not, and one that cannot be read may come
// back, so that nothing is given up.
func TestTokens(t *testing.T) {
	t.Parallel()
	var sent string
	w, url, asked := wireTo(t, func(_ http.ResponseWriter, r *http.Request) { sent = r.Header.Get("Authorization") })
	say, away := "", error(nil)
	w.Authorize = forge.Token(func(context.Context) (string, error) { return say, away }).Authorize
	ask := func() error {
		resp, err := w.Client().Get(url)
		if err == nil {
			_ = resp.Body.Close()
		}
		return forge.Fault(t.Context(), w.Host, err)
	}
	for text, want := range map[string]string{"": "", "one": "Bearer one", "two": "Bearer two"} {
		if say = text; ask() != nil || sent != want {
			t.Errorf("sent %q, want %q", sent, want)
		}
	}
	away = waybill.Wrap(waybill.Denied, errors.New("open token: no such file"), "the file is away")
	before := len(*asked)
	if err := ask(); !waybill.IsCode(err, waybill.Unauthenticated) || !strings.Contains(err.Error(), "the file is away") || len(*asked) != before {
		t.Errorf("without a token: %v, %d requests", err, len(*asked)-before)
	}
}

// TestArchived: a repository that is locked refuses for good.
func TestArchived(t *testing.T) {
	t.Parallel()
	w, url, _ := wireTo(t, func(rw http.ResponseWriter, _ *http.Request) {
		http.Error(rw, `{"message": "it is archived"}`, http.StatusLocked)
	})
	_, err := w.Client().Get(url) //nolint:bodyclose // there is none
	if err = forge.Fault(t.Context(), w.Host, err); !waybill.IsCode(err, waybill.Denied) || !strings.Contains(err.Error(), "it is archived") {
		t.Errorf("got %v", err)
	}
}

// TestAddresses are read as people write and copy them.
func TestAddresses(t *testing.T) {
	t.Parallel()
	home, err := forge.Home("https://git.example.org/forge/")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"https://git.example.org/forge/acme/shop":      "acme/shop",
		"https://GIT.example.org/forge/acme/shop.git/": "acme/shop",
		"https://git.example.org/forge/acme/shop?x#y":  "acme/shop",
		"ssh://git@git.example.org:2222/acme/shop.git": "acme/shop",
		"git@git.example.org:acme/team/shop.git":       "acme/team/shop",
		"https://git.example.org/acme/shop":            "",
		"https://git.example.org/forgery/acme":         "",
		"https://elsewhere.example.org/forge/a/b":      "",
		"acme/shop":        "",
		"ssh://git@%zz/a":  "",
		"https://[::1/a/b": "",
		"":                 "",
	} {
		got, err := forge.PathOf(home, address)
		if got != want || (want == "") != waybill.IsCode(err, waybill.Invalid) {
			t.Errorf("%s: %q, %v, want %q", address, got, err, want)
		}
	}
	for _, odd := range []string{"", "git.example.org", "ftp://git.example.org", "https://", "https://%zz"} {
		if home, err := forge.Home(odd); !waybill.IsCode(err, waybill.Invalid) {
			t.Errorf("%q is a home: %v, %v", odd, home, err)
		}
	}
}

// TestNothing: an answer that lists null, or is null where something was made, does not come to a client, which would
// not look.
func TestNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, said string
		want         waybill.Code
	}{
		{"GET", "[null]", waybill.Unavailable},
		{"GET", ` [{"a": 1}, null ]`, waybill.Unavailable},
		{"POST", "[null]", waybill.Unavailable},
		{"POST", " null\n", waybill.Unavailable},
		{"PATCH", "null", waybill.Unavailable},
		{"PUT", "null", waybill.Unavailable},
		{"GET", "null", ""},
		{"DELETE", "null", ""},
		{"GET", "", ""},
		{"POST", "", ""},
		{"POST", "{}", ""},
		{"GET", "[]", ""},
		{"GET", `{"a": null}`, ""},
		{"GET", "[[null]]", ""},
		{"POST", "nullable", ""},
		{"GET", "[null", ""},
		{"GET", `["null"]`, ""},
	} {
		w, url, _ := wireTo(t, func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(c.said)) })
		req, err := http.NewRequestWithContext(t.Context(), c.method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := w.Client().Do(req)
		if err == nil {
			got, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if string(got) != c.said || resp.ContentLength != int64(len(c.said)) {
				t.Errorf("%q came as %q", c.said, got)
			}
		}
		if err = forge.Fault(t.Context(), w.Host, err); waybill.CodeOf(err) != c.want {
			t.Errorf("%s, %q: %v, want %q", c.method, c.said, err, c.want)
		}
	}
}

// answers is a forge that needs no network.
type answers func(req *http.Request) *http.Response

func (a answers) RoundTrip(req *http.Request) (*http.Response, error) { return a(req), nil }

// watched is a body that knows whether it was closed.
type watched struct {
	io.Reader
	closed bool
}

func (w *watched) Close() error { w.closed = true; return nil }

// TestBodiesAreClosed: whatever is answered, its connection is free again.
func TestBodiesAreClosed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		said   io.Reader
	}{
		{200, strings.NewReader("{}")},
		{200, strings.NewReader("[null]")},
		{200, iotest.ErrReader(errors.New("reset"))},
		{404, strings.NewReader("{}")},
		{429, strings.NewReader("")},
	} {
		body := &watched{Reader: c.said}
		w := forge.Wire{Host: "forge.test", Now: time.Now, Base: answers(func(*http.Request) *http.Response {
			return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: body}
		})}
		if resp, err := w.Client().Get("http://forge.test/"); err == nil {
			_ = resp.Body.Close()
		}
		if !body.closed {
			t.Errorf("%d: the body is open", c.status)
		}
	}
}

// TestHeadersTakeRoom: what is remembered stays within its budget when it is all headers.
func TestHeadersTakeRoom(t *testing.T) {
	t.Parallel()
	again, long := 0, strings.Repeat("x", 60<<10)
	w := forge.Wire{Host: "forge.test", Now: time.Now, Cache: forge.NewCache(), Base: answers(func(req *http.Request) *http.Response {
		if req.Header.Get("If-None-Match") != "" {
			again++
		}
		return &http.Response{StatusCode: 200, Header: http.Header{"Etag": {`"1"`}, "X-Long": {long}}, Body: http.NoBody}
	})}
	ask := func(path int) {
		t.Helper()
		resp, err := w.Client().Get("http://forge.test/" + strconv.Itoa(path))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	ask(0)
	ask(0)
	if again != 1 {
		t.Fatalf("%d of 2 requests ask for what changed, want 1", again)
	}
	for path := range 600 { // 35 MiB
		ask(path + 1)
	}
	if ask(0); again != 1 {
		t.Error("what was answered first is remembered still")
	}
}
