package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// place is the world as the suite sees it.
func (w *world) place() *forgetest.Place {
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
}

func TestForge(t *testing.T) {
	t.Parallel()
	forgetest.Run(t, func(t *testing.T) *forgetest.Place { t.Helper(); return newWorld(t).place() })
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	forgetest.LostAnswers(t, w.place(), &w.tricks, "POST /api/v4/projects/4711/merge_requests/7/notes", "POST /api/v4/projects/4711/hooks")
}

// TestExamineInWords: what is wrong is said so that it can be mended.
func TestExamineInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, fits, says string
		play             forgetest.Play
	}{
		{"token", "/personal_access_tokens/self", "wrong, expired or revoked", forgetest.Answer(401, `{"message":"401 Unauthorized"}`)},
		{"token", "/personal_access_tokens/self", "need api", forgetest.Answer(200, `{"scopes":["read_api"],"active":true}`)},
		{"token", "/personal_access_tokens/self", "make a new one now", forgetest.Answer(200, `{"scopes":["api"],"expires_at":"2020-01-01"}`)},
		{"repository " + project, "GET /api/v4/projects/4711", "may not see it", forgetest.Answer(404, "")},
		{"repository " + project, "GET /api/v4/projects/4711", "archived", forgetest.Answer(200, `{"id":4711,"archived":true}`)},
		{"statuses of " + project, "POST /api/v4/projects/4711/statuses/", "role Developer", forgetest.Answer(403, `{"message":"403 Forbidden"}`)},
		{"hook of " + project, "GET /api/v4/projects/4711/hooks", "role Maintainer", forgetest.Answer(403, `{"message":"403 Forbidden"}`)},
		{"hook of " + project, "GET /api/v4/projects/4711/hooks", "switched the hook off", forgetest.Answer(200, `[{"id":1,"url":"https://x/hooks/gitlab/h1","alert_status":"disabled"}]`)},
		{"hook of " + project, "nothing", "no hook leads here", nil},
	} {
		w := newWorld(t)
		if c.play != nil {
			w.tricks.Add(1, c.fits, c.play)
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

// TestOneHook: those that lead to the same address become one, as the others would go on with a secret of before.
func TestOneHook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f, r := w.forge(goodToken), w.repository()
	r.HookSecret = "a-new-secret"
	const address = "https://waybill.test/hooks/gitlab/h1"
	for id, to := range []string{"https://elsewhere.test", address, address, address} {
		w.hooks = append(w.hooks, object{"id": id + 1, "url": to, "token": "an-old-secret"})
	}
	if err := f.InstallHook(t.Context(), r, address); err != nil {
		t.Fatal(err)
	}
	if len(w.hooks) != 2 || w.hooks[1]["token"] != r.HookSecret {
		t.Errorf("hooks %v", w.hooks)
	}
}
