package gitea_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/git/forge/gitea"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// now is when everything happens.
func now() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// shop is the repository of all tests here.
func shop() waybill.Repository {
	return waybill.Repository{ID: "R", ForgeID: "7", Path: "acme/shop", HookSecret: "secret"}
}

// server is a Gitea that gives the answers of a test.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string // every request that it got, the first first
}

// serve answers requests by "METHOD path", else 404.
func serve(t *testing.T, answers map[string]http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api/v1")
		s.mu.Lock()
		s.asked = append(s.asked, what)
		s.mu.Unlock()
		if answer, ok := answers[what]; ok {
			body, _ := io.ReadAll(r.Body) // only then does the server notice that the client hangs up
			r.Body = io.NopCloser(bytes.NewReader(body))
			answer(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) client(t *testing.T) *gitea.Gitea {
	t.Helper()
	return s.impatient(t, 4*time.Second)
}

// impatient is a client that waits so long for an answer.
func (s *server) impatient(t *testing.T, timeout time.Duration) *gitea.Gitea {
	t.Helper()
	return connect(t, gitea.Options{URL: s.URL + "/", Token: token("secret-token"), Now: now, Grace: time.Millisecond, HTTP: &http.Client{Timeout: timeout}})
}

func connect(t *testing.T, o gitea.Options) *gitea.Gitea {
	t.Helper()
	g, err := gitea.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func token(text string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return text, nil }
}

// say answers with a code and a value as JSON.
func say(code int, value any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(value)
	}
}

func message(list ...waybill.Status) forge.Message {
	return forge.Message{Commit: "c0ffee", Statuses: list}
}

func TestErrorsBecomeCodes(t *testing.T) {
	t.Parallel()
	const status = "POST /repos/acme/shop/statuses/c0ffee"
	const never = "an answer that never comes"
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   waybill.Code
	}{
		"no such token":      {say(401, map[string]string{"message": "token is required"}), waybill.Unauthenticated},
		"a scope is missing": {say(403, map[string]string{"message": "scope"}), waybill.Denied},
		"archived":           {say(423, map[string]string{"message": "archived"}), waybill.Denied},
		"not there":          {say(404, nil), waybill.NotFound},
		"not liked":          {say(422, map[string]string{"message": "no"}), waybill.Invalid},
		"too often":          {say(429, nil), waybill.Limited},
		"bad gateway":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }, waybill.Unavailable},
		"garbage":            {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, waybill.Unavailable},
		"a body without end": {func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := io.WriteString(w, strings.Repeat(" ", 1<<20)); err != nil {
					return
				}
			}
		}, waybill.Unavailable},
		never: {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, waybill.Unavailable},
		"another host": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://localhost:1/", http.StatusTemporaryRedirect)
		}, waybill.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, map[string]http.HandlerFunc{status: c.answer, "GET /repos/acme/shop/git/commits/c0ffee": say(200, map[string]string{})})
			g := s.client(t)
			if name == never {
				g = s.impatient(t, 100*time.Millisecond)
			}
			taken, err := g.Write(t.Context(), shop(), message(waybill.Status{Context: "waybill", State: waybill.StatePending}))
			if taken != 0 || !waybill.IsCode(err, c.want) {
				t.Errorf("taken %d, %s (%v), want %s", taken, waybill.CodeOf(err), err, c.want)
			}
			if strings.Contains(fmt.Sprint(err, errors.Unwrap(err)), "secret-token") {
				t.Errorf("the error tells the token: %v", err)
			}
		})
	}
}

func TestPatienceIsAskedFor(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]http.HandlerFunc{"GET /repositories/7": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "90")
		w.WriteHeader(http.StatusTooManyRequests)
	}})
	_, err := s.client(t).Find(t.Context(), waybill.Repository{ForgeID: "7"})
	var after *forge.RetryAfter
	if !errors.As(err, &after) || !after.Until.Equal(now().Add(90*time.Second)) {
		t.Errorf("got %v", err)
	}
}

// TestNoSuchCommit: Gitea answers 500 for a status of a commit that it does not have, which must not be tried for ever.
func TestNoSuchCommit(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]http.HandlerFunc{"POST /repos/acme/shop/statuses/c0ffee": say(500, nil)})
	_, err := s.client(t).Write(t.Context(), shop(), message(waybill.Status{Context: "waybill", State: waybill.StatePending}))
	if !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("got %v, want not found", err)
	}
}

// TestNothingIsWrittenTwice: what may have arrived before is looked for, and only the rest is written.
func TestNothingIsWrittenTwice(t *testing.T) {
	t.Parallel()
	there := []map[string]any{
		{"id": 1, "context": "waybill", "status": "pending"},
		{"id": 3, "context": "waybill", "status": "success", "description": "deployed", "target_url": "http://w/1"},
		{"id": 2, "context": "waybill", "status": "failure"},
		{"id": 4, "context": "waybill/a/dev", "status": "pending"},
	}
	const post = "POST /repos/acme/shop/statuses/c0ffee"
	list := []waybill.Status{
		{Context: "waybill", State: waybill.StateSuccess, Description: "deployed", URL: "http://w/1"},
		{Context: "waybill/a/dev", State: waybill.StateSuccess},
	}
	for _, again := range []bool{false, true} {
		var wrote []string
		s := serve(t, map[string]http.HandlerFunc{
			"GET /repos/acme/shop/commits/c0ffee/statuses": func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("page") != "1" {
					say(200, []any{})(w, r)
					return
				}
				say(200, there)(w, r)
			},
			post: func(w http.ResponseWriter, r *http.Request) {
				var in struct{ Context, State string }
				_ = json.NewDecoder(r.Body).Decode(&in)
				wrote = append(wrote, in.Context+" "+in.State)
				say(201, map[string]any{})(w, r)
			},
		})
		m := message(list...)
		m.Again = again
		if taken, err := s.client(t).Write(t.Context(), shop(), m); taken != 2 || err != nil {
			t.Errorf("again %v: taken %d, %v", again, taken, err)
		}
		want := []string{"waybill success", "waybill/a/dev success"}
		if again {
			want = want[1:]
		}
		if diff := cmp.Diff(want, wrote); diff != "" {
			t.Errorf("again %v: written (-want +got):\n%s", again, diff)
		}
	}
}

// TestRenamedRepository: a path that leads nowhere any more, or elsewhere, is looked up by number, once.
func TestRenamedRepository(t *testing.T) {
	t.Parallel()
	const was, is = "POST /repos/acme/shop/statuses/c0ffee", "POST /repos/acme/store/statuses/c0ffee"
	for name, answer := range map[string]http.HandlerFunc{
		"forgotten": say(404, nil),
		"redirected": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/api/v1/repos/acme/store/statuses/c0ffee", http.StatusMovedPermanently)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, map[string]http.HandlerFunc{
				was:                   answer,
				"GET /repositories/7": say(200, map[string]any{"id": 7, "full_name": "acme/store", "name": "store"}),
				is:                    say(201, map[string]any{}),
			})
			list := message(waybill.Status{Context: "waybill", State: waybill.StateSuccess})
			if taken, err := s.client(t).Write(t.Context(), shop(), list); taken != 1 || err != nil {
				t.Errorf("taken %d, %v", taken, err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if diff := cmp.Diff([]string{was, "GET /repositories/7", is}, s.asked); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFindReadsAddresses as people write and copy them, and answers with one that the token may go to.
func TestFindReadsAddresses(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]http.HandlerFunc{"GET /repos/acme/shop": say(200, map[string]any{
		"id": 7, "full_name": "acme/shop", "name": "shop", "default_branch": "main", "clone_url": "http://elsewhere.example/acme/shop.git",
	})})
	want := waybill.Repository{ForgeID: "7", Path: "acme/shop", Name: "shop", URL: s.URL + "/acme/shop.git", DefaultBranch: "main"}
	for _, address := range []string{
		s.URL + "/acme/shop", s.URL + "/acme/shop.git", s.URL + "/acme/shop/", "git@gitea.example:acme/shop.git",
		"ssh://git@gitea.example:2222/acme/shop.git",
	} {
		got, err := s.client(t).Find(t.Context(), waybill.Repository{URL: address})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", address, err, diff)
		}
	}
	for _, address := range []string{
		s.URL, s.URL + "/acme", s.URL + "/acme/shop/src/branch/main", s.URL + "/../x",
		"http://elsewhere.example/acme/shop", "acme/shop", "ssh://git@%zz/acme/shop",
	} {
		if _, err := s.client(t).Find(t.Context(), waybill.Repository{URL: address}); !waybill.IsCode(err, waybill.Invalid) {
			t.Errorf("%s: %v, want invalid", address, err)
		}
	}
}

// TestForeignMarker: a comment of somebody else who wrote the marker is left alone.
func TestForeignMarker(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]http.HandlerFunc{
		"GET /user": say(200, map[string]any{"id": 1, "login": "bot"}),
		"GET /repos/acme/shop/issues/3/comments": say(200, []map[string]any{
			{"id": 10, "body": forge.Marker + "mine?", "user": map[string]any{"id": 2}},
			{"id": 11, "body": "text " + forge.Marker, "user": map[string]any{"id": 1}},
		}),
		"POST /repos/acme/shop/issues/3/comments": say(201, map[string]any{"id": 12}),
	})
	id, err := s.client(t).Comment(t.Context(), shop(), waybill.Pull{Number: 3}, forge.Marker+"plan")
	if id != "12" || err != nil {
		t.Errorf("comment %q, %v", id, err)
	}
}

// TestNothingIsWrittenTwiceByTheDead: a request whose sender was killed may be finished after the first look.
func TestNothingIsWrittenTwiceByTheDead(t *testing.T) {
	t.Parallel()
	looks := 0
	s := serve(t, map[string]http.HandlerFunc{"GET /repos/acme/shop/commits/c0ffee/statuses": func(w http.ResponseWriter, r *http.Request) {
		var list []map[string]any
		if r.URL.Query().Get("page") == "1" {
			if looks++; looks > 1 {
				list = append(list, map[string]any{"id": 1, "context": "waybill", "status": "success"})
			}
		}
		say(200, list)(w, r)
	}})
	m := message(waybill.Status{Context: "waybill", State: waybill.StateSuccess})
	m.Again = true
	if taken, err := s.client(t).Write(t.Context(), shop(), m); taken != 1 || err != nil || looks != 2 {
		t.Errorf("taken %d after %d looks, %v", taken, looks, err)
	}
}

// TestEmptyRepository: Gitea finds no pull requests where nothing was pushed yet, which is none and no mistake.
func TestEmptyRepository(t *testing.T) {
	t.Parallel()
	empty := serve(t, map[string]http.HandlerFunc{"GET /repos/acme/shop": say(200, map[string]any{"id": 7, "full_name": "acme/shop", "empty": true})})
	if list, err := empty.client(t).OpenPulls(t.Context(), shop()); len(list) != 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := serve(t, nil).client(t).OpenPulls(t.Context(), shop()); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("a repository that is gone: %v", err)
	}
}

// TestNamelessToken: who may not know its own comments from others writes none, and says which scope is missing.
func TestNamelessToken(t *testing.T) {
	t.Parallel()
	s := serve(t, map[string]http.HandlerFunc{"GET /user": say(403, map[string]string{"message": "token does not have at least one of required scope(s)"})})
	_, err := s.client(t).Comment(t.Context(), shop(), waybill.Pull{Number: 3}, forge.Marker+"plan")
	if !waybill.IsCode(err, waybill.Denied) || !strings.Contains(err.Error(), "scope read:user") {
		t.Errorf("got %v", err)
	}
}

// TestLongLists: Gitea gives little at once, and all of it counts; what is more than anybody reads is not taken for whole.
func TestLongLists(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]waybill.Code{5000: "", 5001: waybill.TooLarge} {
		s := serve(t, map[string]http.HandlerFunc{"GET /repos/acme/shop/pulls": func(w http.ResponseWriter, r *http.Request) {
			page, _ := strconv.Atoi(r.URL.Query().Get("page"))
			list := []any{}
			for i := (page - 1) * 50; i < min(page*50, n); i++ {
				list = append(list, map[string]any{"number": i + 1, "state": "open", "head": map[string]any{"sha": "c0ffee"}, "base": map[string]any{"ref": "main"}})
			}
			say(200, list)(w, r)
		}})
		list, err := s.client(t).OpenPulls(t.Context(), shop())
		if waybill.CodeOf(err) != want || want == "" && len(list) != n || want != "" && len(list) != 0 {
			t.Errorf("%d pull requests: %d, %v, want %q", n, len(list), err, want)
		}
	}
}
