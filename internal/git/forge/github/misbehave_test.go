package github

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const (
	statuses = "POST /api/v3/repos/acme/shop/statuses/"
	combined = "GET /api/v3/repos/acme/shop/commits/"
	newRun   = "POST /api/v3/repos/acme/shop/check-runs"
	editRun  = "PATCH /api/v3/repos/acme/shop/check-runs/"
	newToken = "POST /api/v3/app/installations/31/access_tokens"
)

// misbehaviour is what a GitHub may do to the three statuses of a commit: the aggregate, a result, and one in progress.
type misbehaviour struct {
	name     string
	app      bool
	findings int
	old      bool // the commit was pushed long ago
	play     func(w *world)
	want     string // how each attempt ended
	shown    int    // statuses in the end, or check runs; 3 unless said
	notes    int    // annotations
}

func misbehaviours() []misbehaviour {
	later := strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)
	secondary := `{"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", "documentation_url": "https://docs.github.com/rest"}`
	primary := `{"message": "API rate limit exceeded for user ID 1.", "documentation_url": "https://docs.github.com/rest"}`
	missing := `{"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}`
	bad := `{"message": "Bad credentials", "status": "401"}`
	once := func(fits string, play func(http.ResponseWriter, *http.Request, http.Handler)) func(w *world) {
		return func(w *world) { w.trick(1, fits, play) }
	}
	second := func(play func(http.ResponseWriter, *http.Request, http.Handler)) func(w *world) {
		return func(w *world) {
			w.trick(1, statuses, func(rw http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(rw, r) })
			w.trick(1, statuses, play)
		}
	}
	return []misbehaviour{
		{name: "behaves", want: "done"},
		{name: "primary limit, 403 with headers", play: once(statuses, answer(403, primary, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", later)), want: "snooze done"},
		{name: "primary limit, 429 with headers", play: once(statuses, answer(429, primary, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", later)), want: "snooze done"},
		{name: "primary limit, 403 without headers", play: once(statuses, answer(403, primary)), want: "snooze done"},
		{name: "secondary limit, 403 and Retry-After", play: once(statuses, answer(403, secondary, "Retry-After", "30")), want: "snooze done"},
		{name: "secondary limit, 403 without headers", play: once(statuses, answer(403, secondary)), want: "snooze done"},
		{name: "secondary limit, 429 without words", play: once(statuses, answer(429, "")), want: "snooze done"},
		{name: "secondary limit half-way", play: second(answer(403, secondary)), want: "snooze done"},
		{name: "limit again and again", play: func(w *world) { w.trick(4, statuses, answer(403, secondary)) }, want: "snooze snooze snooze snooze done"},
		{name: "404, then there", play: func(w *world) { w.trick(3, statuses, answer(404, missing)) }, want: "retry retry retry done"},
		{name: "422 no commit, then there", play: func(w *world) {
			w.trick(2, statuses, answer(422, `{"message": "No commit found for SHA: 1a2b3c4d", "status": "422"}`))
		}, want: "retry retry done"},
		{name: "404 for ever", play: func(w *world) { w.trick(99, statuses, answer(404, missing)) }, want: "retry retry retry retry retry discard", shown: -1},
		{name: "404, pushed long ago", old: true, play: once(statuses, answer(404, missing)), want: "discard", shown: -1},
		{name: "may not", play: once(statuses, answer(403, `{"message": "Resource not accessible by personal access token", "status": "403"}`)), want: "discard", shown: -1},
		{name: "accepted, answer lost", play: once(statuses, lost), want: "done"},
		{name: "accepted, then 502", play: once(statuses, failsAfter), want: "done"},
		{name: "accepted, answer lost, reading fails", play: func(w *world) {
			w.trick(1, statuses, lost)
			w.trick(1, combined, answer(502, "Bad Gateway"))
		}, want: "retry done"},
		{name: "accepted, answer lost half-way, reading hangs", play: func(w *world) {
			second(lost)(w)
			w.trick(1, combined, hangs)
		}, want: "retry done"},
		{name: "connection dropped", play: once(statuses, broken), want: "retry done"},
		{name: "maintenance", play: once(statuses, answer(503, "<html>Unicorn!</html>")), want: "retry done"},
		{name: "hangs", play: once(statuses, hangs), want: "retry done"},
		{name: "garbage", play: once(statuses, answer(201, "<html>what</html>")), want: "retry done"},
		{name: "accepted, answer without end", play: once(statuses, huge), want: "done"},
		{name: "sends us elsewhere", play: elsewhere, want: "retry done"},
		{name: "1000 statuses already", play: func(w *world) {
			w.mu.Lock()
			defer w.mu.Unlock()
			for range statusCap {
				w.statuses = append(w.statuses, object{"sha": theCommit, "context": "waybill/shop-feed/validate", "state": "pending", "id": w.id()})
			}
		}, want: "done", shown: statusCap + 2},
		{name: "token expires, a new one comes", play: func(w *world) { w.trick(3, statuses, answer(401, bad)) }, want: "retry retry retry done"},

		{name: "App: behaves", app: true, findings: 3, want: "done", notes: 3},
		{name: "App: 120 findings", app: true, findings: 120, want: "done", notes: 120},
		{name: "App: 300 findings", app: true, findings: 300, want: "done", notes: maxAnnotations},
		{name: "App: token of the installation is refused", app: true, play: once(newRun, answer(401, bad)), want: "done"},
		{name: "App: token is refused again and again", app: true, play: func(w *world) { w.trick(2, newRun, answer(401, bad)) }, want: "retry done"},
		{name: "App: no token to be had", app: true, play: once(newToken, answer(500, "")), want: "retry done"},
		{name: "App: asking for a token hangs", app: true, play: once(newToken, hangs), want: "retry done"},
		{name: "App: empty token", app: true, play: once(newToken, answer(201, "{}")), want: "retry done"},
		{name: "App: created, answer lost", app: true, findings: 3, play: once(newRun, lost), want: "done", notes: 3},
		{name: "App: created, answer lost, reading fails", app: true, findings: 120, play: func(w *world) {
			w.trick(1, newRun, lost)
			w.trick(1, combined, func(rw http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(rw, r) })
			w.trick(1, combined, answer(502, ""))
		}, want: "retry done", notes: 120},
		{name: "App: annotations taken, answer lost", app: true, findings: 120, play: once(editRun, lost), want: "done", notes: 120},
		{name: "App: annotations dropped", app: true, findings: 120, play: once(editRun, broken), want: "retry done", notes: 120},
		{name: "App: annotations taken, answer and reading lost", app: true, findings: 200, play: func(w *world) {
			w.trick(1, combined, func(rw http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(rw, r) })
			w.trick(1, editRun, failsAfter)
			w.trick(1, combined, answer(500, ""))
		}, want: "retry done", notes: 200},
		{name: "App: secondary limit between annotations", app: true, findings: 120, play: once(editRun, answer(403, secondary)), want: "snooze done", notes: 120},
		{name: "App: taken out of the repository", app: true, old: true, play: once("GET /api/v3/repositories/4711/installation", answer(404, missing)), want: "discard", shown: -1},
		{name: "App: garbage", app: true, play: once(newRun, answer(201, "{{{")), want: "retry done"},
	}
}

// elsewhere sends the next write to a server that must not see any credentials.
func elsewhere(w *world) {
	other := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.Errorf("another server was asked %s with %q", r.URL, r.Header.Get("Authorization"))
		rw.WriteHeader(http.StatusCreated)
	}))
	w.Cleanup(other.Close)
	w.trick(1, statuses, func(rw http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(rw, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
}

// TestMisbehaviour lets the outbox tell a GitHub that misbehaves, and prints how it ended.
func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	rows := make([]string, len(misbehaviours()))
	t.Cleanup(func() {
		t.Logf("\n%-52s %-45s %8s %6s\n%s", "GitHub", "attempts", "requests", "shown", strings.Join(rows, "\n"))
	})
	for i, m := range misbehaviours() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			rows[i] = m.try(t)
		})
	}
}

// try makes attempts until one is the last, and compares what GitHub shows then.
func (m misbehaviour) try(t *testing.T) string {
	t.Helper()
	w := newWorld(t)
	token := goodToken
	if m.app {
		token = ""
	}
	f := w.forge(token)
	f.wire.Timeout = 4 * time.Second
	o, item := m.outbox(t, f)
	if m.play != nil {
		m.play(w)
	}
	var ends []string
	for attempt := 1; len(ends) < 10; {
		item.Attempt = attempt
		end := o.Handle(t.Context(), item).String()
		ends = append(ends, end)
		if end == "retry" {
			attempt++
		} else if end != "snooze" {
			break
		}
	}
	if got := strings.Join(ends, " "); got != m.want {
		t.Errorf("%s, want %s", got, m.want)
	}
	shown := w.said(theCommit)
	if want := map[bool]int{true: m.shown, false: 3}[m.shown != 0]; want >= 0 && len(shown) != want {
		t.Errorf("%d statuses are shown, want %d: %v", len(shown), want, shown)
	}
	m.check(w)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.tricks) > 0 && len(w.tricks) < 50 {
		t.Errorf("%d misbehaviours were never met", len(w.tricks))
	}
	return fmt.Sprintf("%-52s %-45s %8d %6d", m.name, strings.Join(ends, " "), len(w.requests), len(shown))
}

// check compares the annotations: each once, in order.
func (m misbehaviour) check(w *world) {
	w.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, run := range w.runs {
		if run["name"] != "waybill/shop-feed/validate" {
			continue
		}
		id, _ := run["id"].(int)
		if len(w.notes[id]) != m.notes {
			w.Errorf("%d annotations, want %d", len(w.notes[id]), m.notes)
		}
		for i, n := range w.notes[id] {
			note, _ := n.(object)
			if note["start_line"] != float64(i+1) {
				w.Errorf("annotation %d is on line %v", i, note["start_line"])
				return
			}
		}
	}
}

// outbox has three statuses to send.
func (m misbehaviour) outbox(t *testing.T, f forge.Forge) (*forge.Outbox, queue.Item) {
	t.Helper()
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, store.Options{URL: filepath.Join(t.TempDir(), "waybill.db"), Log: log, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r := waybill.Repository{
		ID: "R", Name: "shop", URL: "https://github.test/acme/shop.git", Forge: "github", Owner: "feeds", Hook: "h",
		ForgeID: strconv.Itoa(repoID), Path: repository,
	}
	c := waybill.Check{ID: "1", Repository: "R", Commit: theCommit, Phase: waybill.Planned, State: waybill.StateSuccess, Opened: time.Now()}
	if m.old {
		c.Opened = c.Opened.Add(-time.Hour)
	}
	for i := range m.findings {
		c.Findings = append(c.Findings, waybill.Finding{
			Code: "WB101", Severity: waybill.SeverityError, File: "shop/waybill.yaml", Line: i + 1, Column: 3, Message: "unknown field", Declaration: "shop-feed",
		})
	}
	err = db.Write(ctx, "test", func(tx *store.Tx) error {
		return errors.Join(gitstore.AddRepository(ctx, tx, r), gitstore.PutCheck(ctx, tx, c), gitstore.SetStatuses(ctx, tx, "R", theCommit, []waybill.Status{
			{Context: "waybill/shop-feed/validate", State: waybill.StateFailure, Description: "no", URL: "/commits/1"},
			{Context: "waybill/shop-feed/build", State: waybill.StatePending, Description: "builds", URL: "/releases/1"},
		}))
	})
	if err != nil {
		t.Fatal(err)
	}
	o := &forge.Outbox{
		DB: db, Forges: map[string]forge.Forge{"github": f}, PublicURL: "https://waybill.test", Log: log, Now: time.Now,
		Observer: forge.Observer{Request: func(string, string, error) {}, First: func(time.Duration) {}, Final: func(time.Duration) {}},
	}
	return o, queue.Item{Kind: forge.Kind, Key: gitstore.CommitKey("R", theCommit)}
}
