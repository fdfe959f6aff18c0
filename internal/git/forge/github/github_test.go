package github

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/git/forge/forgetest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestHowLongToWait: a limit is waited for as long as GitHub says, a minute where it does not say.
func TestHowLongToWait(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	unix := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	for _, c := range []struct {
		what    string
		headers []string
		want    time.Duration
	}{
		{"seconds", []string{"Retry-After", "17"}, 17 * time.Second},
		{"a date", []string{"Retry-After", now.Add(90 * time.Second).UTC().Format(http.TimeFormat)}, 90 * time.Second},
		{"the reset", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(time.Hour)}, time.Hour},
		{"both: seconds", []string{"Retry-After", "5", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", unix(time.Hour)}, 5 * time.Second},
		{"a reset without an end of the budget", []string{"X-RateLimit-Remaining", "4000", "X-RateLimit-Reset", unix(time.Hour)}, time.Minute},
		{"nothing", nil, time.Minute},
		{"the past", []string{"Retry-After", now.Add(-time.Hour).UTC().Format(http.TimeFormat)}, time.Second},
		{"for ever", []string{"Retry-After", "99999999999"}, 2 * time.Hour},
		{"nonsense", []string{"Retry-After", "soon"}, time.Minute},
	} {
		w := newWorld(t)
		w.tricks.Add(1, statuses, forgetest.Answer(403, "You have exceeded a secondary rate limit", c.headers...))
		f := w.forge(goodToken)
		f.wire.Now = func() time.Time { return now }
		m := forge.Message{Commit: theCommit, Statuses: []waybill.Status{{Context: "waybill", State: waybill.StateSuccess}}}
		_, err := f.Write(t.Context(), w.repository(), m)
		var after *forge.RetryAfter
		if !waybill.IsCode(err, waybill.Limited) || !errors.As(err, &after) {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if got := after.Until.Sub(now); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

// TestAsksForWhatChanged: reading again what did not change costs no rate.
func TestAsksForWhatChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.forge(goodToken)
	remaining := []int{}
	f.wire.Observe = func(_ string, _, left int) { remaining = append(remaining, left) }
	for range 3 {
		if list, err := f.OpenPulls(t.Context(), w.repository()); err != nil || len(list) != 2 {
			t.Fatalf("%v %v", list, err)
		}
	}
	w.mu.Lock()
	w.pulls = w.pulls[1:]
	w.mu.Unlock()
	if list, err := f.OpenPulls(t.Context(), w.repository()); err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	if w.spent != 2 || len(w.requests) != 4 || len(remaining) != 4 {
		t.Errorf("%d of %d requests cost rate, want 2 of 4; heard %v", w.spent, len(w.requests), remaining)
	}
}

// TestRedeliver asks for what never arrived: once for each delivery, not for what arrived later or was just repeated.
func TestRedeliver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Now()
	add := func(id int, guid string, ago time.Duration, code int, again bool) {
		w.deliveries = append(w.deliveries, object{
			"id": id, "guid": guid, "delivered_at": now.Add(-ago).UTC().Format(time.RFC3339), "status_code": code, "redelivery": again,
			"status": strconv.Itoa(code), "event": "push",
		})
	}
	add(20, "just repeated", 10*time.Second, 503, true)
	add(19, "late", 2*time.Minute, 202, true)
	add(18, "failed", 3*time.Minute, 503, false)
	add(17, "just repeated", 4*time.Minute, 503, false)
	add(16, "late", 5*time.Minute, 502, false)
	add(15, "fine", 6*time.Minute, 202, false)
	for i := range maxAttempts {
		add(14-i, "hopeless", time.Duration(7+i)*time.Minute, 500, i < maxAttempts-1)
	}
	add(9, "twice", 15*time.Minute, 504, true)
	add(8, "twice", 16*time.Minute, 0, false)
	add(7, "before", 2*time.Hour, 503, false)
	n, err := w.forge("").Redeliver(t.Context(), now.Add(-time.Hour))
	if got := strings.Join(w.redelivers, " "); err != nil || n != 2 || got != "9 18" {
		t.Errorf("%d redelivered: %s, want 9 18 (%v)", n, got, err)
	}
	if n, err := w.forge(goodToken).Redeliver(t.Context(), now); n != 0 || err != nil {
		t.Errorf("without an App: %d, %v", n, err)
	}
}

func TestConvert(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := Options{URL: w.server.URL}
	r, err := Convert(t.Context(), o, "a-code")
	if err != nil || r.ID != appID || r.Slug != "waybill-app" || r.HookSecret != "shh" || string(r.Key) != string(w.pem()) {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := Convert(t.Context(), o, "a/../code"); !waybill.IsCode(err, waybill.Invalid) {
		t.Errorf("a code that is none: %v", err)
	}
	if _, err := Convert(t.Context(), o, "an-old-code"); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("a code that was used: %v", err)
	}
}

// TestChangedKey: a new key of the App signs at once, also tokens that were made with the one before.
func TestChangedKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, away := w.pem(), error(nil)
	f, err := New(Options{URL: w.server.URL, App: &App{ID: appID, Key: func() ([]byte, error) { return key, away }}})
	if err != nil {
		t.Fatal(err)
	}
	write := func(what string, want waybill.Code) {
		t.Helper()
		m := forge.Message{Commit: theCommit, Statuses: []waybill.Status{{Context: what, State: waybill.StateSuccess}}}
		if _, err := f.Write(t.Context(), w.repository(), m); waybill.CodeOf(err) != want {
			t.Errorf("%s: %v, want %q", what, err, want)
		}
	}
	write("the first key", "")
	changed, err := otherKey()
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.key = changed
	clear(w.installs)
	w.mu.Unlock()
	write("the first key, deleted at GitHub", waybill.Unauthenticated)
	key = w.pem()
	write("the second key", "")
	if _, _, err := f.Credentials(t.Context(), w.repository()); err != nil {
		t.Errorf("credentials by the second key: %v", err)
	}
	away = waybill.Errorf(waybill.Denied, "the file is away")
	write("no key", waybill.Unauthenticated)
}

// TestRenamed: writing under the old path follows GitHub to the new one.
func TestRenamed(t *testing.T) {
	t.Parallel()
	for _, token := range []string{goodToken, ""} {
		w := newWorld(t)
		r := w.repository()
		r.Path = "somebody/before"
		m := forge.Message{Commit: theCommit, Statuses: []waybill.Status{{Context: "waybill", State: waybill.StateSuccess, Description: "ok"}}}
		if _, err := w.forge(token).Write(t.Context(), r, m); err != nil || len(w.said(theCommit)) != 1 {
			t.Errorf("%v, %v", w.said(theCommit), err)
		}
	}
}

// TestExamineInWords: what is wrong is said so that it can be mended.
func TestExamineInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, fits, says string
		play             forgetest.Play
	}{
		{"token", "GET /api/v3/user", "wrong, expired or revoked", forgetest.Answer(401, `{"message": "Bad credentials"}`)},
		{"scopes", "GET /api/v3/user", "lacks repo:status", forgetest.Answer(200, `{"login": "x"}`, "X-OAuth-Scopes", "gist")},
		{"scopes", "GET /api/v3/user", "fine-grained", forgetest.Answer(200, `{"login": "x"}`)},
		{"token", "GET /api/v3/user", "make a new one now", forgetest.Answer(200, `{"login": "x"}`, "GitHub-Authentication-Token-Expiration", time.Now().Add(24*time.Hour).UTC().Format("2006-01-02 15:04:05 MST"))},
		{"repository acme/shop", "GET /api/v3/repositories/4711", "may not see it", forgetest.Answer(404, "")},
		{"repository acme/shop", "GET /api/v3/repositories/4711", "archived", forgetest.Answer(200, `{"id": 4711, "full_name": "acme/shop", "archived": true}`)},
		{"statuses of acme/shop", statuses, "may not write statuses", forgetest.Answer(403, `{"message": "Resource not accessible"}`)},
		{"hook of acme/shop", "GET /api/v3/repos/acme/shop/hooks", "admin:repo_hook", forgetest.Answer(404, `{"message": "Not Found"}`)},
		{"hook of acme/shop", "nothing", "no hook leads here", nil},
		{"hook of acme/shop", "GET /api/v3/repos/acme/shop/hooks", "answered 502", forgetest.Answer(200, `[{"id": 1, "active": true, "config": {"url": "https://x/hooks/github/h1"}, "last_response": {"code": 502, "message": "x"}}]`)},
		{"hook of acme/shop", "GET /api/v3/repos/acme/shop/hooks", "switched off", forgetest.Answer(200, `[{"id": 1, "active": false, "config": {"url": "https://x/hooks/github/h1"}}]`)},
	} {
		w := newWorld(t)
		if c.play != nil {
			w.tricks.Add(1, c.fits, c.play)
		}
		found := false
		list := w.forge(goodToken).Examine(context.WithoutCancel(t.Context()), w.repository())
		for _, f := range list {
			found = found || f.What == c.what && strings.Contains(f.Says, c.says)
		}
		if !found {
			t.Errorf("%q is not said of %s: %+v", c.says, c.what, list)
		}
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f, r := w.forge(goodToken), w.repository()
	r.HookSecret = "a-secret"
	const address = "https://waybill.test/hooks/github/h1"
	if err := f.Ping(t.Context(), r, address); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("without a hook: %v", err)
	}
	if err := errors.Join(f.InstallHook(t.Context(), r, address), f.Ping(t.Context(), r, address)); err != nil || w.pings != 1 {
		t.Errorf("%d pings, %v", w.pings, err)
	}
}

// TestOneHook: those that lead to the same address become one, as the others would go on with a secret of before.
func TestOneHook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f, r := w.forge(goodToken), w.repository()
	r.HookSecret = "a-new-secret"
	const address = "https://waybill.test/hooks/github/h1"
	for id, to := range []string{"https://elsewhere.test", address, address, address} {
		w.hooks = append(w.hooks, object{"id": id + 1, "config": object{"url": to, "secret": "an-old-secret"}})
	}
	if err := f.InstallHook(t.Context(), r, address); err != nil {
		t.Fatal(err)
	}
	config, _ := w.hooks[len(w.hooks)-1]["config"].(object)
	if len(w.hooks) != 2 || config["secret"] != r.HookSecret {
		t.Errorf("hooks %v", w.hooks)
	}
}

// TestNameless: who does not know its own name takes nobody's comment for its own, and asks again.
func TestNameless(t *testing.T) {
	t.Parallel()
	for token, at := range map[string]string{goodToken: "GET /api/v3/user", "": "GET /api/v3/app"} {
		w := newWorld(t)
		w.comments[7] = []object{{"id": 1, "body": forge.Marker, "user": object{"login": ""}}}
		w.tricks.Add(1, at, forgetest.Answer(200, `{"id": 99}`))
		f, p := w.forge(token), waybill.Pull{Number: 7}
		if _, err := f.Comment(t.Context(), w.repository(), p, forge.Marker+"one"); !waybill.IsCode(err, waybill.Unavailable) {
			t.Errorf("%s says no name: %v", at, err)
		}
		if _, err := f.Comment(t.Context(), w.repository(), p, forge.Marker+"one"); err != nil {
			t.Error(err)
		}
		if _, err := f.Comment(t.Context(), w.repository(), p, forge.Marker+"two"); err != nil || len(w.comments[7]) != 2 {
			t.Errorf("%v, comments %v", err, w.comments[7])
		}
	}
}
