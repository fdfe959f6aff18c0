package repo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestTreeOfRepeatedFolders reads a tree that names one folder many times, level by level, and holds no file at all:
// eleven objects to send, ten thousand million folders to walk.
func TestTreeOfRepeatedFolders(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{MaxFiles: 1000})
	level := f.object(t, "", "mktree")
	for range 10 {
		var entries strings.Builder
		for name := range 10 {
			fmt.Fprintf(&entries, "040000 tree %s\td%d\n", level, name)
		}
		level = f.object(t, entries.String(), "mktree")
	}
	commit := f.object(t, "bomb", "commit-tree", level)
	f.clone.Run("push", "--quiet", "origin", commit+":refs/heads/main")
	f.fetch(t, "refs/heads/main")

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := f.mirrors.Tree(ctx, f.repository, commit); !waybill.IsCode(err, waybill.TooLarge) {
		t.Errorf("got %v, want too_large", err)
	}
}

// TestSmallPackOfLargeFiles: a file of zeros is sent as a thousandth of its size.
func TestSmallPackOfLargeFiles(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(f *fixture, zeros string){
		"few bytes": func(f *fixture, zeros string) { f.clone.Commit("one", map[string]string{"zeros": zeros}) },
		"large pack": func(f *fixture, zeros string) {
			f.clone.Commit("one", map[string]string{"zeros": zeros, "noise": noise(2 << 20)})
		},
		"difference": func(f *fixture, zeros string) { // of 1.5 MB to 0.75 MB of noise
			half := noise(3 << 18)
			f.clone.Commit("one", map[string]string{"half": half})
			f.clone.Commit("two", map[string]string{"half": half + half})
			f.clone.Run("repack", "-adfq", "--window=10")
			_ = zeros
		},
	} {
		f := newFixture(t, repo.Options{MaxObject: 1 << 20})
		change(f, strings.Repeat("0", 3<<20))
		f.clone.Push("main")
		if _, err := f.mirrors.Fetch(t.Context(), f.repository, "refs/heads/main"); !waybill.IsCode(err, waybill.TooLarge) {
			t.Errorf("%s: got %v, want too_large", name, err)
		}
	}
}

// noise returns n characters that cannot be packed.
func noise(n int) string {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b)
	for i := range b {
		b[i] = ' ' + b[i]%95
	}
	return string(b)
}

// TestAlternatesOfAnother reads a repository that borrows objects from one that its owner may not read.
func TestAlternatesOfAnother(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // nothing is closed to ourselves
	}
	f := newFixture(t, repo.Options{})
	private := f.git.Bare("private/secret.git")
	theirs := f.git.Clone(private, "theirs")
	secret := theirs.Commit("secret", map[string]string{"key": "s3cret"})
	theirs.Push("main")
	f.clone.Commit("one", map[string]string{"a": "1"})
	f.clone.Push("main")
	write(t, filepath.Join(f.bare, "objects/info/alternates"), filepath.Join(private, "objects")+"\n")
	write(t, filepath.Join(f.bare, "refs/heads/stolen"), secret+"\n")
	f.git.GiveAway(f.bare)
	if err := os.Chmod(filepath.Dir(private), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := f.mirrors.Fetch(t.Context(), f.repository, "refs/heads/stolen"); err == nil {
		t.Errorf("the secret was read: %s", got)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// object writes one object with a git command that reads stdin, and returns its id.
func (f *fixture) object(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := f.git.Command(f.clone.Dir, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}
