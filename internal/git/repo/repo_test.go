package repo_test

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

type fixture struct {
	ctx        context.Context //nolint:containedctx // of the test
	git        *testkit.Git
	clone      *testkit.Clone
	bare       string
	dir        string
	mirrors    *repo.Mirrors
	repository waybill.Repository
}

func newFixture(t *testing.T, o repo.Options) *fixture {
	t.Helper()
	g := testkit.NewGit(t)
	bare := g.Bare("shop.git")
	dir := filepath.Join(g.Dir, "mirrors")
	mirrors, err := repo.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{
		ctx: t.Context(), git: g, clone: g.Clone(bare, "work"), bare: bare, dir: dir, mirrors: mirrors,
		repository: waybill.Repository{ID: "01J0", Name: "shop", Owner: "feeds", URL: bare},
	}
}

func (f *fixture) fetch(t *testing.T, ref string) string {
	t.Helper()
	commit, err := f.mirrors.Fetch(t.Context(), f.repository, ref)
	if err != nil {
		t.Fatalf("fetch %s: %v (%v)", ref, err, cause(err))
	}
	return commit
}

func (f *fixture) tree(t *testing.T, commit string) waybill.Tree {
	t.Helper()
	tree, err := f.mirrors.Tree(t.Context(), f.repository, commit)
	if err != nil {
		t.Fatalf("tree: %v (%v)", err, cause(err))
	}
	return tree
}

func cause(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return u.Unwrap()
	}
	return nil
}

func read(t *testing.T, tree waybill.Tree, name string) string {
	t.Helper()
	r, err := tree.Open(t.Context(), name)
	if err != nil {
		t.Fatalf("open %s: %v (%v)", name, err, cause(err))
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTips(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{})
	tips, head, err := f.mirrors.Tips(t.Context(), f.repository)
	if err != nil || len(tips) != 0 || head != "" {
		t.Fatalf("empty repository: %v %q %v", tips, head, err)
	}

	c1 := f.clone.Commit("one", map[string]string{"a": "1"})
	f.clone.Run("tag", "light")
	f.clone.Run("tag", "-a", "-m", "first", "v1.0.0")
	c2 := f.clone.Commit("two", map[string]string{"a": "2"})
	f.clone.Run("branch", "topic/x")
	f.clone.Run("notes", "--ref=waybill", "add", "-m", "note")
	f.clone.Push("main", "topic/x", "--tags", "refs/notes/waybill")
	f.clone.Run("push", "--quiet", "origin", "HEAD:refs/waybill/x")

	tips, head, err = f.mirrors.Tips(t.Context(), f.repository)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"refs/heads/main": c2, "refs/heads/topic/x": c2, "refs/tags/light": c1, "refs/tags/v1.0.0": c1,
	}
	if diff := cmp.Diff(want, tips); diff != "" || head != "main" {
		t.Errorf("head %q, tips (-want +got):\n%s", head, diff)
	}
}

func TestFetchAndTree(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{})
	f.clone.Write(map[string]string{"waybill.yaml": "kind: Connector\n", "sub/dir/run.sh": "#!/bin/sh\n", "zero": ""})
	if err := os.Chmod(filepath.Join(f.clone.Dir, "sub/dir/run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../waybill.yaml", filepath.Join(f.clone.Dir, "sub/link")); err != nil {
		t.Fatal(err)
	}
	c1 := f.clone.Commit("one", nil)
	f.clone.Run("tag", "-a", "-m", "first", "v1.0.0")
	f.clone.Run("tag", "-a", "-m", "tag of a tag", "outer", "v1.0.0")
	f.clone.Push("main", "v1.0.0", "outer")

	for _, ref := range []string{"refs/heads/main", "refs/tags/v1.0.0", "refs/tags/outer", "refs/heads/main"} {
		if got := f.fetch(t, ref); got != c1 {
			t.Errorf("%s is %s, want %s", ref, got, c1)
		}
	}
	if got := f.git.Run(filepath.Join(f.dir, "01J0.git"), "for-each-ref", "--format=%(refname)"); got != "refs/waybill/"+c1 {
		t.Errorf("refs of the mirror: %s", got)
	}

	tree := f.tree(t, c1)
	got := map[string]string{}
	err := tree.Walk(t.Context(), func(file waybill.File) error {
		got[file.Path] = file.Mode.String() + " " + read(t, tree, file.Path)
		size, err := tree.Size(t.Context(), file.Path)
		if err != nil {
			t.Fatal(err)
		}
		if want := f.clone.Run("rev-parse", c1+":"+file.Path); file.Blob != want || size != int64(len(read(t, tree, file.Path))) {
			t.Errorf("%s: blob %s size %d, want blob %s", file.Path, file.Blob, size, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"waybill.yaml": "-rw-r--r-- kind: Connector\n", "sub/dir/run.sh": "-rwxr-xr-x #!/bin/sh\n",
		"sub/link": (fs.ModeSymlink | 0o777).String() + " ../waybill.yaml", "zero": "-rw-r--r-- ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if _, err := tree.Open(t.Context(), "sub"); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := f.mirrors.Tree(t.Context(), f.repository, strings.Repeat("1", 40)); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("a commit that was not fetched: %v", err)
	}
}

// TestFetchTelling: the tip of a branch is told of while none of its objects are here, and once.
func TestFetchTelling(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{})
	commit := f.clone.Commit("Begin", map[string]string{"a": "1"})
	f.clone.Run("tag", "-a", "-m", "tagged", "v1")
	f.clone.Push("main", "v1")
	var told []string
	tell := func(sha string) error {
		if _, err := f.mirrors.Tree(t.Context(), f.repository, sha); !waybill.IsCode(err, waybill.NotFound) {
			t.Errorf("%s is here already: %v", sha, err)
		}
		told = append(told, sha)
		return waybill.Errorf(waybill.Conflict, "stop")
	}
	if _, err := f.mirrors.FetchTelling(t.Context(), f.repository, "refs/heads/main", tell); !waybill.IsCode(err, waybill.Conflict) {
		t.Errorf("got %v, want what told said", err)
	}
	for _, ref := range []string{"refs/tags/v1", "refs/heads/main"} {
		if got, err := f.mirrors.FetchTelling(t.Context(), f.repository, ref, tell); got != commit || err != nil {
			t.Errorf("%s: %s, %v", ref, got, err)
		}
	}
	if diff := cmp.Diff([]string{commit}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestFetchFollowsRewrittenHistory(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{})
	base := f.clone.Commit("base", map[string]string{"a": "0", "b": "0"})
	old := f.clone.Commit("old", map[string]string{"a": "1"})
	f.clone.Push("main")
	f.fetch(t, "refs/heads/main")
	f.clone.Run("reset", "--quiet", "--hard", base)
	rewritten := f.clone.Commit("rewritten", map[string]string{"a": "2", "c/d": "2"})
	f.clone.Push("--force", "main")
	f.git.Run(f.bare, "reflog", "expire", "--expire=now", "--all")
	f.git.Run(f.bare, "gc", "--quiet", "--prune=now")

	if got := f.fetch(t, "refs/heads/main"); got != rewritten {
		t.Fatalf("tip is %s, want %s", got, rewritten)
	}
	if got := read(t, f.tree(t, rewritten), "a"); got != "2" {
		t.Errorf("a is %q", got)
	}
	changed, err := f.mirrors.Changed(t.Context(), f.repository, old, rewritten)
	if diff := cmp.Diff([]string{"a", "c/d"}, changed); err != nil || diff != "" {
		t.Errorf("changed: %v\n%s", err, diff)
	}
	if all, err := f.mirrors.Changed(t.Context(), f.repository, "", rewritten); err != nil || !cmp.Equal(all, []string{"a", "b", "c/d"}) {
		t.Errorf("everything: %v %v", all, err)
	}
}

func TestChangedSeesFileBecomeFolder(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{})
	c1 := f.clone.Commit("one", map[string]string{"x": "1", "keep": "k", "gone/a": "1"})
	f.clone.Push("main")
	f.fetch(t, "refs/heads/main")
	f.clone.Run("rm", "--quiet", "-r", "x", "gone")
	c2 := f.clone.Commit("two", map[string]string{"x/y": "1"})
	f.clone.Push("main")
	f.fetch(t, "refs/heads/main")
	got, err := f.mirrors.Changed(t.Context(), f.repository, c1, c2)
	if diff := cmp.Diff([]string{"gone/a", "x", "x/y"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{MaxFiles: 3, MaxFileSize: 10})
	at := func(url string) waybill.Repository {
		return waybill.Repository{ID: "01J1", Name: "x", Owner: "feeds", URL: url}
	}
	c := f.clone.Commit("one", map[string]string{"a": "1", "long": strings.Repeat("x", 11)})
	f.clone.Run("tag", "picture", f.clone.Run("rev-parse", "HEAD:a"))
	f.clone.Push("main", "picture")

	if _, err := f.mirrors.Fetch(t.Context(), f.repository, "refs/heads/gone"); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("ref gone: %v", err)
	}
	if _, err := f.mirrors.Fetch(t.Context(), at(f.git.Dir+"/nowhere.git"), "refs/heads/main"); !waybill.IsCode(err, waybill.Unavailable) {
		t.Errorf("repository gone, which does not mean that its refs are: %v", err)
	}
	if _, err := f.mirrors.Fetch(t.Context(), f.repository, "refs/tags/picture"); !waybill.IsCode(err, waybill.Invalid) {
		t.Errorf("tag of a blob: %v", err)
	}
	for url, want := range map[string]waybill.Code{
		f.git.Dir + "/nowhere.git":        waybill.NotFound,
		f.git.Dir:                         waybill.NotFound,
		"ftp://example.org/x.git":         waybill.Invalid,
		"http://ada:s3cret@127.0.0.1:1/x": waybill.Unavailable,
	} {
		_, _, err := f.mirrors.Tips(t.Context(), at(url))
		if !waybill.IsCode(err, want) {
			t.Errorf("%s: %v, want %s", url, err, want)
		}
		for e := err; e != nil; e = cause(e) {
			if strings.Contains(e.Error(), "s3cret") {
				t.Errorf("the error tells the password: %v", e)
			}
		}
	}
	if _, err := f.mirrors.Fetch(t.Context(), waybill.Repository{ID: "../x", URL: f.bare}, "refs/heads/main"); !waybill.IsCode(err, waybill.Invalid) {
		t.Errorf("id that leaves the folder: %v", err)
	}

	f.fetch(t, "refs/heads/main")
	if _, err := f.tree(t, c).Open(t.Context(), "long"); !waybill.IsCode(err, waybill.TooLarge) {
		t.Errorf("long file: %v", err)
	}
	many := f.clone.Commit("many", map[string]string{"b": "1", "c": "1"})
	f.clone.Push("main")
	f.fetch(t, "refs/heads/main")
	if _, err := f.mirrors.Tree(t.Context(), f.repository, many); !waybill.IsCode(err, waybill.TooLarge) {
		t.Errorf("many files: %v", err)
	}
}

func TestFetchLimit(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{MaxPack: 2000})
	var noise strings.Builder
	for i := range 3000 {
		noise.WriteString(string(rune('a' + i*i*7%26)))
	}
	f.clone.Commit("one", map[string]string{"a": noise.String(), "b": noise.String()[1:] + "~", "c": noise.String()[7:]})
	for i := range 40 {
		f.clone.Commit("more", map[string]string{"n": strings.Repeat(string(rune('a'+i%26)), i)})
	}
	f.clone.Push("main")
	commit, err := f.mirrors.Fetch(t.Context(), f.repository, "refs/heads/main")
	if !waybill.IsCode(err, waybill.TooLarge) || commit != f.clone.Run("rev-parse", "main") {
		t.Errorf("got %q, %v", commit, err)
	}
	if _, err := f.mirrors.Tree(t.Context(), f.repository, commit); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("what was not fetched: %v", err)
	}
}

// TestForeignOwner reads a repository of another user, which git refuses unless it is declared safe.
func TestForeignOwner(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{})
	c := f.clone.Commit("one", map[string]string{"a": "1"})
	f.clone.Push("main")
	if os.Geteuid() == 0 {
		f.git.GiveAway(f.bare)
	}
	link := filepath.Join(f.git.Dir, "link.git")
	if err := os.Symlink(f.bare, link); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{f.bare, link} {
		f.repository.URL = url
		if tips, _, err := f.mirrors.Tips(t.Context(), f.repository); err != nil || tips["refs/heads/main"] != c {
			t.Errorf("%s: %v %v (%v)", url, tips, err, cause(err))
		}
	}
	if got := f.fetch(t, "refs/heads/main"); got != c {
		t.Errorf("got %s", got)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{})
	c := f.clone.Commit("one", map[string]string{"a": "1"})
	f.clone.Push("main")
	f.fetch(t, "refs/heads/main")
	if err := f.mirrors.Remove(t.Context(), f.repository); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(f.dir); err != nil || len(entries) != 0 {
		t.Errorf("left: %v %v", entries, err)
	}
	if _, err := f.mirrors.Tree(t.Context(), f.repository, c); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("got %v", err)
	}
	if got := f.fetch(t, "refs/heads/main"); got != c {
		t.Errorf("got %s", got)
	}
}
