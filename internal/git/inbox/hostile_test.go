package inbox

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
)

// attack is a request as bytes on the wire, and what must come of it.
type attack struct {
	name    string
	request func(head http.Header, body []byte) (http.Header, []byte, int) // length is what Content-Length claims; -1 is chunked
	want    int
	counted string // what the observer hears, beside the request itself
}

func attacks(limit int) []attack {
	return []attack{
		{"unsigned", func(h http.Header, b []byte) (http.Header, []byte, int) {
			return without(h, "X-Hub-Signature-256", "X-Gitea-Signature", "X-Gitlab-Token"), b, len(b)
		}, 401, "refused"},
		{"without headers", func(_ http.Header, b []byte) (http.Header, []byte, int) { return http.Header{}, b, len(b) }, 401, "refused"},
		{"without a body", func(h http.Header, _ []byte) (http.Header, []byte, int) { return h, nil, 0 }, 401, "refused"},
		{"garbage", func(h http.Header, _ []byte) (http.Header, []byte, int) { return h, []byte("\x00{[\xff"), 4 }, 401, "refused"},
		{"changed on the way", func(h http.Header, b []byte) (http.Header, []byte, int) {
			b = []byte(strings.Replace(string(b), "refs/heads/main", "refs/heads/evil", 1))
			return h, b, len(b)
		}, 401, "refused"},
		{"truncated", func(h http.Header, b []byte) (http.Header, []byte, int) { return h, b[:len(b)/2], len(b) }, 400, "refused"},
		{"truncated, and says so", func(h http.Header, b []byte) (http.Header, []byte, int) {
			return h, b[:len(b)/2], len(b) / 2
		}, 401, "refused"},
		{"truncated chunks", func(h http.Header, b []byte) (http.Header, []byte, int) { return h, b[:len(b)/2], -2 }, 400, "refused"},
		{"claims to be oversized", func(h http.Header, _ []byte) (http.Header, []byte, int) { return h, nil, limit + 1 }, 413, "refused"},
		{"oversized without saying so", func(h http.Header, _ []byte) (http.Header, []byte, int) {
			return h, make([]byte, limit+1), -1
		}, 413, "refused"},
	}
}

func without(h http.Header, names ...string) http.Header {
	h = h.Clone()
	for _, name := range names {
		h.Del(name)
	}
	return h
}

// TestHostileHooks sends attacks to a real server and looks at the database afterwards.
func TestHostileHooks(t *testing.T) {
	t.Parallel()
	p := newForgePost(t)
	heard := p.listen()
	address := p.serve()
	for _, target := range []struct {
		hook
		limit int
	}{
		{hook{address: "hub/at-hub", key: "d", fixture: "github/push.json"}, 25 << 20},
		{hook{address: "hub/app", key: "d", fixture: "github/push.json", secret: appSecret}, 25 << 20},
		{hook{address: "tea/at-tea", key: "d", fixture: "gitea/push.json"}, 10 << 20},
		{hook{address: "lab/at-lab", key: "d", fixture: "gitlab/push.json"}, 10 << 20},
	} {
		p.clear()
		heard()
		header, body := target.request(t)
		for _, a := range attacks(target.limit) {
			if strings.HasPrefix(target.address, "lab") && a.want == 401 && header.Get("X-Gitlab-Token") != "" && a.name != "unsigned" && a.name != "without headers" {
				continue // a token signs no body
			}
			h, b, length := a.request(header, body)
			if code := raw(t, address, target.address, h, b, length); code != a.want {
				t.Errorf("%s, %s: %d, want %d", target.address, a.name, code, a.want)
			}
			forge := target.address[:3]
			if diff := cmp.Diff([]string{forge + " " + a.counted, fmt.Sprint(forge, " unknown ", a.want)}, heard()); diff != "" {
				t.Errorf("%s, %s: %s", target.address, a.name, diff)
			}
		}
		for _, wrong := range []hook{
			{address: target.address, key: "d", fixture: target.fixture, secret: "guess"},
			{address: "hub/nobody", key: "d", fixture: target.fixture},
			{address: "elsewhere/at-hub", key: "d", fixture: target.fixture},
			{address: "plain/at-hub", key: "d", fixture: target.fixture},
			{address: "tea/app", key: "d", fixture: target.fixture, secret: appSecret},
		} {
			h, b := wrong.request(t)
			if code := raw(t, address, wrong.address, h, b, len(b)); code != 401 {
				t.Errorf("%s with %s: %d", wrong.address, wrong.fixture, code)
			}
		}
		if rows := p.rows(); len(rows) > 0 {
			t.Errorf("%s: stored %v", target.address, rows)
		}
		heard()
		// The same request unharmed, and then replayed.
		for i, want := range []int{202, 200, 200} {
			if code := raw(t, address, target.address, header, body, len(body)); code != want {
				t.Errorf("%s, number %d: %d, want %d", target.address, i, code, want)
			}
		}
		forge := target.address[:3]
		want := []string{forge + " stored", forge + " push 202", forge + " duplicate", forge + " push 200", forge + " duplicate", forge + " push 200"}
		if diff := cmp.Diff(want, heard()); diff != "" || len(p.rows()) != 2 {
			t.Errorf("%s: %v\n%s", target.address, p.rows(), diff)
		}
	}
}

// TestHookOfAnotherRepository: who knows the secret of one repository's hook cannot speak of another.
func TestHookOfAnotherRepository(t *testing.T) {
	t.Parallel()
	p := newForgePost(t)
	heard := p.listen()
	for _, h := range []hook{
		{address: "hub/at-hub", key: "d", fixture: "github/push.json", with: map[string]string{"4711": "4712"}},
		{address: "hub/at-hub", key: "d", fixture: "github/issue_comment.json", with: map[string]string{"4711": "4712"}},
		{address: "tea/at-tea", key: "d", fixture: "gitea/push.json", with: map[string]string{`"id": 21`: `"id": 22`}},
		{address: "lab/at-lab", key: "d", fixture: "gitlab/push.json", with: map[string]string{`"id": 15`: `"id": 16`}},
	} {
		if rec := p.tell(h); rec.Code != 401 || len(p.rows()) > 0 {
			t.Errorf("%s: %d, stored %v", h.fixture, rec.Code, p.rows())
		}
		if got := heard(); len(got) != 2 || got[0] != h.address[:3]+" refused" {
			t.Errorf("%s: counted %v", h.fixture, got)
		}
	}
}

// TestRotation: while the forge learns a new secret the old one is good too, and when its time is over it is not.
func TestRotation(t *testing.T) {
	t.Parallel()
	p := newForgePost(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p.Now = func() time.Time { return now }
	set := func(secret string, ends time.Time) {
		p.write(func(tx *store.Tx) error { return gitstore.SetHookSecret(t.Context(), tx, "H", secret, ends) })
	}
	n := 0
	try := func(key string) int {
		n++
		return p.tell(hook{address: "hub/at-hub", key: fmt.Sprint(n), fixture: "github/push.json", secret: key}).Code
	}
	set("first", time.Time{})
	for _, step := range []struct {
		name          string
		change        func()
		first, second int
	}{
		{"before", func() {}, 202, 401},
		{"during", func() { set("second", now.Add(time.Hour)) }, 202, 202},
		{"at the end of its time", func() { now = now.Add(time.Hour) }, 401, 202},
		{"ended by hand", func() { set("second", time.Time{}) }, 401, 202},
	} {
		step.change()
		if a, b := try("first"), try("second"); a != step.first || b != step.second {
			t.Errorf("%s: the first is answered %d, the second %d", step.name, a, b)
		}
	}
}

// TestOwnerIsRememberedForAMoment: a burst of hooks asks the store once. What was taken back ends within a second, and what
// is new is good at once.
func TestOwnerIsRememberedForAMoment(t *testing.T) {
	t.Parallel()
	p := newForgePost(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p.Now = func() time.Time { return now }
	n := 0
	try := func(name, key string, want int) {
		t.Helper()
		n++
		if got := p.tell(hook{address: "tea/at-tea", key: fmt.Sprint(n), fixture: "gitea/push.json", secret: key}).Code; got != want {
			t.Errorf("%s: answered %d, want %d", name, got, want)
		}
	}
	replace := func(secret string) {
		p.write(func(tx *store.Tx) error { return gitstore.SetHookSecret(t.Context(), tx, "T", secret, time.Time{}) })
	}
	replace("first")
	try("to begin with", "first", 202)
	try("when it was noted that the hook works", "first", 202)
	replace("second")
	now = now.Add(900 * time.Millisecond)
	try("remembered", "first", 202)
	try("new", "second", 202)
	try("asked again meanwhile", "first", 401)
	replace("third")
	now = now.Add(time.Second)
	try("after a second", "second", 401)
	p.write(func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `DELETE FROM repositories WHERE id = 'T'`)
		return err
	})
	now = now.Add(time.Second)
	try("not watched any more", "third", 401)
}

// TestStoreIsAway: a delivery that cannot be stored is not acknowledged.
func TestStoreIsAway(t *testing.T) {
	t.Parallel()
	p := newForgePost(t)
	h := hook{address: "hub/at-hub", key: "d", fixture: "github/push.json"}
	for _, step := range []struct {
		broken bool
		want   int
	}{{true, 503}, {true, 503}, {false, 202}} {
		p.broken = step.broken
		if rec := p.tell(h); rec.Code != step.want || len(p.rows()) > 0 == step.broken {
			t.Errorf("answered %d, stored %v", rec.Code, p.rows())
		}
	}
}

// TestPruneIsForOldDeliveries is the retention of what arrived.
func TestPruneIsForOldDeliveries(t *testing.T) {
	t.Parallel()
	p := newForgePost(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p.Now = func() time.Time { now = now.Add(time.Hour); return now }
	for _, h := range []hook{
		{address: "hub/at-hub", key: "1", fixture: "github/issue_comment.json"}, // its command waits
		{address: "hub/at-hub", key: "2", fixture: "github/push.json"},
		{address: "hub/at-hub", key: "3", fixture: "github/push.json"},
		{address: "hub/at-hub", key: "4", fixture: "github/push.json"},
		{address: "tea/at-tea", key: "5", fixture: "gitea/push.json"},
		{address: "hub/at-hub", key: "6", fixture: "github/push.json"},
	} {
		if rec := p.tell(h); rec.Code != 202 {
			t.Fatal(rec.Code)
		}
	}
	var removed int64
	p.write(func(tx *store.Tx) (err error) {
		removed, err = gitstore.PruneDeliveries(t.Context(), tx, now, 2)
		return err
	})
	want := []string{"delivery H hub at-hub 1", "delivery H hub at-hub 4", "delivery H hub at-hub 6", "delivery T tea at-tea 5"}
	var got []string
	for _, row := range p.rows() {
		if strings.HasPrefix(row, "delivery") {
			got = append(got, row)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || removed != 2 {
		t.Errorf("removed %d\n%s", removed, diff)
	}
}

// TestSignaturesAreComparedInConstantTime reads the source: every comparison with what was sent goes through hmac.Equal.
func TestSignaturesAreComparedInConstantTime(t *testing.T) {
	t.Parallel()
	equal := 0
	for _, file := range []string{"signature", "github", "gitea", "gitlab", "plain", "hub", "event"} {
		source, err := os.ReadFile("../../../webhooks/" + file + ".go")
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(source), "\n") {
			equal += strings.Count(line, "hmac.Equal(")
			for _, bad := range []string{"bytes.Equal", "strings.EqualFold", "bytes.Compare", "reflect.DeepEqual", "sum ==", "== sum", "digits ==", "token ==", "== token", "mac(message) ==", "given =="} {
				if strings.Contains(line, bad) {
					t.Errorf("%s.go:%d: %s", file, n+1, strings.TrimSpace(line))
				}
			}
		}
	}
	if equal != 2 {
		t.Errorf("%d comparisons, want one for signatures and one for tokens", equal)
	}
}

// listen returns what is counted from now on, and forgets it when it was read.
func (p *post) listen() func() []string {
	var mu sync.Mutex
	var heard []string
	hear := func(words ...any) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, strings.TrimSpace(fmt.Sprintln(words...)))
	}
	p.Observer = Observer{
		Request:  func(forge, event string, code int, _ time.Duration) { hear(forge, event, code) },
		Delivery: func(forge, result string) { hear(forge, result) },
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		got := heard
		heard = nil
		return got
	}
}

// serve starts a real server and returns its address. It answers a request before it counts it, so each connection is
// closed from here, which waits for the handler.
func (p *post) serve() string {
	server := httptest.NewServer(p.mux)
	p.t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// raw sends a request byte by byte, with the length that is claimed (-1: chunked, -2: chunked and cut off), and returns
// the code of the answer once the server has closed the connection.
func raw(t *testing.T, server, address string, h http.Header, body []byte, length int) int {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	var head strings.Builder
	fmt.Fprintf(&head, "POST /hooks/%s HTTP/1.1\r\nHost: waybill.test\r\nConnection: close\r\n", address)
	_ = h.Write(&head)
	if length >= 0 {
		fmt.Fprintf(&head, "Content-Length: %d\r\n\r\n", length)
	} else {
		fmt.Fprintf(&head, "Transfer-Encoding: chunked\r\n\r\n%x\r\n", len(body))
	}
	tail := ""
	if length == -1 {
		tail = "\r\n0\r\n\r\n"
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.Copy(conn, io.MultiReader(strings.NewReader(head.String()), strings.NewReader(string(body)), strings.NewReader(tail)))
		if length == -2 || length > len(body) && length < 1<<20 {
			_ = conn.(*net.TCPConn).CloseWrite() //nolint:forcetypeassert // It was dialled as TCP.
		}
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	_ = conn.Close()
	<-sent
	return resp.StatusCode
}
