package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/git/forge/forgetest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func (w *world) forge(token string) *Forge {
	w.Helper()
	f, err := New(Options{
		URL: w.server.URL, Token: func(context.Context) (string, error) { return token, nil },
		HTTP: &http.Client{Timeout: 4 * time.Second, Transport: http.DefaultTransport},
	})
	if err != nil {
		w.Fatal(err)
	}
	return f
}

func (w *world) repository() waybill.Repository {
	return waybill.Repository{
		ID: "R", Name: "shop", Owner: "feeds", ForgeID: fmt.Sprint(projectID), Path: project, Hook: "h1",
		URL: w.server.URL + "/" + project + ".git", DefaultBranch: "main", Forge: "gitlab",
	}
}

// said lists the statuses of the commit, oldest first.
func (w *world) said(*testing.T, string) []waybill.Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []waybill.Status
	text := func(v any) string {
		s, _ := v.(string)
		return s
	}
	for _, s := range w.statuses {
		state := waybill.State(text(s["status"]))
		if state == "failed" {
			state = waybill.StateFailure
		}
		list = append(list, waybill.Status{Context: text(s["name"]), State: state, Description: text(s["description"]), URL: text(s["target_url"])})
	}
	return list
}

func TestForge(t *testing.T) {
	t.Parallel()
	forgetest.Run(t, func(t *testing.T) *forgetest.Place {
		t.Helper()
		w := newWorld(t)
		pull := func(n int, fork bool) waybill.Pull {
			return waybill.Pull{Number: n, Ref: fmt.Sprintf("refs/merge-requests/%d/head", n), Head: theCommit, Base: "main", Fork: fork}
		}
		return &forgetest.Place{
			Host: w.forge(goodToken), Revoked: w.forge("an-old-token"), Repository: w.repository(), Commit: theCommit,
			Pull: pull(7, false), Fork: pull(8, true), Closed: 9, Admin: "ada", Writer: "lin", Reader: "mo",
			Statuses: w.said, Shown: shown,
			Hooks: func(*testing.T) []string {
				w.mu.Lock()
				defer w.mu.Unlock()
				var list []string
				for _, h := range w.hooks {
					list = append(list, fmt.Sprint(h["url"]))
				}
				return list
			},
			Comments: func(_ *testing.T, number int) []forgetest.Comment {
				w.mu.Lock()
				defer w.mu.Unlock()
				var list []forgetest.Comment
				for _, c := range w.notes[number] {
					list = append(list, forgetest.Comment{ID: fmt.Sprint(c["id"]), Body: fmt.Sprint(c["body"])})
				}
				return list
			},
			Say: func(_ *testing.T, number int, body string) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.notes[number] = append(w.notes[number], object{"id": w.id(), "body": body, "author": object{"id": 13}})
			},
			Delete: func(_ *testing.T, number int, id string) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.notes[number] = slices.DeleteFunc(w.notes[number], func(c object) bool { return fmt.Sprint(c["id"]) == id })
			},
		}
	})
}

func answer(code int, body string, headers ...string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i+1 < len(headers); i += 2 {
			rw.Header().Set(headers[i], headers[i+1])
		}
		rw.WriteHeader(code)
		_, _ = rw.Write([]byte(body))
	}
}

// lost does what it is asked and drops the answer.
func lost(rw http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	if h, ok := rw.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
		}
	}
}

// TestMisbehaviour: what one attempt makes of a GitLab that misbehaves at the second of three statuses, and what is shown
// after another.
func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	const statuses = "POST /api/v4/projects/4711/statuses/"
	pass := func(rw http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(rw, r) }
	for _, c := range []struct {
		name  string
		play  func(http.ResponseWriter, *http.Request, http.Handler)
		code  waybill.Code
		taken int
	}{
		{"behaves", pass, "", 3},
		{"limit with Retry-After", answer(429, "Retry later", "Retry-After", "30"), waybill.Limited, 1},
		{"limit with RateLimit headers", answer(429, "", "RateLimit-Remaining", "0", "RateLimit-Reset", fmt.Sprint(time.Now().Add(time.Minute).Unix())), waybill.Limited, 1},
		{"limit without words", answer(429, ""), waybill.Limited, 1},
		{"answer lost", lost, "", 3},
		{"maintenance", answer(503, "<html>"), waybill.Unavailable, 1},
		{"garbage", answer(201, "<html>"), waybill.Unavailable, 1},
		{"may not", answer(403, `{"message":"403 Forbidden"}`), waybill.Denied, 1},
		{"token expires", answer(401, `{"error":"invalid_token","error_description":"Token is expired. You can either do re-authorization or token refresh."}`), waybill.Unauthenticated, 1},
		{"commit not known yet", answer(404, `{"message":"404 Commit Not Found"}`), waybill.NotFound, 1},
		{"commit of a fork", answer(404, `{"message":"404 References for commit Not Found"}`), waybill.NotFound, 1},
		{"invalid", answer(400, `{"message":{"target_url":["is blocked: Only allowed schemes are http, https"]}}`), waybill.Invalid, 1},
		{"is so already", answer(400, `{"message":"Cannot transition status via :enqueue from :pending (Reason(s): Status cannot transition via \"enqueue\")"}`), "", 3},
		{"conflict", answer(409, `{"message":"409 Conflict"}`), waybill.Conflict, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.tricks = []trick{{statuses, pass}, {statuses, c.play}}
			m := forge.Message{Commit: theCommit, Statuses: []waybill.Status{
				{Context: "waybill", State: waybill.StateFailure, Description: "no"},
				{Context: "waybill/a/dev", State: waybill.StateSuccess},
				{Context: "waybill/b/dev", State: waybill.StatePending},
			}}
			f := w.forge(goodToken)
			taken, err := f.Write(t.Context(), w.repository(), m)
			if taken != c.taken || waybill.CodeOf(err) != c.code {
				t.Errorf("%d taken, %v (%s), want %d, %s", taken, err, waybill.CodeOf(err), c.taken, c.code)
			}
			var after *forge.RetryAfter
			if c.code == waybill.Limited && (!errors.As(err, &after) || time.Until(after.Until) < 20*time.Second) {
				t.Errorf("waits until %v", after)
			}
			if err == nil {
				return
			}
			m.Again = true
			if taken, err := f.Write(t.Context(), w.repository(), m); taken != 3 || err != nil || len(w.said(t, "")) != 3 {
				t.Errorf("then %d taken, %v; shown: %v", taken, err, w.said(t, ""))
			}
		})
	}
}

// TestExamineInWords: what is wrong is said so that it can be mended.
func TestExamineInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, fits, says string
		play             func(http.ResponseWriter, *http.Request, http.Handler)
	}{
		{"token", "/personal_access_tokens/self", "wrong, expired or revoked", answer(401, `{"message":"401 Unauthorized"}`)},
		{"token", "/personal_access_tokens/self", "need api", answer(200, `{"scopes":["read_api"],"active":true}`)},
		{"token", "/personal_access_tokens/self", "make a new one now", answer(200, `{"scopes":["api"],"expires_at":"2020-01-01"}`)},
		{"repository " + project, "GET /api/v4/projects/4711", "may not see it", answer(404, "")},
		{"repository " + project, "GET /api/v4/projects/4711", "archived", answer(200, `{"id":4711,"archived":true}`)},
		{"statuses of " + project, "POST /api/v4/projects/4711/statuses/", "role Developer", answer(403, `{"message":"403 Forbidden"}`)},
		{"hook of " + project, "GET /api/v4/projects/4711/hooks", "role Maintainer", answer(403, `{"message":"403 Forbidden"}`)},
		{"hook of " + project, "GET /api/v4/projects/4711/hooks", "switched the hook off", answer(200, `[{"id":1,"url":"https://x/hooks/gitlab/h1","alert_status":"disabled"}]`)},
		{"hook of " + project, "nothing", "no hook leads here", nil},
	} {
		w := newWorld(t)
		if c.play != nil {
			w.tricks = []trick{{c.fits, c.play}}
		}
		list := w.forge(goodToken).Examine(t.Context(), w.repository())
		if !slices.ContainsFunc(list, func(f forge.Finding) bool { return f.What == c.what && strings.Contains(f.Says, c.says) && !f.OK }) {
			t.Errorf("%q is not said of %s: %+v", c.says, c.what, list)
		}
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f, r := w.forge(goodToken), w.repository()
	r.HookSecret = "a-secret"
	const address = "https://waybill.test/hooks/gitlab/h1"
	if err := f.Ping(t.Context(), r, address); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("without a hook: %v", err)
	}
	if err := errors.Join(f.InstallHook(t.Context(), r, address), f.Ping(t.Context(), r, address)); err != nil || w.pings != 1 {
		t.Errorf("%d pings, %v", w.pings, err)
	}
}
