package inbox

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

const (
	secret  = "correct horse battery staple"
	mainRef = "refs/heads/main"
	commitA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	commitB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	zero    = "0000000000000000000000000000000000000000"
)

// post is an inbox on a real store with one watched repository, behind a real mux.
type post struct {
	*Inbox
	t       *testing.T
	mux     *http.ServeMux
	counted []string
	tips    map[string]string
	looked  int
	broken  bool // nothing can be stored
}

func newPost(t *testing.T) *post {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	p := &post{t: t, mux: http.NewServeMux(), tips: map[string]string{}}
	db, err := store.Open(t.Context(), store.Options{
		URL: filepath.Join(t.TempDir(), "waybill.db"), Log: log, Now: time.Now, Commit: func(_ []string, run func() error) error {
			if p.broken {
				return waybill.Errorf(waybill.Unavailable, "the disk is full")
			}
			return run()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	p.Inbox = New(Options{DB: db, Now: time.Now, Log: log, PublicURL: "http://waybill.test", Observer: Observer{
		Request:  func(forge, event string, code int, _ time.Duration) { p.count(forge, event, code) },
		Delivery: func(forge, result string) { p.count(forge, result) },
		Missed:   func(forge string) { p.count(forge, "missed") },
	}})
	p.Mount(p.mux, func(w http.ResponseWriter, _ *http.Request, err error) {
		codes := map[waybill.Code]int{waybill.Unauthenticated: 401, waybill.TooLarge: 413, waybill.Invalid: 422, waybill.NotFound: 404, waybill.Unavailable: 503}
		w.WriteHeader(codes[waybill.CodeOf(err)])
	})
	r := waybill.Repository{
		ID: "R", Name: "shop-feed", URL: "/srv/a.git", Forge: "plain", Owner: "feeds", Hook: "hook", HookSecret: secret,
		DefaultBranch: "main",
	}
	err = db.Write(t.Context(), "test", func(tx *store.Tx) error { return gitstore.AddRepository(t.Context(), tx, r) })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *post) count(words ...any) {
	p.counted = append(p.counted, strings.TrimSpace(fmt.Sprintln(words...)))
}

// push sends a hook request that was signed with key.
func (p *post) push(address, key, delivery string, refs ...waybill.RefUpdate) *httptest.ResponseRecorder {
	p.t.Helper()
	h, body, err := webhooks.SignPlain(waybill.Event{Kind: "push", Key: delivery, Refs: refs}, webhooks.Secret(key), time.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	return p.send(address, h, body)
}

func (p *post) send(address string, h http.Header, body []byte) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(p.t.Context(), http.MethodPost, address, bytes.NewReader(body))
	req.Header = h
	rec := httptest.NewRecorder()
	p.mux.ServeHTTP(rec, req)
	return rec
}

// dirty reports whether a worker is to look at a ref.
func (p *post) dirty(ref string) bool {
	p.t.Helper()
	pending, err := queue.Pending(p.t.Context(), p.DB.Query(), refWork, "R "+ref)
	if err != nil {
		p.t.Fatal(err)
	}
	return pending
}

func TestDeliveryIsStoredOnce(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	moved := waybill.RefUpdate{Name: mainRef, Old: zero, New: commitA}
	first := p.push("/hooks/plain/hook", secret, "key-1", moved)
	second := p.push("/hooks/plain/hook", secret, "key-1", moved)
	if first.Code != http.StatusAccepted || second.Code != http.StatusOK || first.Body.String() != second.Body.String() {
		t.Errorf("%d %s, then %d %s", first.Code, first.Body, second.Code, second.Body)
	}
	if !p.dirty(mainRef) {
		t.Error("the ref is not marked dirty")
	}
	want := []string{"plain stored", "plain push 202", "plain duplicate", "plain push 200"}
	if diff := cmp.Diff(want, p.counted); diff != "" {
		t.Error(diff)
	}
}

func TestForgedRequestsStoreNothing(t *testing.T) {
	t.Parallel()
	moved := waybill.RefUpdate{Name: mainRef, Old: zero, New: commitA}
	for name, attack := range map[string]struct {
		send func(p *post) *httptest.ResponseRecorder
		want int
	}{
		"another secret": {func(p *post) *httptest.ResponseRecorder { return p.push("/hooks/plain/hook", "guess", "k", moved) }, 401},
		"unknown hook":   {func(p *post) *httptest.ResponseRecorder { return p.push("/hooks/plain/nobody", secret, "k", moved) }, 401},
		"another forge":  {func(p *post) *httptest.ResponseRecorder { return p.push("/hooks/github/hook", secret, "k", moved) }, 401},
		"unsigned": {func(p *post) *httptest.ResponseRecorder {
			return p.send("/hooks/plain/hook", http.Header{}, []byte(`{}`))
		}, 401},
		"larger than all": {func(p *post) *httptest.ResponseRecorder {
			return p.send("/hooks/plain/hook", http.Header{}, make([]byte, webhooks.MaxPlain+1))
		}, 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPost(t)
			if rec := attack.send(p); rec.Code != attack.want {
				t.Errorf("answered %d, want %d", rec.Code, attack.want)
			}
			if p.dirty(mainRef) {
				t.Error("a worker was sent out")
			}
		})
	}
}

// repository returns the watched repository as it is stored.
func (p *post) repository() waybill.Repository {
	p.t.Helper()
	r, err := gitstore.Repository(p.t.Context(), p.DB.Query(), "R")
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// poll looks at the watched repository.
func (p *post) poll(poller *Poller) {
	p.t.Helper()
	if err := poller.poll(p.t.Context(), p.repository()); err != nil {
		p.t.Fatal(err)
	}
}

// Tips lets the post be asked by its own poller.
func (p *post) Tips(context.Context, waybill.Repository) (map[string]string, string, error) {
	p.looked++
	return p.tips, "main", nil
}

func TestPollerFindsWhatMoved(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	observe := func(ref, tip string) {
		err := p.DB.Write(t.Context(), "test", func(tx *store.Tx) error {
			return gitstore.PutRef(t.Context(), tx, waybill.Ref{Repository: "R", Name: ref, Tip: tip})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	observe(mainRef, commitA)
	observe("refs/heads/gone", commitA)
	observe("refs/heads/long-gone", "")
	observe("refs/heads/moved", commitA)
	p.tips = map[string]string{mainRef: commitA, "refs/heads/moved": commitB, "refs/tags/v1.0.0": commitA}
	now := time.Now()
	p.Now = func() time.Time { return now }
	poller := &Poller{Inbox: p.Inbox, Lister: p, Timeout: time.Minute}
	for range 2 { // what is dirty already is not counted again
		p.poll(poller)
	}
	if missed, err := poller.missed(t.Context()); err != nil || len(missed) > 0 {
		t.Fatalf("missed before a hook could have told: %v, %v", missed, err)
	}
	if _, _, err := p.accept(t.Context(), sender{forge: plain, kind: plain, hook: "hook"}, p.repository(), waybill.Event{Kind: waybill.EventPush, Key: "late", Refs: []waybill.RefUpdate{
		{Name: "refs/heads/moved", Old: commitA, New: commitB},
	}}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(hookPatience)
	missed, err := poller.missed(t.Context())
	if err != nil || len(missed) != 1 || missed[0].ID != "R" || p.repository().Hooked() {
		t.Errorf("missed %v, %v; hooked: %v", missed, err, p.repository().Hooked())
	}
	for ref, want := range map[string]bool{
		mainRef: false, "refs/heads/gone": true, "refs/heads/long-gone": false, "refs/heads/moved": true, "refs/tags/v1.0.0": true,
	} {
		if got := p.dirty(ref); got != want {
			t.Errorf("%s dirty: %v, want %v", ref, got, want)
		}
	}
	if len(p.counted) != 2 || p.looked != 2 { // the hook of refs/heads/moved came late
		t.Errorf("looked %d times, missed: %v", p.looked, p.counted)
	}
}

// TestPollerLeavesAloneWhatCannotBeDone: a tag that names no commit is discarded at every try.
func TestPollerLeavesAloneWhatCannotBeDone(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	poller := &Poller{Inbox: p.Inbox, Lister: p, Timeout: time.Minute}
	const tag = "refs/tags/picture"
	for _, look := range []struct {
		tip   string
		dirty bool
	}{{commitA, true}, {commitA, false}, {commitB, true}} {
		p.tips = map[string]string{tag: look.tip}
		p.poll(poller)
		if got := p.dirty(tag); got != look.dirty {
			t.Errorf("at %.7s dirty: %v, want %v", look.tip, got, look.dirty)
		}
		err := p.DB.Write(t.Context(), "test", func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE work SET done = wanted, discarded = 1`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestNormalise(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in   waybill.Repository
		want string // of the error; empty: fine
	}{
		{waybill.Repository{URL: "https://git.example.org/feeds/Shop-Feed.git", Owner: "feeds"}, ""},
		{waybill.Repository{URL: "https://git.example.org/x.git"}, "needs an owner"},
		{waybill.Repository{URL: "https://git.example.org/x.git", Owner: "No Team"}, "no team name"},
		{waybill.Repository{URL: "https://ada:secret@git.example.org/x.git", Owner: "feeds"}, "must not hold a password"},
		{waybill.Repository{URL: "https://ghp_token@git.example.org/x.git", Owner: "feeds"}, "must not hold a password or token"},
		{waybill.Repository{URL: "ssh://git@git.example.org/feeds/shop-feed.git", Owner: "feeds"}, ""},
		{waybill.Repository{URL: "file:///etc", Owner: "feeds"}, "must be an absolute path"},
		{waybill.Repository{URL: "relative/path", Owner: "feeds"}, "must be an absolute path"},
		{waybill.Repository{URL: "/nowhere/at/all.git", Owner: "feeds"}, "there is no folder"},
		{waybill.Repository{URL: t.TempDir(), Owner: "feeds"}, "no bare Git repository"},
	} {
		err := normalise(&test.in)
		if test.want == "" && (err != nil || test.in.Name != "shop-feed") {
			t.Errorf("%s: name %q, %v", test.in.URL, test.in.Name, err)
		}
		if test.want != "" && (!waybill.IsCode(err, waybill.Invalid) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.in.URL, err, test.want)
		}
	}
}
