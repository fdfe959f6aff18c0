package hook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/forge/plain"
	"github.com/waybill-dev/waybill/internal/git/hook"
	"github.com/waybill-dev/waybill/internal/git/progress"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// TestMain lets the test program stand in for waybill: git runs it as the hook.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "hook" && os.Args[2] == "post-receive" {
		os.Exit(runHook())
	}
	os.Exit(m.Run())
}

func runHook() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) //nolint:forbidigo // here the test program is a command
	defer stop()
	wait, _ := time.ParseDuration(os.Getenv("TEST_WAIT"))
	err := hook.PostReceive(ctx, hook.Push{
		GitDir: os.Getenv("GIT_DIR"), Stdin: os.Stdin, Out: os.Stdout, Getenv: os.Getenv,
		Now: time.Now, Key: fmt.Sprint(time.Now().UnixNano()), Wait: wait,
	})
	if err != nil {
		return 1
	}
	return 0
}

const secret = webhooks.Secret("s3cret")

// server speaks the protocol and says what the test wants.
type server struct {
	*httptest.Server
	answer int // status of the answer to the hook; 0 means 202
	// say writes the progress stream; nil answers without one.
	say func(ctx context.Context, say func(progress.Event), e waybill.Event)

	mu     sync.Mutex
	events []waybill.Event
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hooks/plain/h1", s.hook)
	mux.HandleFunc("GET /hooks/plain/h1/progress", s.progress)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func (s *server) hook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	e, err := webhooks.Plain(r.Header, body, time.Now(), secret)
	if err != nil || s.answer != 0 {
		w.WriteHeader(max(s.answer, http.StatusUnauthorized))
		return
	}
	s.mu.Lock()
	s.events = append(s.events, e)
	s.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
	a := progress.Accepted{Delivery: "d1"}
	if s.say != nil {
		a.Progress = "/hooks/plain/h1/progress?delivery=d1"
	}
	_ = json.NewEncoder(w).Encode(a)
}

func (s *server) progress(w http.ResponseWriter, r *http.Request) {
	if err := webhooks.VerifyGet(r, time.Now(), secret); err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.mu.Lock()
	e := s.events[len(s.events)-1]
	s.mu.Unlock()
	s.say(r.Context(), func(e progress.Event) {
		_ = progress.Encode(w, e)
		_ = http.NewResponseController(w).Flush()
	}, e)
}

func (s *server) got() []waybill.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]waybill.Event(nil), s.events...)
}

type fixture struct {
	git   *testkit.Git
	clone *testkit.Clone
	bare  string
}

// newFixture makes a repository whose hook reports to the server at url.
func newFixture(t *testing.T, url string) *fixture {
	t.Helper()
	g := testkit.NewGit(t)
	bare := g.Bare("shop-feed.git")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := waybill.Repository{ID: "01J0", Name: "shop-feed", Owner: "feeds", URL: bare, Hook: "h1", HookSecret: string(secret)}
	if err := plain.InstallHook(t.Context(), r, program, url); err != nil {
		t.Fatal(err)
	}
	return &fixture{git: g, clone: g.Clone(bare, "work"), bare: bare}
}

// happy tells of a push that is deployed.
func happy(_ context.Context, say func(progress.Event), e waybill.Event) {
	for _, u := range e.Refs {
		say(progress.Ref{Ref: u.Name, Commit: u.New, Repository: "feeds/shop-feed"})
		say(progress.Step{Step: waybill.StepValidate, Outcome: waybill.OK, Description: "1 connector"})
		say(progress.Step{Step: waybill.StepBuild, Outcome: waybill.OK, Description: "sha256:9f2c71e0b7d4", DurationMS: 2100})
		say(progress.End{State: waybill.StateSuccess, URL: "http://127.0.0.1:8080/connectors/shop-feed"})
	}
	say(progress.Done{})
}

func TestPushShowsProgress(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.say = happy
	f := newFixture(t, s.URL)
	c := f.clone.Commit("one", map[string]string{"a": "1"})
	f.clone.Run("tag", "v1.0.0")
	f.clone.Run("notes", "add", "-m", "x")
	seen, err := f.clone.TryPush([]string{"REMOTE_USER=ada"}, "main", "v1.0.0", "refs/notes/commits")
	if err != nil {
		t.Fatal(err, seen)
	}
	block := func(ref string) string {
		return "waybill  feeds/shop-feed  " + c[:7] + "  " + ref + `
  validate  ok    1 connector
  build     ok    sha256:9f2c71e0b7d4  2.1s
  http://127.0.0.1:8080/connectors/shop-feed
`
	}
	if diff := cmp.Diff(block("main")+block("v1.0.0"), testkit.Remote(seen)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	zero := strings.Repeat("0", 40)
	want := waybill.Event{Kind: "push", Actor: "ada", Refs: []waybill.RefUpdate{
		{Name: "refs/heads/main", Old: zero, New: c}, {Name: "refs/tags/v1.0.0", Old: zero, New: c},
	}}
	got := s.got()
	if len(got) != 1 {
		t.Fatalf("%d deliveries", len(got))
	}
	got[0].Key = ""
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPushOfNotesIsSilent(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	f := newFixture(t, s.URL)
	f.clone.Commit("one", map[string]string{"a": "1"})
	f.clone.Run("notes", "add", "-m", "x")
	if got := testkit.Remote(f.clone.Push("refs/notes/commits")); got != "" || len(s.got()) != 0 {
		t.Errorf("%q, %d deliveries", got, len(s.got()))
	}
}

// TestPushIsNeverRefused goes through what can go wrong on the way to the server: one line, and the push is in.
func TestPushIsNeverRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		harm func(t *testing.T, s *server, f *fixture) []string // returns the push's arguments
		want string                                             // {url} stands for the server
	}{
		{"server is down", func(_ *testing.T, s *server, _ *fixture) []string {
			s.Close()
			return nil
		}, "waybill: {url} does not answer; the push is stored and found when the server is back\n"},
		{"store is away", func(_ *testing.T, s *server, _ *fixture) []string {
			s.answer = http.StatusServiceUnavailable
			return nil
		}, "waybill: {url} answers 503; the push is stored and found by polling\n"},
		{"hook is unknown", func(t *testing.T, s *server, f *fixture) []string {
			t.Helper()
			settings := hook.Settings{Server: s.URL, Hook: "h2", Secret: secret}
			if err := hook.WriteSettings(f.bare, settings, func(*os.File) error { return nil }); err != nil {
				t.Fatal(err)
			}
			return nil
		}, "waybill: {url} does not know this hook (404); the push is stored. To report the next one: waybill repo add\n"},
		{"settings are damaged", func(t *testing.T, _ *server, f *fixture) []string {
			t.Helper()
			if err := os.WriteFile(filepath.Join(f.bare, "waybill", "hook.json"), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
			return nil
		}, "waybill: not reported: waybill/hook.json is damaged; the push is stored and found by polling\n"},
		{"settings are gone", func(t *testing.T, _ *server, f *fixture) []string {
			t.Helper()
			if err := hook.RemoveSettings(f.bare); err != nil {
				t.Fatal(err)
			}
			return nil
		}, ""},
		{"nobody waits", func(_ *testing.T, s *server, _ *fixture) []string {
			s.say = happy
			return []string{"-o", "waybill.nowait"}
		}, "waybill: not waiting; see {url}\n"},
		{"reported before", func(*testing.T, *server, *fixture) []string { return nil }, ""},
		{"server dies", func(_ *testing.T, s *server, _ *fixture) []string {
			s.say = func(_ context.Context, say func(progress.Event), e waybill.Event) {
				say(progress.Ref{Ref: "refs/heads/main", Commit: "1a2b3c4d", Repository: "feeds/shop-feed"})
			}
			return nil
		}, "waybill  feeds/shop-feed  1a2b3c4  main\n  the server went away; it goes on with this push when it is back. See\n  {url}\n"},
		{"progress is elsewhere", func(_ *testing.T, s *server, _ *fixture) []string {
			other := s.Config.Handler
			s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					_ = json.NewEncoder(w).Encode(progress.Accepted{Delivery: "d", Progress: "http://127.0.0.1:1/x"})
					return
				}
				other.ServeHTTP(w, r)
			})
			return nil
		}, "waybill: accepted, but its progress cannot be followed: its address is on another server\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			f := newFixture(t, s.URL)
			args := tt.harm(t, s, f)
			c := f.clone.Commit("one", map[string]string{"a": "1"})
			got := strings.ReplaceAll(testkit.Remote(f.clone.Push(append(args, "main")...)), s.URL, "{url}")
			got = strings.ReplaceAll(got, "./waybill/", "waybill/")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if tip := f.git.Run(f.bare, "rev-parse", "main"); tip != c {
				t.Errorf("the push is not in: %s", tip)
			}
		})
	}
}

// TestWaitEnds: the pusher goes on after the wait, the work does too.
func TestWaitEnds(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.say = func(ctx context.Context, say func(progress.Event), e waybill.Event) {
		say(progress.Ref{Ref: "refs/heads/main", Commit: "1a2b3c4d", Repository: "feeds/shop-feed"})
		say(progress.Step{Step: waybill.StepBuild, Outcome: waybill.Running, URL: s.URL + "/releases/1"})
		<-ctx.Done()
	}
	f := newFixture(t, s.URL)
	f.clone.Commit("one", map[string]string{"a": "1"})
	seen, err := f.clone.TryPush([]string{"TEST_WAIT=2500ms"}, "main")
	want := "waybill  feeds/shop-feed  1a2b3c4  main\n  build     running\n  the work goes on. See\n  " + s.URL + "/releases/1\n"
	if diff := cmp.Diff(want, testkit.Remote(seen)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestLinesAreSeenAtOnce: a line reaches the pusher when its event does, not when the hook ends.
func TestLinesAreSeenAtOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	seen := make(chan struct{})
	s.say = func(_ context.Context, say func(progress.Event), _ waybill.Event) {
		say(progress.Ref{Ref: "refs/heads/main", Commit: "1a2b3c4d", Repository: "feeds/shop-feed"})
		<-seen
		say(progress.Done{})
	}
	f := newFixture(t, s.URL)
	r, w := io.Pipe()
	done := make(chan error)
	go func() {
		err := hook.PostReceive(t.Context(), hook.Push{
			GitDir: f.bare, Stdin: strings.NewReader(strings.Repeat("0", 40) + " " + strings.Repeat("1", 40) + " refs/heads/main\n"),
			Out: w, Getenv: func(string) string { return "" }, Now: time.Now, Key: "k",
		})
		_ = w.Close()
		done <- err
	}()
	line := make([]byte, 100)
	n, err := r.Read(line)
	if got := string(line[:n]); err != nil || got != "waybill  feeds/shop-feed  1a2b3c4  main\n" {
		t.Errorf("%q %v", got, err)
	}
	close(seen)
	if rest, err := io.ReadAll(r); err != nil || len(rest) != 0 {
		t.Errorf("%q %v", rest, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
