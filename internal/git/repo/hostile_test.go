package repo_test

import (
	"context"
	"fmt"
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
