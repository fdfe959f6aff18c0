//go:build gitea

package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/testkit"
)

// clockwork stands between Gitea and Waybill in both directions and notes when what passed.
type clockwork struct {
	mu      sync.Mutex
	hooks   map[string]time.Time            // by commit: when the hook of its push arrived
	shown   map[string]map[string]time.Time // by commit and "context state": when Gitea had taken it
	changed chan struct{}
}

// proxy forwards to a base address; before and after see each request, and its answer.
func (c *clockwork) proxy(b *testing.B, to string, before func(path string, body []byte), after func(path string, code int, body []byte)) string {
	b.Helper()
	target, err := url.Parse(to)
	if err != nil {
		b.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(target)
	through.FlushInterval = -1
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || strings.HasSuffix(r.URL.Path, "git-upload-pack") {
			through.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		before(r.URL.Path, body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := &answered{ResponseWriter: w, code: http.StatusOK}
		through.ServeHTTP(answer, r)
		after(r.URL.Path, answer.code, body)
	}))
	b.Cleanup(s.Close)
	return s.URL
}

// answered remembers the code of an answer.
type answered struct {
	http.ResponseWriter
	code int
}

func (a *answered) WriteHeader(code int) {
	a.code = code
	a.ResponseWriter.WriteHeader(code)
}

// hook notes a push that Gitea tells of.
func (c *clockwork) hook(path string, body []byte) {
	var push struct{ After string }
	if strings.HasPrefix(path, "/hooks/") && json.Unmarshal(body, &push) == nil && push.After != "" {
		c.note(func() { c.hooks[push.After] = time.Now() })
	}
}

// status notes a status that Gitea took.
func (c *clockwork) status(path string, code int, body []byte) {
	var s struct{ Context, State string }
	_, commit, ok := strings.Cut(path, "/statuses/")
	if !ok || code != http.StatusCreated || json.Unmarshal(body, &s) != nil {
		return
	}
	c.note(func() {
		if c.shown[commit] == nil {
			c.shown[commit] = map[string]time.Time{"first": time.Now()}
		}
		c.shown[commit][s.Context+" "+s.State] = time.Now()
	})
}

func (c *clockwork) note(fn func()) {
	c.mu.Lock()
	fn()
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// wait returns how long after its hook a commit showed something.
func (c *clockwork) wait(b *testing.B, commit, what string) time.Duration {
	b.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		c.mu.Lock()
		at, ok := c.shown[commit][what]
		from := c.hooks[commit]
		c.mu.Unlock()
		if ok {
			return at.Sub(from)
		}
		select {
		case <-c.changed:
		case <-limit.C:
			b.Fatalf("%s never showed %s", commit, what)
		}
	}
}

// BenchmarkGiteaPush measures what a pusher waits for at a real Gitea, from the arrival of the hook, as Gitea holds that
// back for longer than anything here takes: until the first status is visible, and until `validate` has its result. By
// hand is the same as a script does it, with nothing between knowing of the push and beginning. Each push is to a branch
// of its own, as one that moves often is looked at once for several pushes.
func BenchmarkGiteaPush(b *testing.B) {
	w := newForgeWorld(b, "gitea-bench")
	c := &clockwork{hooks: map[string]time.Time{}, shown: map[string]map[string]time.Time{}, changed: make(chan struct{}, 1)}
	nothing := func(string, []byte) {}
	inside := c.proxy(b, "http://"+w.address, c.hook, func(string, int, []byte) {})
	outside := c.proxy(b, w.gitea.URL, nothing, c.status)
	direct := w.gitea.URL
	w.gitea.URL = outside
	w.configure("publicURL: " + inside + "\n")
	w.gitea.URL = direct
	w.start()
	w.waybill("repo", "add", outside+"/"+w.path, "--owner", "feeds")
	w.clone.Push("main")
	w.ends(w.clone.Run("rev-parse", "HEAD"))
	hand := w.git.Clone(w.gitea.CloneURL(w.path), "hand")

	var first, validated, fetches, statuses, scripts []time.Duration
	for i := range b.N {
		branch := fmt.Sprintf("try-%d", i)
		commit := w.clone.Commit("Try", map[string]string{"waybill.yaml": strings.Replace(w.manifest(""), "A feed", fmt.Sprintf("Feed %d", i), 1)})
		w.clone.Push("HEAD:refs/heads/" + branch)
		validated = append(validated, c.wait(b, commit, "waybill/"+w.connector+"/validate success"))
		first = append(first, c.wait(b, commit, "first"))
		w.ends(commit)
		script := w.byHand(b, hand, branch, commit)
		fetches, statuses, scripts = append(fetches, script.fetch), append(statuses, script.status), append(scripts, script.all)
	}
	report(b, "first-p50-ms", first, 50, 50)
	report(b, "validate-p50-ms", validated, 50, 150)
	report(b, "hand-p50-ms", scripts, 50, 0)
	report(b, "hand-fetch-p50-ms", fetches, 50, 0)
	report(b, "hand-status-p50-ms", statuses, 50, 0)
	b.ReportMetric(median(validated)/median(scripts), "times-by-hand")
	b.ReportMetric(1.5, "target-times-by-hand")
	b.ReportMetric(0, "ns/op") // the time of a push is Gitea's
}

func median(all []time.Duration) float64 { return float64(all[len(all)/2]) } // sorted by report

// byHand is what a script spends on a push: all of it, and the two parts without which nothing can be said of a commit.
type byHand struct{ fetch, status, all time.Duration }

// byHand fetches, validates and tells Gitea, as a script would.
func (w *forgeWorld) byHand(b *testing.B, hand *testkit.Clone, branch, commit string) (took byHand) {
	b.Helper()
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, args ...string) time.Duration {
		start := time.Now()
		cmd := exec.CommandContext(b.Context(), name, args...)
		cmd.Dir, cmd.Env = hand.Dir, w.git.Env()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("by hand: %v\n%s", err, out)
		}
		return time.Since(start)
	}
	took.fetch = run("git", "fetch", "--quiet", "--depth", "1", "origin", branch)
	took.all = took.fetch + run("git", "checkout", "--quiet", "FETCH_HEAD") + run(program, "validate")
	start := time.Now()
	w.call(http.MethodPost, "/statuses/"+commit, map[string]any{"context": "by-hand", "state": "success"}, nil)
	took.status = time.Since(start)
	took.all += took.status
	return took
}
