package auth_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newKeeper(t *testing.T) (*auth.Keeper, *store.DB, *clock) {
	t.Helper()
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	db, err := store.Open(t.Context(), store.Options{
		URL: filepath.Join(t.TempDir(), "waybill.db"), Log: slog.New(slog.DiscardHandler), Now: c.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return auth.New(db, c.Now), db, c
}

func ada() waybill.Actor { return waybill.Actor{Name: "ada", Channel: waybill.ChannelAPI} }

func wantCode(t *testing.T, err error, want waybill.Code) {
	t.Helper()
	if got := waybill.CodeOf(err); got != want {
		t.Errorf("error %v has code %q, want %q", err, got, want)
	}
}

func TestAllowIsCompleteOverScopesAndActions(t *testing.T) {
	t.Parallel()
	for _, scope := range []auth.Scope{"", "link", "session", "nonsense", auth.ScopeRead, auth.ScopeAdmin} {
		for _, action := range []auth.Action{auth.Read, auth.Act, auth.Manage} {
			want := waybill.Code("")
			switch {
			case scope != auth.ScopeRead && scope != auth.ScopeAdmin:
				want = waybill.Unauthenticated
			case scope == auth.ScopeRead && action != auth.Read:
				want = waybill.Denied
			}
			if got := waybill.CodeOf(auth.Allow(auth.Principal{Scope: scope}, action)); got != want {
				t.Errorf("%q doing %q: %q, want %q", scope, action, got, want)
			}
		}
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	k, db, c := newKeeper(t)
	tok, secret, err := k.Issue(t.Context(), "ci", auth.ScopeRead, time.Hour, ada())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(secret.Reveal(), "wb_") || len(secret.Reveal()) < 40 {
		t.Errorf("secret %q is not wb_ and 256 bits", secret.Reveal())
	}
	p, err := k.Bearer(t.Context(), secret)
	if err != nil || p.Name != "ci" || p.Scope != auth.ScopeRead || p.Channel != waybill.ChannelAPI || p.Token != tok.ID {
		t.Errorf("Bearer = %+v, %v", p, err)
	}
	list, err := k.Tokens(t.Context())
	if err != nil || len(list) != 1 || list[0].ID != tok.ID || !list[0].Used.Equal(c.Now()) {
		t.Errorf("Tokens = %+v, %v", list, err)
	}
	rows, err := store.Tokens(t.Context(), db.Query())
	if err != nil || len(rows) != 1 || strings.Contains(rows[0].Hash, secret.Reveal()) || len(rows[0].Hash) != 64 {
		t.Errorf("stored %+v, %v: want a hash only", rows, err)
	}
	c.pass(time.Hour)
	_, err = k.Bearer(t.Context(), secret)
	wantCode(t, err, waybill.Unauthenticated)
	if n, err := k.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v, want 1", n, err)
	}
}

func TestTokenIsRefused(t *testing.T) {
	t.Parallel()
	k, _, _ := newKeeper(t)
	tok, secret, err := k.Issue(t.Context(), "ci", auth.ScopeAdmin, 0, ada())
	if err != nil {
		t.Fatal(err)
	}
	link, _, err := k.Link(t.Context(), ada())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []auth.Secret{"", "wb_", "wb_x", link, auth.Secret(strings.TrimPrefix(secret.Reveal(), "wb_")), secret + "x"} {
		_, err := k.Bearer(t.Context(), s)
		wantCode(t, err, waybill.Unauthenticated)
	}
	if err := k.Revoke(t.Context(), tok.ID, ada()); err != nil {
		t.Fatal(err)
	}
	_, err = k.Bearer(t.Context(), secret)
	wantCode(t, err, waybill.Unauthenticated)
	wantCode(t, k.Revoke(t.Context(), tok.ID, ada()), waybill.NotFound)
	for _, bad := range []struct {
		name  string
		scope auth.Scope
		life  time.Duration
	}{{"x", "session", 0}, {"", auth.ScopeRead, 0}, {strings.Repeat("x", 101), auth.ScopeRead, 0}, {"x", auth.ScopeRead, -1}} {
		_, _, err := k.Issue(t.Context(), bad.name, bad.scope, bad.life, ada())
		wantCode(t, err, waybill.Invalid)
	}
}

func TestSignInLinkWorksOnce(t *testing.T) {
	t.Parallel()
	k, db, c := newKeeper(t)
	link, ends, err := k.Link(t.Context(), ada())
	if err != nil || !ends.Equal(c.Now().Add(15*time.Minute)) {
		t.Fatalf("Link ends %s, %v", ends, err)
	}
	const tries = 8
	sessions, errs := make([]auth.Secret, tries), make([]error, tries)
	var wg sync.WaitGroup
	for i := range tries {
		wg.Go(func() { sessions[i], _, errs[i] = k.SignIn(t.Context(), link) })
	}
	wg.Wait()
	var session auth.Secret
	won := 0
	for i, err := range errs {
		if err == nil {
			won++
			session = sessions[i]
			continue
		}
		wantCode(t, err, waybill.Unauthenticated)
	}
	if won != 1 {
		t.Fatalf("%d of %d exchanges of one link succeeded, want 1", won, tries)
	}
	p, err := k.Session(t.Context(), session)
	if err != nil || p.Scope != auth.ScopeAdmin || p.Channel != waybill.ChannelPortal || p.Name != "ada" {
		t.Errorf("Session = %+v, %v", p, err)
	}
	_, err = k.Bearer(t.Context(), session)
	wantCode(t, err, waybill.Unauthenticated)
	entries, err := store.History(t.Context(), db.Query(), store.HistoryFilter{SubjectPrefix: "token:"})
	if err != nil || len(entries) != 2 || entries[0].Action != "session.open" {
		t.Errorf("history = %+v, %v", entries, err)
	}
	if list, err := k.Tokens(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("Tokens = %+v, %v: sessions and links are none", list, err)
	}
}

func TestSignInLinkExpires(t *testing.T) {
	t.Parallel()
	k, _, c := newKeeper(t)
	link, _, err := k.Link(t.Context(), ada())
	if err != nil {
		t.Fatal(err)
	}
	c.pass(15 * time.Minute)
	_, _, err = k.SignIn(t.Context(), link)
	wantCode(t, err, waybill.Unauthenticated)
}

func TestRequest(t *testing.T) {
	t.Parallel()
	k, _, c := newKeeper(t)
	_, token, err := k.Issue(t.Context(), "ci", auth.ScopeRead, 0, ada())
	if err != nil {
		t.Fatal(err)
	}
	link, _, err := k.Link(t.Context(), ada())
	if err != nil {
		t.Fatal(err)
	}
	session, ends, err := k.SignIn(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	request := func(header string, cookie *http.Cookie) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		if cookie != nil {
			r.AddCookie(cookie)
		}
		return r
	}
	cookie := auth.Cookie(session, ends, false)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %s is not HttpOnly and SameSite=Lax", cookie)
	}
	for name, tt := range map[string]struct {
		r     *http.Request
		scope auth.Scope
		code  waybill.Code
	}{
		"nobody":        {r: request("", nil)},
		"token":         {r: request("Bearer "+token.Reveal(), nil), scope: auth.ScopeRead},
		"lower case":    {r: request("bearer "+token.Reveal(), nil), scope: auth.ScopeRead},
		"wrong token":   {r: request("Bearer wb_x", nil), code: waybill.Unauthenticated},
		"basic":         {r: request("Basic eDp5", nil), code: waybill.Unauthenticated},
		"session":       {r: request("", cookie), scope: auth.ScopeAdmin},
		"wrong session": {r: request("", auth.Cookie("wbs_x", ends, false))},
		"token first":   {r: request("Bearer "+token.Reveal(), cookie), scope: auth.ScopeRead},
	} {
		p, err := k.Request(tt.r)
		if p.Scope != tt.scope || waybill.CodeOf(err) != tt.code {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	c.pass(7 * 24 * time.Hour)
	if p, err := k.Request(request("", cookie)); p.Known() || err != nil {
		t.Errorf("an old session is %+v, %v", p, err)
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, nil))
	log.InfoContext(t.Context(), "issued", "token", auth.Secret("wb_geheim"))
	if strings.Contains(out.String(), "geheim") {
		t.Errorf("log shows the secret: %s", out.String())
	}
}

func TestLocalToken(t *testing.T) {
	t.Parallel()
	k, _, _ := newKeeper(t)
	file := filepath.Join(t.TempDir(), "state", "waybill", "token")
	read := func() string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	if err := k.LocalToken(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	first := read()
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	if err := k.LocalToken(t.Context(), file); err != nil || read() != first {
		t.Errorf("a good token was replaced (%v)", err)
	}
	if p, err := k.Bearer(t.Context(), auth.Secret(first)); err != nil || p.Scope != auth.ScopeAdmin {
		t.Errorf("local token is %+v, %v", p, err)
	}
	if err := os.WriteFile(file, []byte("wb_of-another-store\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := k.LocalToken(t.Context(), file); err != nil || read() == "wb_of-another-store" {
		t.Errorf("a token of another store was kept (%v)", err)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	if p := auth.From(t.Context()); p.Known() {
		t.Errorf("nobody said who asks, and From returns %+v", p)
	}
	want := auth.Principal{Name: "ada", Scope: auth.ScopeRead, Channel: waybill.ChannelAPI}
	ctx := auth.With(t.Context(), want)
	if got := auth.From(ctx); got != want || got.Actor() != ada() {
		t.Errorf("From = %+v, want %+v", got, want)
	}
}

func TestFullDiskLocksNobodyOut(t *testing.T) {
	t.Parallel()
	full := false
	db, err := store.Open(t.Context(), store.Options{
		URL: filepath.Join(t.TempDir(), "waybill.db"),
		Commit: func(_ []string, run func() error) error {
			if full {
				return waybill.Errorf(waybill.Unavailable, "the disk of the database is full")
			}
			return run()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	k := auth.New(db, time.Now)
	_, secret, err := k.Issue(t.Context(), "laptop", auth.ScopeRead, 0, ada())
	if err != nil {
		t.Fatal(err)
	}
	full = true
	if p, err := k.Bearer(t.Context(), secret); err != nil || p.Name != "laptop" {
		t.Errorf("%+v, %v", p, err)
	}
}
