package repo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// at makes git commit at a time, so that the order of commits is certain.
func (f *fixture) at(t *testing.T, day string, args ...string) string {
	t.Helper()
	date := "2026-01-" + day + "T12:00:00Z"
	if _, stderr, err := f.git.Try(f.clone.Dir, []string{"GIT_AUTHOR_DATE=" + date, "GIT_COMMITTER_DATE=" + date}, args...); err != nil {
		t.Fatal(args, err, stderr)
	}
	return f.clone.Run("rev-parse", "HEAD")
}

func (f *fixture) base(t *testing.T, a, b, want string) {
	t.Helper()
	for _, pair := range [][2]string{{a, b}, {b, a}} {
		got, err := f.mirrors.MergeBase(t.Context(), f.repository, pair[0], pair[1])
		if err != nil || got != want {
			t.Errorf("merge base of %.7s and %.7s is %.7s, want %.7s (%v)", pair[0], pair[1], got, want, err)
		}
	}
}

func TestMergeBase(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{})
	commit := []string{"commit", "--quiet", "--allow-empty", "-m"}
	root := f.at(t, "01", append(commit, "root")...)
	f.clone.Run("switch", "--quiet", "-c", "topic")
	topic := f.at(t, "03", append(commit, "topic")...)
	f.clone.Run("switch", "--quiet", "main")
	main := f.at(t, "02", append(commit, "main")...)

	// A criss-cross: both branches merge each other, and then go on.
	merged := f.at(t, "04", "merge", "--quiet", "--no-edit", topic)
	f.clone.Run("switch", "--quiet", "topic")
	crossed := f.at(t, "05", "merge", "--quiet", "--no-ff", "--no-edit", main)

	f.clone.Run("switch", "--quiet", "--orphan", "other")
	other := f.at(t, "06", append(commit, "other")...)
	f.clone.Run("push", "--quiet", "origin", "main", "topic", "other", main+":refs/heads/a", topic+":refs/pull/7/head")
	for _, ref := range []string{"refs/heads/main", "refs/heads/topic", "refs/heads/other", "refs/heads/a", "refs/pull/7/head"} {
		f.fetch(t, ref)
	}
	f.base(t, topic, main, root)
	if _, err := f.mirrors.Tree(t.Context(), f.repository, root); err != nil {
		t.Errorf("where two histories parted cannot be read: %v", err)
	}
	f.base(t, topic, topic, topic)
	f.base(t, merged, main, main)
	f.base(t, merged, topic, topic)
	f.base(t, merged, crossed, topic) // the newer one of main and topic
	f.base(t, merged, other, "")
	if _, err := f.mirrors.MergeBase(t.Context(), f.repository, main, strings.Repeat("a", 40)); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("a commit that was not fetched: %v", err)
	}
}

// TestMergeBaseOfCutHistory: a mirror that holds only the end of the history says so, and is not taken for damaged.
func TestMergeBaseOfCutHistory(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{})
	f.clone.Commit("root", map[string]string{"a": "1"})
	f.clone.Run("branch", "topic")
	main := f.clone.Commit("main", map[string]string{"a": "2"})
	f.clone.Run("switch", "--quiet", "topic")
	topic := f.clone.Commit("topic", map[string]string{"b": "1"})
	f.clone.Push("main", "topic")
	f.fetch(t, "refs/heads/main")
	f.fetch(t, "refs/heads/topic")
	cut := filepath.Join(f.dir, f.repository.ID+".git", "shallow")
	if err := os.WriteFile(cut, []byte(main+"\n"+topic+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := f.mirrors.MergeBase(t.Context(), f.repository, main, topic); !waybill.IsCode(err, waybill.TooLarge) {
		t.Errorf("got %q, %v", got, err)
	}
}
