package server_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBranches pushes branches in every way in which they move.
func TestBranches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "branches")
	w.serve()
	first := w.clone.Run("rev-parse", "HEAD")
	w.clone.Push("main")
	second := w.clone.Commit("Grow", map[string]string{"feed": feed + "echo more\n"})
	w.clone.Push("main")
	w.serves("dev " + second[:7])

	w.clone.Run("checkout", "--quiet", "-b", "feature")
	feature := w.clone.Commit("Try", map[string]string{"feed": feed + "echo tried\n"})
	w.reads(`
waybill  feeds/NAME  COMMIT1  feature
  validate  ok    1 connector
  1 connector valid; this ref deploys nothing
  SERVER/connectors/NAME
`, w.clone.Push("feature"), feature)
	w.agree(feature, "waybill success 1 connector valid; this ref deploys nothing", "waybill/NAME/validate success 1 connector")
	w.reads("waybill  feeds/NAME  feature\n  deleted; what it deployed stays\n", w.clone.Push(":feature"))
	w.serves("dev " + second[:7])

	w.clone.Run("reset", "--quiet", "--hard", first)
	w.reads(`
waybill  feeds/NAME  COMMIT1  main
  validate  ok    1 connector
  build     ok    sha256:DIGEST
  runtime   ok    registered
  dev       ok    site feeds-dev
  SERVER/connectors/NAME
`, w.clone.Push("--force", "feature:main"), first)
	w.agree(first)
	w.serves("dev " + first[:7])
}

// TestTwoConnectors has two connectors in the folders of one repository, one of which is released by tags of its name.
func TestTwoConnectors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "two")
	red := w.manifest("")
	name := "blue-" + w.connector
	blue := strings.Replace(red, "release: {", `release: {prod: {tag: "blue/v*"}, `, 1)
	blue = strings.Replace(blue, "name: "+w.connector, "name: "+name, 1)
	w.clone.Run("rm", "--quiet", "waybill.yaml", "Dockerfile", "feed")
	commit := w.clone.Commit("Two", map[string]string{
		"red/waybill.yaml": red, "red/Dockerfile": dockerfile, "red/feed": feed,
		"blue/waybill.yaml": blue, "blue/Dockerfile": dockerfile, "blue/feed": feed + "echo blue\n",
	})
	w.serve()
	t.Cleanup((&world{t: t, docker: w.docker, connector: name}).tidy)
	lines := strings.Split(strings.TrimSpace(w.seen(w.clone.Push("main"), commit)), "\n")
	slices.Sort(lines) // the two are built at the same time
	want := []string{
		"  SERVER/repositories/feeds/NAME/commits/COMMIT1",
		"  build     ok    NAME  sha256:DIGEST", "  build     ok    blue-NAME  sha256:DIGEST",
		"  dev       ok    NAME  site feeds-dev", "  dev       ok    blue-NAME  site feeds-dev",
		"  runtime   ok    NAME  registered", "  runtime   ok    blue-NAME  registered",
		"  validate  ok    NAME  1 connector", "  validate  ok    blue-NAME  1 connector",
		"waybill  feeds/NAME  COMMIT1  main",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("what the pusher reads, sorted (-want +got):\n%s", diff)
	}
	w.agree(commit)
	w.clone.Run("tag", "blue/v1.4.0")
	if seen := w.seen(w.clone.Push("blue/v1.4.0"), commit); !strings.Contains(seen, "  prod      ok    blue-NAME  v1.4.0 on site feeds-prod\n") {
		t.Errorf("the pusher reads\n%s", seen)
	}
	w.agree(commit)
	w.serves("dev " + commit[:7])
	if got, want := w.live(name), "dev "+commit[:7]+", prod "+commit[:7]+" 1.4.0"; got != want {
		t.Errorf("live is %q, want %q", got, want)
	}
}

// TestNothingToBuild pushes a repository without a manifest, and one that declares a connector of another.
func TestNothingToBuild(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "claimed")
	w.serve()
	w.clone.Push("main")

	other := *w
	other.bare = w.git.Bare("other.git")
	other.clone = w.git.Clone(other.bare, "other")
	empty := other.clone.Commit("Begin", map[string]string{"README.md": "Nothing yet.\n"})
	other.add()
	other.reads(`
waybill  feeds/other  COMMIT1  main
  no manifest changed
  SERVER/repositories/feeds/other/commits/COMMIT1
`, other.clone.Push("main"), empty)
	other.agree(empty, "waybill success no manifest changed")

	thief := other.clone.Commit("Take", map[string]string{"waybill.yaml": w.manifest(""), "Dockerfile": dockerfile, "feed": feed})
	other.reads(`
waybill  feeds/other  COMMIT1  main
  validate  failed  1 error
  waybill.yaml:4:9: error WB102: the name "NAME" is taken by a connector of team feeds in another repository (choose another metadata.name)
  SERVER/repositories/feeds/other/commits/COMMIT1
`, other.clone.Push("main"), thief)
	finding := ` failure 1 error: waybill.yaml:4:9 the name "NAME" is taken by a connector of team feeds in another repository`
	other.agree(thief, "waybill"+finding, "waybill/NAME/validate"+finding)
}
