package github

import (
	"strconv"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/forge/forgetest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const (
	statuses = "POST /api/v3/repos/acme/shop/statuses/"
	combined = "GET /api/v3/repos/acme/shop/commits/"
	newRun   = "POST /api/v3/repos/acme/shop/check-runs"
	editRun  = "PATCH /api/v3/repos/acme/shop/check-runs/"
	newToken = "POST /api/v3/app/installations/31/access_tokens"
)

// misbehaviour is a mishap at GitHub.
type misbehaviour struct {
	name     string
	app      bool
	findings int
	old      bool
	play     func(w *world)
	want     string
	shown    int
	lost     string
	notes    int // annotations
}

func misbehaviours() []misbehaviour {
	later := strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)
	secondary := `{"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", "documentation_url": "https://docs.github.com/rest"}`
	primary := `{"message": "API rate limit exceeded for user ID 1.", "documentation_url": "https://docs.github.com/rest"}`
	missing := `{"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}`
	bad := `{"message": "Bad credentials", "status": "401"}`
	once := func(fits string, play forgetest.Play) func(w *world) {
		return func(w *world) { w.tricks.Add(1, fits, play) }
	}
	second := func(play forgetest.Play) func(w *world) {
		return func(w *world) {
			w.tricks.Add(1, statuses, forgetest.Behave)
			w.tricks.Add(1, statuses, play)
		}
	}
	return []misbehaviour{
		{name: "behaves", want: "done"},
		{name: "primary limit, 403 with headers", play: once(statuses, forgetest.Answer(403, primary, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", later)), want: "snooze done"},
		{name: "primary limit, 429 with headers", play: once(statuses, forgetest.Answer(429, primary, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", later)), want: "snooze done"},
		{name: "primary limit, 403 without headers", play: once(statuses, forgetest.Answer(403, primary)), want: "snooze done"},
		{name: "secondary limit, 403 and Retry-After", play: once(statuses, forgetest.Answer(403, secondary, "Retry-After", "30")), want: "snooze done"},
		{name: "secondary limit, 403 without headers", play: once(statuses, forgetest.Answer(403, secondary)), want: "snooze done"},
		{name: "secondary limit, 429 without words", play: once(statuses, forgetest.Answer(429, "")), want: "snooze done"},
		{name: "secondary limit half-way", play: second(forgetest.Answer(403, secondary)), want: "snooze done"},
		{name: "limit again and again", play: func(w *world) { w.tricks.Add(4, statuses, forgetest.Answer(403, secondary)) }, want: "snooze snooze snooze snooze done"},
		{name: "404, then there", play: func(w *world) { w.tricks.Add(3, statuses, forgetest.Answer(404, missing)) }, want: "retry retry retry done"},
		{name: "422 no commit, then there", play: func(w *world) {
			w.tricks.Add(2, statuses, forgetest.Answer(422, `{"message": "No commit found for SHA: 1a2b3c4d", "status": "422"}`))
		}, want: "retry retry done"},
		{name: "404 for ever", play: func(w *world) { w.tricks.Add(99, statuses, forgetest.Answer(404, missing)) }, want: "retry retry retry retry retry discard"},
		{name: "404, pushed long ago", old: true, play: once(statuses, forgetest.Answer(404, missing)), want: "discard"},
		{name: "may not", play: once(statuses, forgetest.Answer(403, `{"message": "Resource not accessible by personal access token", "status": "403"}`)), want: "discard"},
		{name: "accepted, answer lost", play: once(statuses, forgetest.Lost), want: "done"},
		{name: "accepted, then 502", play: once(statuses, forgetest.FailsAfter), want: "done"},
		{name: "accepted, answer lost, reading fails", play: func(w *world) {
			w.tricks.Add(1, statuses, forgetest.Lost)
			w.tricks.Add(1, combined, forgetest.Answer(502, "Bad Gateway"))
		}, want: "retry done"},
		{name: "accepted, answer lost half-way, reading hangs", play: func(w *world) {
			second(forgetest.Lost)(w)
			w.tricks.Add(1, combined, forgetest.Hangs)
		}, want: "retry done"},
		{name: "connection dropped", play: once(statuses, forgetest.Broken), want: "retry done"},
		{name: "maintenance", play: once(statuses, forgetest.Answer(503, "<html>Unicorn!</html>")), want: "retry done"},
		{name: "hangs", play: once(statuses, forgetest.Hangs), want: "retry done"},
		{name: "garbage", play: once(statuses, forgetest.Answer(201, "<html>what</html>")), want: "retry done"},
		{name: "accepted, answer without end", play: once(statuses, forgetest.Huge), want: "done"},
		{name: "sends us elsewhere", play: func(w *world) { w.tricks.Add(1, statuses, forgetest.Elsewhere(w.T)) }, want: "retry done"},
		{name: "1000 statuses already", play: func(w *world) {
			w.mu.Lock()
			defer w.mu.Unlock()
			for range statusCap {
				w.statuses = append(w.statuses, object{"sha": theCommit, "context": "waybill/shop-feed/validate", "state": "pending", "id": w.id()})
			}
		}, want: "done", shown: statusCap + 2, lost: forgetest.Validated},
		{name: "token expires, a new one comes", play: func(w *world) { w.tricks.Add(3, statuses, forgetest.Answer(401, bad)) }, want: "retry retry retry done"},

		{name: "App: behaves", app: true, findings: 3, want: "done", notes: 3},
		{name: "App: 120 findings", app: true, findings: 120, want: "done", notes: 120},
		{name: "App: 300 findings", app: true, findings: 300, want: "done", notes: maxAnnotations},
		{name: "App: token of the installation is refused", app: true, play: once(newRun, forgetest.Answer(401, bad)), want: "done"},
		{name: "App: token is refused again and again", app: true, play: func(w *world) { w.tricks.Add(2, newRun, forgetest.Answer(401, bad)) }, want: "retry done"},
		{name: "App: no token to be had", app: true, play: once(newToken, forgetest.Answer(500, "")), want: "retry done"},
		{name: "App: asking for a token hangs", app: true, play: once(newToken, forgetest.Hangs), want: "retry done"},
		{name: "App: empty token", app: true, play: once(newToken, forgetest.Answer(201, "{}")), want: "retry done"},
		{name: "App: created, answer lost", app: true, findings: 3, play: once(newRun, forgetest.Lost), want: "done", notes: 3},
		{name: "App: created, answer lost, reading fails", app: true, findings: 120, play: func(w *world) {
			w.tricks.Add(1, newRun, forgetest.Lost)
			w.tricks.Add(1, combined, forgetest.Behave)
			w.tricks.Add(1, combined, forgetest.Answer(502, ""))
		}, want: "retry done", notes: 120},
		{name: "App: annotations taken, answer lost", app: true, findings: 120, play: once(editRun, forgetest.Lost), want: "done", notes: 120},
		{name: "App: annotations dropped", app: true, findings: 120, play: once(editRun, forgetest.Broken), want: "retry done", notes: 120},
		{name: "App: annotations taken, answer and reading lost", app: true, findings: 200, play: func(w *world) {
			w.tricks.Add(1, combined, forgetest.Behave)
			w.tricks.Add(1, editRun, forgetest.FailsAfter)
			w.tricks.Add(1, combined, forgetest.Answer(500, ""))
		}, want: "retry done", notes: 200},
		{name: "App: secondary limit between annotations", app: true, findings: 120, play: once(editRun, forgetest.Answer(403, secondary)), want: "snooze done", notes: 120},
		{name: "App: taken out of the repository", app: true, old: true, play: once("GET /api/v3/repositories/4711/installation", forgetest.Answer(404, missing)), want: "discard"},
		{name: "App: garbage", app: true, play: once(newRun, forgetest.Answer(201, "{{{")), want: "retry done"},
	}
}

// TestMisbehaviour lets the outbox tell a GitHub that misbehaves, and prints how it ended.
func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	var list []forgetest.Mishap
	for _, m := range misbehaviours() {
		list = append(list, forgetest.Mishap{
			Name: m.name, Findings: m.findings, Old: m.old, Want: m.want, Shown: m.shown, Lost: m.lost, Open: m.open,
		})
	}
	forgetest.Mishaps(t, "GitHub", list)
}

func (m misbehaviour) open(t *testing.T) *forgetest.Scene {
	t.Helper()
	w, token := newWorld(t), goodToken
	if m.app {
		token = ""
	}
	f := w.forge(token)
	f.wire.Timeout = 4 * time.Second
	if m.play != nil {
		m.play(w)
	}
	return &forgetest.Scene{
		Forge: f, Tricks: &w.tricks, Repository: w.repository(), Commit: theCommit,
		Statuses: func() []waybill.Status { return w.said(theCommit) },
		Check:    func(t *testing.T) { t.Helper(); m.check(t, w) },
	}
}

// check compares the annotations: each once, in order.
func (m misbehaviour) check(t *testing.T, w *world) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, run := range w.runs {
		if run["name"] != forgetest.Validated {
			continue
		}
		id, _ := run["id"].(int)
		if len(w.notes[id]) != m.notes {
			t.Errorf("%d annotations, want %d", len(w.notes[id]), m.notes)
		}
		for i, n := range w.notes[id] {
			note, _ := n.(object)
			if note["start_line"] != float64(i+1) {
				t.Errorf("annotation %d is on line %v", i, note["start_line"])
				return
			}
		}
	}
}
