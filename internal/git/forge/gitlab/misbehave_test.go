package gitlab

import (
	"fmt"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/git/forge/forgetest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const (
	posting = "POST /api/v4/projects/4711/statuses/"
	reading = "GET /api/v4/projects/4711/repository/commits/"
)

// misbehaviour is a mishap at GitLab.
type misbehaviour struct {
	name  string
	old   bool
	path  string // the repository is known by this path, not by its number
	play  func(w *world)
	then  func(w *world) // after the first statuses
	want  string
	shown int
	lost  string
}

func misbehaviours() []misbehaviour {
	later := fmt.Sprint(time.Now().Add(time.Minute).Unix())
	tooMany := `{"message":{"error":"This endpoint has been requested too many times. Try again later."}}`
	noCommit := `{"message":"404 Commit Not Found"}`
	expired := `{"error":"invalid_token","error_description":"Token is expired. You can either do re-authorization or token refresh."}`
	revoked := `{"error":"invalid_token","error_description":"Token was revoked. You have to re-authorize from the user."}`
	scope := `{"error":"insufficient_scope","error_description":"The request requires higher privileges than provided by the access token.","scope":"api"}`
	dropped := `{"message":"Cannot transition status via :drop from :failed (Reason(s): Status cannot transition via \"drop\")"}`
	blocked := `{"message":{"target_url":["is blocked: Only allowed schemes are http, https"]}}`
	once := func(play forgetest.Play) func(w *world) {
		return func(w *world) { w.tricks.Add(1, posting, play) }
	}
	second := func(play forgetest.Play) func(w *world) {
		return func(w *world) {
			w.tricks.Add(1, posting, forgetest.Behave)
			w.tricks.Add(1, posting, play)
		}
	}
	return []misbehaviour{
		{name: "behaves", want: "done"},
		{name: "limit, 429 with Retry-After", play: once(forgetest.Answer(429, "Retry later", "Retry-After", "30")), want: "snooze done"},
		{name: "limit, 429 with RateLimit headers", play: once(forgetest.Answer(429, "Retry later", "RateLimit-Limit", "2000", "RateLimit-Remaining", "0", "RateLimit-Reset", later)), want: "snooze done"},
		{name: "limit, 429 without headers", play: once(forgetest.Answer(429, tooMany)), want: "snooze done"},
		{name: "limit, 429 without words", play: once(forgetest.Answer(429, "")), want: "snooze done"},
		{name: "limit half-way", play: second(forgetest.Answer(429, tooMany)), want: "snooze done"},
		{name: "limit again and again", play: func(w *world) { w.tricks.Add(4, posting, forgetest.Answer(429, tooMany)) }, want: "snooze snooze snooze snooze done"},
		{name: "404, then there", play: func(w *world) { w.tricks.Add(3, posting, forgetest.Answer(404, noCommit)) }, want: "retry retry retry done"},
		{name: "404 for ever", play: func(w *world) { w.tricks.Add(99, posting, forgetest.Answer(404, noCommit)) }, want: "retry retry retry retry retry discard"},
		{name: "404, pushed long ago", old: true, play: once(forgetest.Answer(404, noCommit)), want: "discard"},
		{name: "commit that no branch has", old: true, play: once(forgetest.Answer(404, `{"message":"404 References for commit Not Found"}`)), want: "discard"},
		{name: "may not", play: once(forgetest.Answer(403, `{"message":"403 Forbidden"}`)), want: "discard"},
		{name: "scope does not suffice", play: once(forgetest.Answer(403, scope)), want: "discard"},
		{name: "token expires, a new one comes", play: func(w *world) { w.tricks.Add(3, posting, forgetest.Answer(401, expired)) }, want: "retry retry retry done"},
		{name: "token is revoked, a new one comes", play: second(forgetest.Answer(401, revoked)), want: "retry done"},
		{name: "accepted, answer lost", play: once(forgetest.Lost), want: "done"},
		{name: "accepted, then 502", play: once(forgetest.FailsAfter), want: "done"},
		{name: "accepted, answer lost, reading fails", play: func(w *world) {
			w.tricks.Add(1, posting, forgetest.Lost)
			w.tricks.Add(1, reading, forgetest.Answer(502, "Bad Gateway"))
		}, want: "retry done"},
		{name: "accepted, answer lost half-way, reading hangs", play: func(w *world) {
			second(forgetest.Lost)(w)
			w.tricks.Add(1, reading, forgetest.Hangs)
		}, want: "retry done"},
		{name: "accepted, answer lost, among 250 of others", play: func(w *world) { w.jobs(250); once(forgetest.Lost)(w) }, want: "done", shown: 253},
		{name: "connection dropped", play: once(forgetest.Broken), want: "retry done"},
		{name: "maintenance", play: once(forgetest.Answer(503, "<html>")), want: "retry done"},
		{name: "error inside", play: once(forgetest.Answer(500, `{"message":"500 Internal Server Error"}`)), want: "retry done"},
		{name: "hangs", play: once(forgetest.Hangs), want: "retry done"},
		{name: "garbage", play: once(forgetest.Answer(200, "<html>what</html>")), want: "retry done"},
		{name: "nothing", play: once(forgetest.Answer(200, "null")), want: "retry done"},
		{name: "accepted, answer without end", play: once(forgetest.Huge), want: "done"},
		{name: "sends us elsewhere", play: func(w *world) { w.tricks.Add(1, posting, forgetest.Elsewhere(w.T)) }, want: "retry done"},
		{name: "409, another update is in progress", play: once(forgetest.Answer(409, `{"message":"Another update to this commit status is in progress"}`)), want: "retry done"},
		{name: "400, an address is refused", play: once(forgetest.Answer(400, blocked)), want: "done", shown: 2, lost: forgetest.Validated},
		{name: "400, in progress already", play: func(w *world) { w.say(forgetest.Built, "pending") }, want: "done"},
		{name: "400, a result is refused", play: once(forgetest.Answer(400, dropped)), want: "retry done"},
		{name: "renamed, known by its old path", path: formerly, want: "done"},
		{name: "a pipeline starts between", then: func(w *world) { w.pipeline() }, want: "done"},
		{name: "a pipeline starts between, answer lost", play: once(forgetest.Lost), then: func(w *world) {
			w.pipeline()
			w.tricks.Add(1, posting, forgetest.Lost)
		}, want: "done"},
	}
}

// jobs gives the commit statuses that are not Waybill's.
func (w *world) jobs(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.pipeline()
	for i := range n {
		w.statuses = append(w.statuses, object{"id": w.id(), "name": fmt.Sprint("job ", i), "status": "success", "pipeline_id": p})
	}
}

// say gives the commit a status as Waybill would.
func (w *world) say(name, state string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statuses = append(w.statuses, object{"id": w.id(), "name": name, "status": state, "pipeline_id": w.pipeline()})
}

// TestMisbehaviour lets the outbox tell a GitLab that misbehaves, and prints how it ended.
func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	var list []forgetest.Mishap
	for _, m := range misbehaviours() {
		list = append(list, forgetest.Mishap{Name: m.name, Old: m.old, Want: m.want, Shown: m.shown, Lost: m.lost, Open: m.open})
	}
	forgetest.Mishaps(t, "GitLab", list)
}

func (m misbehaviour) open(t *testing.T) *forgetest.Scene {
	t.Helper()
	w := newWorld(t)
	r := w.repository()
	if m.path != "" {
		r.ForgeID, r.Path = "", m.path
	}
	if m.play != nil {
		m.play(w)
	}
	return &forgetest.Scene{
		Forge: w.forge(goodToken), Tricks: &w.tricks, Repository: r, Commit: theCommit,
		Statuses: func() []waybill.Status { return w.said(t, theCommit) },
		Check: func(*testing.T) {
			if m.then != nil {
				w.mu.Lock()
				defer w.mu.Unlock()
				m.then(w)
			}
		},
		Ended: func(t *testing.T) { t.Helper(); w.settled(t) },
	}
}

// settled fails when anything is in progress, in whatever pipeline.
func (w *world) settled(t *testing.T) {
	t.Helper()
	for _, s := range w.said(t, theCommit) {
		if !s.State.Final() {
			t.Errorf("%s is in progress for ever", s.Context)
		}
	}
}

// TestPipelines: a result ends what is in progress, wherever that is, also when another server began it.
func TestPipelines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tell := func(f *Forge, first bool, list ...waybill.Status) {
		t.Helper()
		m := forge.Message{Commit: theCommit, Statuses: list, First: first}
		if n, err := f.Write(t.Context(), w.repository(), m); n != len(list) || err != nil {
			t.Fatalf("%d taken, %v", n, err)
		}
	}
	progress := func(name string) waybill.Status {
		return waybill.Status{Context: name, State: waybill.StatePending, Description: "…"}
	}
	result := func(name string) waybill.Status {
		return waybill.Status{Context: name, State: waybill.StateSuccess, Description: "ok"}
	}
	one, other := w.forge(goodToken), w.forge(goodToken)
	tell(one, true, progress("waybill"), progress("waybill/a/build"))
	if n := w.tricks.Asked(); n != 2 {
		t.Errorf("%d requests for two statuses", n)
	}
	start := func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.pipeline()
	}
	start()
	tell(other, false, result("waybill/a/build"))
	tell(other, false, progress("waybill/a/dev"))
	start()
	tell(one, false, result("waybill/a/dev"), result("waybill"))
	w.settled(t)
	if got := len(w.said(t, theCommit)); got != 3 {
		t.Errorf("%d statuses, want 3: %v", got, w.said(t, theCommit))
	}

	tell(one, false, progress("waybill"))
	w.mu.Lock()
	w.pipelines = nil // too old for more jobs
	w.mu.Unlock()
	tell(one, false, result("waybill"))
	if said := w.said(t, theCommit); said[len(said)-1].State != waybill.StateSuccess {
		t.Errorf("the result is not shown: %v", said)
	}
}

// TestPipelinesAreForgotten: what is remembered of commits is bounded.
func TestPipelinesAreForgotten(t *testing.T) {
	t.Parallel()
	var p pipelines
	for i := range maxBegun + 5 {
		p.keep(fmt.Sprint(i), map[string]int64{"waybill": int64(i)})
		p.keep(fmt.Sprint(i), map[string]int64{"waybill": int64(i)})
	}
	_, first := p.of("4")
	last, known := p.of(fmt.Sprint(maxBegun + 4))
	if first || !known || len(last) != 1 || len(p.begun) != maxBegun || len(p.order) != maxBegun {
		t.Errorf("%d of %d commits are remembered, the first: %t, the last: %v", len(p.begun), len(p.order), first, last)
	}
}

// TestOddAnswers: a GitLab that answers what it never would is away, no more.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	forgetest.OddAnswers(t, func(t *testing.T) (*forgetest.Place, *forgetest.Tricks) {
		t.Helper()
		w := newWorld(t)
		return w.place(), &w.tricks
	})
}
