package github

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/git/forge/forgetest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// forge returns a forge that has a token, or the App when the token is empty.
func (w *world) forge(token string) *Forge {
	w.Helper()
	o := Options{URL: w.server.URL, Now: time.Now}
	if token == "" {
		o.App = &App{ID: appID, Key: func() ([]byte, error) { return w.pem(), nil }}
	} else {
		o.Token = func(context.Context) (string, error) { return token, nil }
	}
	f, err := New(o)
	if err != nil {
		w.Fatal(err)
	}
	return f
}

func (w *world) repository() waybill.Repository {
	return waybill.Repository{
		ID: "R", Name: "shop", Owner: "feeds", ForgeID: fmt.Sprint(repoID), Path: repository, Hook: "h1",
		URL: w.server.URL + "/acme/shop.git", DefaultBranch: "main", Forge: "github",
	}
}

// place is the world as the suite sees it.
func (w *world) place(f forge.Host) *forgetest.Place {
	pull := func(number int, fork bool) waybill.Pull {
		return waybill.Pull{Number: number, Ref: fmt.Sprintf("refs/pull/%d/head", number), Head: theCommit, Base: "main", Fork: fork}
	}
	return &forgetest.Place{
		Host: f, Repository: w.repository(), Commit: theCommit, Pull: pull(7, false), Fork: pull(8, true), Closed: 9,
		Admin: "ada", Writer: "lin", Reader: "mo",
		Hooks: func(*testing.T) []string {
			w.mu.Lock()
			defer w.mu.Unlock()
			var list []string
			for _, h := range w.hooks {
				config, _ := h["config"].(object)
				list = append(list, fmt.Sprint(config["url"]))
			}
			return list
		},
		Comments: func(_ *testing.T, number int) []forgetest.Comment {
			w.mu.Lock()
			defer w.mu.Unlock()
			var list []forgetest.Comment
			for _, c := range w.comments[number] {
				list = append(list, forgetest.Comment{ID: fmt.Sprint(c["id"]), Body: fmt.Sprint(c["body"])})
			}
			return list
		},
		Say: func(_ *testing.T, number int, body string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.comments[number] = append(w.comments[number], object{"id": w.id(), "body": body, "user": object{"login": "mo"}})
		},
		Delete: func(_ *testing.T, number int, id string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.comments[number] = slices.DeleteFunc(w.comments[number], func(c object) bool { return fmt.Sprint(c["id"]) == id })
		},
		Statuses: func(_ *testing.T, commit string) []waybill.Status { return w.said(commit) },
	}
}

// said lists the statuses or the check runs of a commit, oldest first.
func (w *world) said(commit string) []waybill.Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := func(v any) string {
		s, _ := v.(string)
		return s
	}
	var list []waybill.Status
	for _, s := range w.statuses {
		if s["sha"] == commit {
			list = append(list, waybill.Status{
				Context: text(s["context"]), State: waybill.State(text(s["state"])), Description: text(s["description"]), URL: text(s["target_url"]),
			})
		}
	}
	for _, run := range w.runs {
		if run["head_sha"] != commit {
			continue
		}
		output, _ := run["output"].(object)
		s := waybill.Status{Context: text(run["name"]), State: waybill.StatePending, Description: text(output["title"]), URL: text(run["details_url"])}
		if run["status"] == completed {
			s.State = waybill.State(text(run["conclusion"]))
		}
		list = append(list, s)
	}
	return list
}

func TestToken(t *testing.T) {
	t.Parallel()
	forgetest.Run(t, func(t *testing.T) *forgetest.Place {
		t.Helper()
		w := newWorld(t)
		p := w.place(w.forge(goodToken))
		p.Revoked = w.forge("an-old-token")
		return p
	})
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	forgetest.LostAnswers(t, w.place(w.forge(goodToken)), &w.tricks, "POST /api/v3/repos/acme/shop/issues/7/comments", "POST /api/v3/repos/acme/shop/hooks")
}

// TestOddAnswers: a GitHub that answers what it never would is away, no more.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	for _, token := range []string{goodToken, ""} {
		forgetest.OddAnswers(t, func(t *testing.T) (*forgetest.Place, *forgetest.Tricks) {
			t.Helper()
			w := newWorld(t)
			return w.place(w.forge(token)), &w.tricks
		})
	}
}

func TestApp(t *testing.T) {
	t.Parallel()
	forgetest.Run(t, func(t *testing.T) *forgetest.Place {
		t.Helper()
		w := newWorld(t)
		p := w.place(w.forge(""))
		revoked, err := New(Options{URL: w.server.URL, App: newKey(t)})
		if err != nil {
			t.Fatal(err)
		}
		p.Revoked, p.Hooks = revoked, nil
		p.Shown = func(s waybill.Status) waybill.Status {
			if s.State == waybill.StateError {
				s.State, s.Description = waybill.StateFailure, ours+s.Description
			}
			return s
		}
		return p
	})
}

// newKey is a key that the world does not know.
func newKey(t *testing.T) *App {
	t.Helper()
	key, err := otherKey()
	if err != nil {
		t.Fatal(err)
	}
	text := pemOf(key)
	return &App{ID: appID, Key: func() ([]byte, error) { return text, nil }}
}

var otherKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
