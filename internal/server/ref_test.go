package server_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
)

// TestTags pushes tags in every way in which they are pushed.
func TestTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "tags")
	w.serve()
	first := w.clone.Run("rev-parse", "HEAD")
	w.clone.Run("tag", "v1.0.0")
	block := `
  validate  ok    1 connector
  build     ok    sha256:DIGEST
  runtime   ok    registered
  dev       ok    site feeds-dev
  prod      ok    v1.0.0 on site feeds-prod
  SERVER/connectors/NAME
`
	header := "waybill  feeds/NAME  COMMIT1  "
	w.reads(header+"main"+block+header+"v1.0.0"+block, w.clone.Push("main", "v1.0.0"), first)
	w.agree(first)
	w.serves("dev "+first[:7], "prod "+first[:7]+" 1.0.0")

	second := w.clone.Commit("Grow", map[string]string{"feed": feed + "echo more\n"})
	w.clone.Run("tag", "-a", "-m", "Release 1.1.0", "v1.1.0")
	w.reads(`
waybill  feeds/NAME  COMMIT1  v1.1.0
  validate  ok    1 connector
  build     ok    sha256:DIGEST
  runtime   ok    registered
  dev       skipped  checked only
  prod      ok    v1.1.0 on site feeds-prod
  SERVER/connectors/NAME
`, w.clone.Push("v1.1.0"), second)
	w.agree(second)
	w.serves("dev "+first[:7], "prod "+second[:7]+" 1.1.0")
	w.manyTags()
}

// manyTags pushes five tags of one commit at once. The highest version goes live and speaks for the commit.
func (w *world) manyTags() {
	w.t.Helper()
	commit := w.clone.Commit("Grow again", map[string]string{"feed": feed + "echo even more\n"})
	tags := []string{"v1.2.0", "v1.10.0", "v1.9.0", "v1.11.0-rc.1", "v1.0.1"}
	for _, tag := range tags {
		w.clone.Run("tag", tag)
	}
	seen := w.seen(w.clone.Push(tags...), commit)
	for _, tag := range tags {
		if !strings.Contains(seen, "waybill  feeds/NAME  COMMIT1  "+tag+"\n") {
			w.t.Errorf("%s is not in\n%s", tag, seen)
		}
	}
	warning := `warning WB208: tag "v1.11.0-rc.1" releases nothing: the pattern "v*" names no pre-releases`
	if strings.Count(seen, "prod      ok    v1.10.0 on site feeds-prod\n") != len(tags) || strings.Count(seen, warning) != 1 {
		w.t.Errorf("the pusher reads\n%s", seen)
	}
	w.agree(commit)
	if got := w.live(w.connector); !strings.HasSuffix(got, "prod "+commit[:7]+" 1.10.0") {
		w.t.Errorf("live is %s", got)
	}
	w.eventually("the lower versions are recorded", func() bool {
		return len(ask[[]wire.Release](w, "release", "list", w.connector, "--open")) == 0
	})
	details := map[string]string{}
	for _, r := range ask[[]wire.Release](w, "release", "list", w.connector, "--env", "prod") {
		if r.Commit == commit {
			details[r.Semver] = r.Steps[len(r.Steps)-1].Detail
		}
	}
	older := "recorded; v1.10.0 is newer"
	want := map[string]string{"1.10.0": "v1.10.0 on site feeds-prod", "1.2.0": older, "1.9.0": older, "1.0.1": older}
	if diff := cmp.Diff(want, details); diff != "" {
		w.t.Errorf("prod of each release (-want +got):\n%s", diff)
	}
}
