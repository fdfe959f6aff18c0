package plain_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/git/forge/plain"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

var _ forge.Forge = (*plain.Forge)(nil)

type fixture struct {
	git        *testkit.Git
	clone      *testkit.Clone
	bare       string
	forge      *plain.Forge
	repository waybill.Repository
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	g := testkit.NewGit(t)
	bare := g.Bare("shop.git")
	return &fixture{
		git: g, bare: bare, clone: g.Clone(bare, "work"),
		forge: plain.New(plain.Options{Dir: filepath.Join(g.Dir, "notes"), Now: noon}),
		repository: waybill.Repository{
			ID: "01J0", Name: "shop", Owner: "feeds", URL: bare, Hook: "h1", HookSecret: "s3cret",
		},
	}
}

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// push makes a commit in the repository.
func (f *fixture) push(t *testing.T) string {
	t.Helper()
	c := f.clone.Commit("change", map[string]string{"waybill.yaml": t.Name() + fmt.Sprint(time.Now().UnixNano())})
	f.clone.Push("main")
	return c
}

func (f *fixture) write(t *testing.T, commit string, statuses ...waybill.Status) {
	t.Helper()
	if _, err := f.forge.Write(t.Context(), f.repository, forge.Message{Commit: commit, Statuses: statuses}); err != nil {
		t.Fatalf("%v (%v)", err, cause(err))
	}
}

func cause(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return u.Unwrap()
	}
	return nil
}

func (f *fixture) note(commit string) string {
	return f.git.Run(f.bare, "notes", "--ref=waybill", "show", commit)
}

func status(context string, state waybill.State, description string) waybill.Status {
	return waybill.Status{Context: context, State: state, Description: description, URL: "http://h/x?a=1&b=<2>", Updated: noon()}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.push(t)
	f.write(t, c, status("waybill/shop/validate", waybill.StateSuccess, "valid"),
		status("waybill", waybill.StatePending, "in progress"), status("waybill/shop/build", waybill.StatePending, `said "no"`))
	want := `{"context":"waybill","state":"pending","description":"in progress","url":"http://h/x?a=1&b=<2>","updated":"2026-03-01T12:00:00Z"}
{"context":"waybill/shop/build","state":"pending","description":"said \"no\"","url":"http://h/x?a=1&b=<2>","updated":"2026-03-01T12:00:00Z"}
{"context":"waybill/shop/validate","state":"success","description":"valid","url":"http://h/x?a=1&b=<2>","updated":"2026-03-01T12:00:00Z"}`
	if diff := cmp.Diff(want, f.note(c)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := f.git.Run(f.bare, "ls-tree", "-r", "--name-only", "refs/notes/waybill"); got != c[:2]+"/"+c[2:] {
		t.Errorf("tree: %s", got)
	}

	tip := f.git.Run(f.bare, "rev-parse", "refs/notes/waybill")
	again := status("waybill", waybill.StatePending, "in progress")
	again.Updated = noon().Add(time.Hour)
	f.write(t, c, again, status("waybill/shop/build", waybill.StatePending, `said "no"`), status("waybill/shop/validate", waybill.StateSuccess, "valid"))
	if now := f.git.Run(f.bare, "rev-parse", "refs/notes/waybill"); now != tip {
		t.Error("equal statuses were written again")
	}

	f.write(t, c, status("waybill", waybill.StateSuccess, "1 connector"))
	want = strings.Replace(want, `"pending","description":"in progress"`, `"success","description":"1 connector"`, 1)
	if diff := cmp.Diff(want, f.note(c)); diff != "" { // the other contexts stay
		t.Errorf("(-want +got):\n%s", diff)
	}
	if out := f.git.Run(f.bare, "fsck", "--strict", "--no-dangling"); out != "" {
		t.Errorf("fsck: %s", out)
	}
	if crash, err := filepath.Glob(filepath.Join(f.bare, "fast_import_crash*")); err != nil || len(crash) != 0 {
		t.Errorf("left: %v %v", crash, err)
	}
}

// TestWriteBesideOthers keeps what other people noted, in whatever layout git gave it.
func TestWriteBesideOthers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first, second := f.push(t), f.push(t)
	f.git.Run(f.bare, "notes", "--ref=waybill", "add", "-m", "looked at by Ada", first)
	f.write(t, first, status("waybill", waybill.StatePending, "in progress"))
	f.write(t, second, status("waybill", waybill.StatePending, "in progress"))
	f.git.Run(f.bare, "notes", "--ref=waybill", "append", "-m", "and by Lin", second)
	f.write(t, first, status("waybill", waybill.StateSuccess, "done"))
	f.write(t, second, status("waybill", waybill.StateSuccess, "done"))
	for commit, text := range map[string]string{first: "looked at by Ada", second: "and by Lin"} {
		got := f.note(commit)
		if !strings.Contains(got, text) || !strings.HasPrefix(got, `{"context":"waybill","state":"success"`) || strings.Contains(got, "pending") {
			t.Errorf("note of %s: %s", commit, got)
		}
	}
	if n := strings.Count(f.git.Run(f.bare, "ls-tree", "-r", "--name-only", "refs/notes/waybill")+"\n", "\n"); n != 2 {
		t.Errorf("%d notes of 2 commits", n)
	}
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.push(t)
	s := []waybill.Status{status("waybill", waybill.StateSuccess, "x")}
	if _, err := f.forge.Write(t.Context(), f.repository, forge.Message{Commit: strings.Repeat("1", 40), Statuses: s}); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("commit gone: %v", err)
	}
	if _, err := f.forge.Write(t.Context(), f.repository, forge.Message{Commit: "HEAD", Statuses: s}); !waybill.IsCode(err, waybill.Invalid) {
		t.Errorf("no commit id: %v", err)
	}
	f.repository.URL += ".gone"
	if _, err := f.forge.Write(t.Context(), f.repository, forge.Message{Commit: c, Statuses: s}); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("repository gone: %v", err)
	}
	f.repository.URL = "https://127.0.0.1:1/x.git"
	if _, err := f.forge.Write(t.Context(), f.repository, forge.Message{Commit: c, Statuses: s}); err != nil {
		t.Errorf("a URL without PushNotes: %v", err)
	}
	f.repository.PushNotes = true
	if _, err := f.forge.Write(t.Context(), f.repository, forge.Message{Commit: c, Statuses: s}); !waybill.IsCode(err, waybill.Unavailable) {
		t.Errorf("a server that is away: %v", err)
	}
}

// TestWritersAtOnce races several processes' worth of writers for one ref.
func TestWritersAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	commits := make([]string, 6)
	for i := range commits {
		commits[i] = f.push(t)
	}
	var wg sync.WaitGroup
	for _, c := range commits {
		wg.Go(func() {
			own := plain.New(plain.Options{Dir: t.TempDir(), Now: noon, Timeout: time.Minute})
			if _, err := own.Write(t.Context(), f.repository, forge.Message{Commit: c, Statuses: []waybill.Status{status("waybill", waybill.StateSuccess, c)}}); err != nil {
				t.Errorf("%v (%v)", err, cause(err))
			}
		})
	}
	wg.Wait()
	for _, c := range commits {
		if !strings.Contains(f.note(c), c) {
			t.Errorf("the note of %s is lost", c)
		}
	}
}

func TestPushNotes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.push(t)
	f.repository.URL, f.repository.PushNotes = "file://"+f.bare, true
	f.write(t, c, status("waybill", waybill.StatePending, "in progress"))
	f.git.Run(f.bare, "notes", "--ref=waybill", "append", "-m", "by Lin", c)
	f.write(t, c, status("waybill", waybill.StateSuccess, "done"))
	tip := f.git.Run(f.bare, "rev-parse", "refs/notes/waybill")
	f.write(t, c, status("waybill", waybill.StateSuccess, "done"))
	if got := f.note(c); !strings.Contains(got, `"success"`) || !strings.Contains(got, "by Lin") || f.git.Run(f.bare, "rev-parse", "refs/notes/waybill") != tip {
		t.Errorf("note: %s", got)
	}
	f.git.Run(f.bare, "update-ref", "-d", "refs/notes/waybill")
	f.write(t, c, status("waybill", waybill.StateSuccess, "done"))
	if got := f.note(c); strings.Contains(got, "by Lin") || !strings.Contains(got, "done") {
		t.Errorf("after the ref was deleted: %s", got)
	}
}

// TestForeignOwner: what root writes must stay writable for the repository's owner.
func TestForeignOwner(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // nothing can be owned by somebody else
	}
	const uid = 12345
	f := newFixture(t)
	c := f.push(t)
	for _, dir := range []string{f.git.Dir, filepath.Dir(f.git.Dir)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	own := func(do func(path string, info fs.FileInfo)) {
		err := filepath.Walk(f.bare, func(path string, info fs.FileInfo, err error) error {
			if err == nil {
				do(path, info)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	own(func(path string, _ fs.FileInfo) {
		if err := os.Lchown(path, uid, uid); err != nil {
			t.Fatal(err)
		}
	})
	f.write(t, c, status("waybill", waybill.StateSuccess, "done"))
	if err := plain.InstallHook(t.Context(), f.repository, "/opt/waybill", "http://h/"); err != nil {
		t.Fatal(err)
	}
	own(func(path string, info fs.FileInfo) {
		if got := fmt.Sprint(info.Sys()); !strings.Contains(got, fmt.Sprintf(" %d %d ", uid, uid)) {
			t.Errorf("%s belongs to somebody else: %s", path, got)
		}
	})
	if got := f.git.Run(f.bare, "-c", "safe.directory="+f.bare, "notes", "--ref=waybill", "show", c); !strings.Contains(got, "done") {
		t.Errorf("note: %s", got)
	}
}

func TestInstallAndRemoveHook(t *testing.T) {
	t.Parallel()
	for _, hooksPath := range []string{"", "shared/hooks"} {
		f := newFixture(t)
		hooks := filepath.Join(f.bare, "hooks")
		if hooksPath != "" {
			f.git.Run(f.bare, "config", "core.hooksPath", hooksPath)
			hooks = filepath.Join(f.bare, hooksPath)
		}
		path := filepath.Join(hooks, "post-receive")
		if err := os.MkdirAll(hooks, 0o755); err != nil {
			t.Fatal(err)
		}
		theirs := "#!/bin/sh\nwhile read old new ref; do echo \"theirs $ref\"; done\n"
		if err := os.WriteFile(path, []byte(theirs), 0o755); err != nil {
			t.Fatal(err)
		}
		program := filepath.Join(f.git.Dir, "it's waybill")
		if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"ours $* $(cat)\"\nexit 3\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := plain.InstallHook(t.Context(), f.repository, program, "http://127.0.0.1:1/"); err != nil {
				t.Fatalf("%v (%v)", err, cause(err))
			}
		}
		c := f.clone.Commit("one", map[string]string{"a": "1"})
		want := "theirs refs/heads/main\nours hook post-receive " + strings.Repeat("0", 40) + " " + c + " refs/heads/main\n"
		if diff := cmp.Diff(want, testkit.Remote(f.clone.Push("-o", "waybill.nowait", "main"))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}

		info, err := os.Stat(filepath.Join(f.bare, "waybill", "hook.json"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("settings: %v %v", info, err)
		}
		if err := os.Remove(program); err != nil {
			t.Fatal(err)
		}
		f.clone.Commit("two", nil)
		if got := testkit.Remote(f.clone.Push("main")); strings.Count(got, "\n") != 2 || !strings.Contains(got, program+" is gone") {
			t.Errorf("without the program: %s", got)
		}

		if err := plain.RemoveHook(t.Context(), f.repository); err != nil {
			t.Fatal(err)
		}
		f.clone.Commit("three", nil)
		if got := testkit.Remote(f.clone.Push("main")); got != "theirs refs/heads/main\n" {
			t.Errorf("after removal: %s", got)
		}
		if _, err := os.Stat(filepath.Join(f.bare, "waybill")); err == nil {
			t.Error("the settings are still there")
		}
	}
}

func TestInstallHookNeverLosesAHook(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	path := filepath.Join(f.bare, "hooks", "post-receive")
	for _, name := range []string{path, path + ".before-waybill"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("#!/bin/sh\n# "+name+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := plain.InstallHook(t.Context(), f.repository, "/opt/waybill", "http://h"); !waybill.IsCode(err, waybill.Conflict) {
		t.Errorf("got %v", err)
	}
	if err := plain.RemoveHook(t.Context(), f.repository); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || !strings.Contains(string(b), path) {
		t.Errorf("%s %v", b, err)
	}
}

func BenchmarkWrite(b *testing.B) {
	g := testkit.NewGit(b)
	bare := g.Bare("shop.git")
	clone := g.Clone(bare, "work")
	c := clone.Commit("one", map[string]string{"a": "1"})
	clone.Push("main")
	f := plain.New(plain.Options{Dir: b.TempDir(), Now: noon})
	r := waybill.Repository{ID: "01J0", Name: "shop", Owner: "feeds", URL: bare}
	for i := range b.N {
		if _, err := f.Write(b.Context(), r, forge.Message{Commit: c, Statuses: []waybill.Status{status("waybill", waybill.StateSuccess, fmt.Sprint(i))}}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestNotesAreJSONLines(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.push(t)
	f.write(t, c, status("waybill", waybill.StateFailure, "a\nb\u2028<x> \"quoted\" ünï"))
	for l := range strings.Lines(f.note(c)) {
		var m map[string]string
		if err := json.Unmarshal([]byte(l), &m); err != nil || len(m) != 5 || m["description"] != "a\nb\u2028<x> \"quoted\" ünï" {
			t.Errorf("%s: %v", l, err)
		}
	}
}
