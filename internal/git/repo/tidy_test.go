package repo_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestTidy: many packs become one, what was fetched stays readable, and a mirror that nobody watches goes.
func TestTidy(t *testing.T) {
	t.Parallel()
	f := newFixture(t, repo.Options{})
	f.clone.Commit("first", map[string]string{"a": "a"})
	f.clone.Push("HEAD:main")
	commit := f.fetch(t, "refs/heads/main")
	if err := f.mirrors.Repack(t.Context(), f.repository); err != nil {
		t.Fatal(err)
	}
	packs := func() int {
		names, err := filepath.Glob(filepath.Join(f.dir, f.repository.ID+".git", "objects", "pack", "*.pack"))
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	err := f.each(func(path string) error {
		base, suffix, ok := strings.Cut(filepath.Base(path), ".")
		if !ok || !strings.HasPrefix(base, "pack-") || suffix != "pack" && suffix != "idx" {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i := range 20 { // the same pack under other names
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), fmt.Sprintf("pack-%040x.%s", i, suffix)), content, 0o444); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	tidy := func(watched ...waybill.Repository) {
		t.Helper()
		if err := f.mirrors.Tidy(t.Context(), func(context.Context) ([]waybill.Repository, error) { return watched, nil }); err != nil {
			t.Fatal(err)
		}
	}
	before := packs()
	tidy(f.repository)
	if after := packs(); before < 20 || after != 1 {
		t.Errorf("%d packs became %d", before, after)
	}
	f.tree(t, commit)
	tidy()
	if _, err := os.Stat(filepath.Join(f.dir, f.repository.ID+".git")); !os.IsNotExist(err) {
		t.Errorf("the mirror is still there (%v)", err)
	}
}
