package plan_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/plan"
)

func TestConflicts(t *testing.T) {
	t.Parallel()
	var got []string
	for _, f := range plan.Conflicts([]string{"README.md", "feed/waybill.yaml"}, "main") {
		got = append(got, f.String())
	}
	want := []string{
		"feed/waybill.yaml:1:1: error WB209: conflicts with main (merge main into the branch of the pull request)",
		"README.md:1:1: warning WB209: conflicts with main (merge main into the branch of the pull request; until then its own version counts here)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConflictsWithoutEnd(t *testing.T) {
	t.Parallel()
	var paths []string
	for i := range 1000 {
		paths = append(paths, fmt.Sprintf("%d/waybill.yaml", i))
	}
	got := plan.Conflicts(paths, "main")
	if last := got[len(got)-1]; len(got) != 50 || last.Message != "951 more files conflict with main, from here on" {
		t.Errorf("%d findings, the last %s", len(got), last)
	}
}
