package repo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// reopen forgets everything that is in memory, as a restart does.
func (f *fixture) reopen(t *testing.T) {
	t.Helper()
	mirrors, err := repo.Open(f.dir, repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f.mirrors = mirrors
}

// each calls do for every file below the mirror's objects.
func (f *fixture) each(do func(path string) error) error {
	return filepath.WalkDir(filepath.Join(f.dir, "01J0.git", "objects"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return do(path)
	})
}

// cut halves a file.
func cut(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return errors.Join(os.Chmod(path, 0o644), os.Truncate(path, info.Size()/2))
}

// inPacks repacks the mirror and then calls do for every file of the pack with that suffix.
func (f *fixture) inPacks(suffix string, do func(path string) error) error {
	if err := f.mirrors.Repack(f.ctx, f.repository); err != nil {
		return err
	}
	return f.each(func(path string) error {
		if strings.HasSuffix(path, suffix) {
			return do(path)
		}
		return nil
	})
}

// TestDamagedMirrorHeals breaks a mirror in every way a crash or a disk can, and reads from it as if nothing happened.
func TestDamagedMirrorHeals(t *testing.T) {
	t.Parallel()
	harms := map[string]func(f *fixture) error{
		"objects gone": func(f *fixture) error { return f.each(os.Remove) },
		"objects empty": func(f *fixture) error {
			return f.each(func(p string) error { return errors.Join(os.Chmod(p, 0o644), os.Truncate(p, 0)) })
		},
		"objects cut short": func(f *fixture) error { return f.each(cut) },
		"one object gone": func(f *fixture) error {
			id := f.clone.Run("rev-parse", "HEAD:sub")
			return os.Remove(filepath.Join(f.dir, "01J0.git", "objects", id[:2], id[2:]))
		},
		"folders gone":            func(f *fixture) error { return os.RemoveAll(filepath.Join(f.dir, "01J0.git", "objects")) },
		"packed, index cut short": func(f *fixture) error { return f.inPacks(".idx", cut) },
		"packed, pack cut short":  func(f *fixture) error { return f.inPacks(".pack", cut) },
		"index without pack, rubbish": func(f *fixture) error {
			return f.inPacks(".pack", func(p string) error {
				return errors.Join(os.Remove(p), os.WriteFile(filepath.Join(filepath.Dir(p), "tmp_pack_1"), []byte("PACK"), 0o600))
			})
		},
	}
	for name, harm := range harms {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart %v", name, restart), func(t *testing.T) {
				t.Parallel()
				f := newFixture(t, repo.Options{})
				gone := f.clone.Commit("zero", map[string]string{"a": "0"})
				f.clone.Push("main")
				f.fetch(t, "refs/heads/main")
				f.clone.Run("commit", "--quiet", "--amend", "-m", "rewritten")
				c1 := f.clone.Commit("one", map[string]string{"a": "1", "sub/b": "1"})
				f.clone.Push("--force", "main")
				f.fetch(t, "refs/heads/main")
				f.git.Run(f.bare, "reflog", "expire", "--expire=now", "--all")
				f.git.Run(f.bare, "gc", "--quiet", "--prune=now")
				if err := harm(f); err != nil {
					t.Fatal(err)
				}
				if restart {
					f.reopen(t)
				}
				if got := read(t, f.tree(t, c1), "sub/b"); got != "1" {
					t.Errorf("sub/b is %q", got)
				}
				if changed, err := f.mirrors.Changed(t.Context(), f.repository, "", c1); err != nil || !cmp.Equal(changed, []string{"a", "sub/b"}) {
					t.Errorf("changed: %v %v", changed, err)
				}
				if name != "one object gone" { // else nobody met the damage in the history
					if _, err := f.mirrors.Tree(t.Context(), f.repository, gone); !waybill.IsCode(err, waybill.NotFound) {
						t.Errorf("a commit that nobody has: %v", err)
					}
				}
				c2 := f.clone.Commit("two", map[string]string{"a": "2"})
				f.clone.Push("main")
				if got := f.fetch(t, "refs/heads/main"); got != c2 {
					t.Errorf("fetched %s, want %s", got, c2)
				}
				if got := read(t, f.tree(t, c2), "sub/b"); got != "1" {
					t.Errorf("sub/b is %q", got)
				}
				if out := f.git.Run(filepath.Join(f.dir, "01J0.git"), "fsck", "--no-dangling", "--connectivity-only"); strings.Contains(out, "missing") {
					t.Errorf("fsck: %s", out)
				}
			})
		}
	}
}

// TestHealNeedsTheRepository: without it the damage is reported as something that passes, and nothing is lost.
func TestHealNeedsTheRepository(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{})
	c := f.clone.Commit("one", map[string]string{"a": "1"})
	f.clone.Push("main")
	f.fetch(t, "refs/heads/main")
	if err := f.each(os.Remove); err != nil {
		t.Fatal(err)
	}
	f.reopen(t)
	away := f.bare + ".away"
	if err := os.Rename(f.bare, away); err != nil {
		t.Fatal(err)
	}
	if _, err := f.mirrors.Tree(t.Context(), f.repository, c); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("got %v", err)
	}
	if err := os.Rename(away, f.bare); err != nil {
		t.Fatal(err)
	}
	if got := read(t, f.tree(t, c), "a"); got != "1" {
		t.Errorf("a is %q", got)
	}
}

// TestTreeSurvivesRepackAndFetch reads from a tree that was opened before the packs under it changed.
func TestTreeSurvivesRepackAndFetch(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{})
	files := map[string]string{}
	for i := range 300 { // more objects than are stored singly
		files[fmt.Sprintf("d%d/f%d", i%7, i)] = fmt.Sprint(i)
	}
	c := f.clone.Commit("many", files)
	f.clone.Push("main")
	f.fetch(t, "refs/heads/main")
	tree := f.tree(t, c)
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 3 {
			if err := f.mirrors.Repack(t.Context(), f.repository); err != nil {
				t.Error(err)
			}
			f.clone.Commit("next", map[string]string{"n": time.Now().String()})
			f.clone.Push("main")
			f.fetch(t, "refs/heads/main")
		}
	})
	for range 4 {
		wg.Go(func() {
			for name, want := range files {
				if got := read(t, tree, name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
	wg.Wait()
}

// TestLargeFile reads a file that is streamed, from single objects and from a pack.
func TestLargeFile(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{})
	text := strings.Repeat("0123456789abcdef", 200_000)
	c := f.clone.Commit("one", map[string]string{"large": text})
	c2 := f.clone.Commit("two", map[string]string{"large": text[:2_000_000] + "changed" + text[2_000_000:]})
	f.clone.Push("main")
	f.fetch(t, "refs/heads/main")
	f.clone.Push("--force", c+":refs/heads/old")
	f.fetch(t, "refs/heads/old")
	for _, packed := range []bool{false, true} {
		if packed {
			if err := f.mirrors.Repack(t.Context(), f.repository); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if read(t, f.tree(t, c), "large") != text {
					t.Error("the file differs")
				}
				if got := read(t, f.tree(t, c2), "large"); len(got) != len(text)+7 || got[2_000_000:2_000_007] != "changed" {
					t.Errorf("the second file differs: %d bytes", len(got))
				}
			})
		}
		wg.Wait()
	}
}

// TestHTTP fetches through the real git http-backend, with and without credentials.
func TestHTTP(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{Credentials: func(_ context.Context, r waybill.Repository) (string, string, error) {
		if r.Name == "closed" {
			return "ada", "wrong", nil
		}
		return "ada", "s3cret", nil
	}})
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + f.git.Dir, "GIT_HTTP_EXPORT_ALL=1"}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "s3cret" {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)

	f.repository.URL = srv.URL + "/shop.git"
	if tips, head, err := f.mirrors.Tips(t.Context(), f.repository); err != nil || len(tips) != 0 || head != "" {
		t.Errorf("empty: %v %q %v", tips, head, err)
	}
	f.clone.Commit("one", map[string]string{"a": "1"})
	f.clone.Push("main")
	f.fetch(t, "refs/heads/main")
	c := f.clone.Commit("two", map[string]string{"a": "2"})
	f.clone.Push("main")
	if got := f.fetch(t, "refs/heads/main"); got != c || read(t, f.tree(t, c), "a") != "2" {
		t.Errorf("fetched %s, want %s", got, c)
	}
	if tips, head, err := f.mirrors.Tips(t.Context(), f.repository); err != nil || tips["refs/heads/main"] != c || head != "main" {
		t.Errorf("%v %q %v", tips, head, err)
	}
	for name, want := range map[string]waybill.Code{"closed": waybill.Denied, "gone": waybill.NotFound} {
		r := waybill.Repository{ID: "01J2", Name: name, Owner: "feeds", URL: srv.URL + "/" + name + ".git"}
		if _, _, err := f.mirrors.Tips(t.Context(), r); !waybill.IsCode(err, want) {
			t.Errorf("%s: %v (%v)", name, err, cause(err))
		}
	}
}

// TestHangingServer: a server that accepts and never answers is given up.
func TestHangingServer(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{ListTimeout: 50 * time.Millisecond, FetchTimeout: 50 * time.Millisecond})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(srv.Close)
	for _, url := range []string{srv.URL + "/x.git", "ssh://git@" + strings.TrimPrefix(srv.URL, "http://") + "/x.git"} {
		f.repository.URL = url
		if _, _, err := f.mirrors.Tips(t.Context(), f.repository); !waybill.IsCode(err, waybill.Unavailable) && !waybill.IsCode(err, waybill.Denied) {
			t.Errorf("%s: %v", url, err)
		}
		if _, err := f.mirrors.Fetch(t.Context(), f.repository, "refs/heads/main"); err == nil {
			t.Errorf("%s: fetched", url)
		}
	}
}

func BenchmarkFetchSmallPush(b *testing.B) {
	g := testkit.NewGit(b)
	bare := g.Bare("shop.git")
	clone := g.Clone(bare, "work")
	mirrors, err := repo.Open(filepath.Join(g.Dir, "mirrors"), repo.Options{})
	if err != nil {
		b.Fatal(err)
	}
	r := waybill.Repository{ID: "01J0", Name: "shop", Owner: "feeds", URL: bare}
	for i := range b.N {
		b.StopTimer()
		clone.Commit("x", map[string]string{"sub/a": fmt.Sprint(i)})
		clone.Push("main")
		b.StartTimer()
		c, err := mirrors.Fetch(b.Context(), r, "refs/heads/main")
		if err == nil {
			_, err = mirrors.Tree(b.Context(), r, c)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWalk10000(b *testing.B) {
	g := testkit.NewGit(b)
	bare := g.Bare("shop.git")
	clone := g.Clone(bare, "work")
	files := map[string]string{}
	for i := range 10_000 {
		files[fmt.Sprintf("d%02d/e%d/f%d", i%50, i%7, i)] = fmt.Sprint("content ", i)
	}
	c := clone.Commit("many", files)
	clone.Push("main")
	mirrors, err := repo.Open(filepath.Join(g.Dir, "mirrors"), repo.Options{})
	if err != nil {
		b.Fatal(err)
	}
	r := waybill.Repository{ID: "01J0", Name: "shop", Owner: "feeds", URL: bare}
	if _, err := mirrors.Fetch(b.Context(), r, "refs/heads/main"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		tree, err := mirrors.Tree(b.Context(), r, c)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		if err := tree.Walk(b.Context(), func(waybill.File) error { n++; return nil }); err != nil || n != 10_000 {
			b.Fatal(n, err)
		}
	}
}
