package repo_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// small makes every repository of more than a few bytes a large one.
const small = 4 << 10

// serve serves the repositories of a folder over HTTP with git's own program, to ada only.
func serve(tb testing.TB, folder string) string {
	tb.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		tb.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "s3cret" {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		env := []string{"GIT_PROJECT_ROOT=" + folder, "GIT_HTTP_EXPORT_ALL=1", "GIT_PROTOCOL=" + r.Header.Get("Git-Protocol")}
		(&cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: env, Stderr: io.Discard}).ServeHTTP(w, r)
	}))
	tb.Cleanup(srv.Close)
	return srv.URL
}

func login(context.Context, waybill.Repository) (user, password string, err error) {
	return "ada", "s3cret", nil
}

// isLarge reports whether the mirror was left to the git program.
func (f *fixture) isLarge() bool {
	_, err := os.Stat(filepath.Join(f.dir, "01J0.git", "large"))
	return err == nil
}

// TestLarge follows a repository that the git program fetches, from this machine and over HTTP.
func TestLarge(t *testing.T) {
	t.Parallel()
	for _, over := range []string{"folder", "http"} {
		for name, o := range map[string]repo.Options{
			"bytes": {LargePack: small, Credentials: login}, "refs": {LargeRefs: 2, Credentials: login},
		} {
			t.Run(over+" "+name, func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, o)
				if over == "http" {
					f.repository.URL = serve(t, f.git.Dir) + "/shop.git"
				}
				f.clone.Commit("zero", map[string]string{"old": "0", "noise": noise(2 * small)})
				c1 := f.clone.Commit("one", map[string]string{"sub/a": "1"})
				f.clone.Run("tag", "-a", "-m", "first", "v1.0.0")
				f.clone.Run("branch", "other")
				f.clone.Push("main", "other", "--tags")
				if got := f.fetch(t, "refs/heads/main"); got != c1 || !f.isLarge() {
					t.Fatalf("fetched %s, want %s; left to git: %t", got, c1, f.isLarge())
				}
				c2 := f.clone.Commit("two", map[string]string{"sub/a": "2"})
				f.clone.Push("main")
				for range 2 { // the second time nothing is new
					if got := f.fetch(t, "refs/heads/main"); got != c2 {
						t.Fatalf("fetched %s, want %s", got, c2)
					}
				}
				if got := f.fetch(t, "refs/tags/v1.0.0"); got != c1 {
					t.Errorf("the tag is %s, want %s", got, c1)
				}
				f.checkLarge(t, c1, c2)
				f.mirrors, _ = repo.Open(f.dir, repo.Options{Credentials: login})
				f.checkLarge(t, c1, c2)
				for range 2 {
					if err := f.mirrors.Repack(t.Context(), f.repository); err != nil {
						t.Fatal(err, cause(err))
					}
				}
				f.checkLarge(t, c1, c2)
				if err := f.each(os.Remove); err != nil {
					t.Fatal(err)
				}
				f.mirrors, _ = repo.Open(f.dir, repo.Options{Credentials: login})
				f.checkLarge(t, c1, c2)
				if out := f.git.Run(filepath.Join(f.dir, "01J0.git"), "fsck", "--no-dangling", "--connectivity-only"); strings.Contains(out, "missing") {
					t.Errorf("fsck: %s", out)
				}
			})
		}
	}
}

// checkLarge reads two commits of a mirror without history.
func (f *fixture) checkLarge(t *testing.T, c1, c2 string) {
	t.Helper()
	if got := read(t, f.tree(t, c2), "sub/a"); got != "2" {
		t.Errorf("sub/a is %q", got)
	}
	if got := len(read(t, f.tree(t, c1), "noise")); got != 2*small {
		t.Errorf("noise has %d bytes", got)
	}
	if got, err := f.mirrors.Changed(t.Context(), f.repository, c1, c2); err != nil || !cmp.Equal(got, []string{"sub/a"}) {
		t.Errorf("changed: %v %v", got, err)
	}
	if base, err := f.mirrors.MergeBase(t.Context(), f.repository, c1, c2); !waybill.IsCode(err, waybill.TooLarge) {
		t.Errorf("nobody knows where they parted: %q %v", base, err)
	}
	if got := f.fetch(t, "refs/heads/main"); got != c2 {
		t.Errorf("fetched %s, want %s", got, c2)
	}
	for _, ref := range []string{"refs/heads/gone", "refs/heads/a:refs/heads/b", "--upload-pack=touch"} {
		if _, err := f.mirrors.Fetch(t.Context(), f.repository, ref); !waybill.IsCode(err, waybill.NotFound) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

// TestLargeRefused: what keeps the git program from fetching has the code that it has without it.
func TestLargeRefused(t *testing.T) {
	t.Parallel()
	password := "s3cret"
	f := newFixture(t, repo.Options{LargePack: small, Credentials: func(context.Context, waybill.Repository) (string, string, error) {
		return "ada", password, nil
	}})
	url := serve(t, f.git.Dir)
	f.repository.URL = url + "/shop.git"
	f.clone.Commit("one", map[string]string{"noise": noise(2 * small)})
	f.clone.Push("main")
	f.fetch(t, "refs/heads/main")
	password = "wrong"
	if _, err := f.mirrors.Fetch(t.Context(), f.repository, "refs/heads/main"); !waybill.IsCode(err, waybill.Denied) {
		t.Errorf("wrong password: %v", err)
	}
	password, f.repository.URL = "s3cret", url+"/gone.git"
	if _, err := f.mirrors.Fetch(t.Context(), f.repository, "refs/heads/main"); !waybill.IsCode(err, waybill.Unavailable) {
		t.Errorf("no repository: %v", err)
	}
	f.repository.URL = "ext::sh -c 'touch " + f.dir + "/run'"
	if _, err := f.mirrors.Fetch(t.Context(), f.repository, "refs/heads/main"); err == nil {
		t.Error("a command as an address was taken")
	}
	if _, err := os.Stat(filepath.Join(f.dir, "run")); err == nil {
		t.Error("an address was run")
	}
}

// TestLargeBombs: what is too large is refused with its commit, and leaves nothing behind.
func TestLargeBombs(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("0", 3<<20)
	many := map[string]string{"zeros": zeros}
	for i := range 200 {
		many[fmt.Sprintf("f%d", i)] = fmt.Sprint(i)
	}
	for name, bomb := range map[string]struct {
		options repo.Options
		files   map[string]string
	}{
		"file in a pack": {repo.Options{LargePack: small, MaxObject: 1 << 20}, many},
		"file":           {repo.Options{LargePack: small, MaxObject: 1 << 20}, map[string]string{"zeros": zeros}},
		"pack":           {repo.Options{LargePack: small, MaxPack: 2 << 20}, map[string]string{"noise": noise(4 << 20)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, bomb.options)
			f.clone.Commit("one", map[string]string{"noise": noise(2 * small)})
			f.clone.Push("main")
			c1 := f.fetch(t, "refs/heads/main")
			c2 := f.clone.Commit("two", bomb.files)
			f.clone.Push("main")
			got, err := f.mirrors.Fetch(t.Context(), f.repository, "refs/heads/main")
			if !waybill.IsCode(err, waybill.TooLarge) || got != c2 {
				t.Errorf("got %s, %v (%v), want %s, too_large", got, err, cause(err), c2)
			}
			left, err := filepath.Glob(filepath.Join(f.dir, "01J0.git/objects/pack/tmp_*"))
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
			if got := len(read(t, f.tree(t, c1), "noise")); got != 2*small {
				t.Errorf("noise has %d bytes", got)
			}
		})
	}
}

// TestLargeEndless: a server that never comes to an end is left, with all that git started.
func TestLargeEndless(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{LargePack: small, FetchTimeout: 2 * time.Second})
	f.clone.Commit("one", map[string]string{"noise": noise(2 * small)})
	f.clone.Push("main")
	f.fetch(t, "refs/heads/main")
	asked := make(chan struct{}, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		_, _ = w.Write([]byte("001e# service=git-upload-pack\n0000000eversion 2\n"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(srv.Close)
	f.repository.URL = srv.URL + "/endless.git"
	start := time.Now()
	_, err := f.mirrors.Fetch(t.Context(), f.repository, "refs/heads/main")
	if !waybill.IsCode(err, waybill.Unavailable) || time.Since(start) > 30*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
	if len(asked) == 0 {
		t.Error("the server was not asked")
	}
}

// TestLargeGarbage: a server that answers anything at all changes nothing.
func TestLargeGarbage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{LargePack: small})
	f.clone.Commit("one", map[string]string{"noise": noise(2 * small)})
	f.clone.Push("main")
	c := f.fetch(t, "refs/heads/main")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		_, _ = io.WriteString(w, "001e# service=git-upload-pack\n0000"+noise(1000)+r.URL.Path)
	}))
	t.Cleanup(srv.Close)
	there := f.repository.URL
	f.repository.URL = srv.URL + "/x.git"
	if _, err := f.mirrors.Fetch(t.Context(), f.repository, "refs/heads/main"); !waybill.IsCode(err, waybill.Unavailable) {
		t.Errorf("got %v", err)
	}
	f.repository.URL = there
	if got := f.fetch(t, "refs/heads/main"); got != c {
		t.Errorf("fetched %s, want %s", got, c)
	}
}
