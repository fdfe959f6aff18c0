package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// crashPoints are the transactions on the way of a push, in order, and whether they belong to the tag.
var crashPoints = []struct {
	transaction string
	tag         bool
}{
	{"inbox.accept", false},
	{"check.fetched", false},
	{"check.loaded", false},
	{"check.planned", false},
	{"release.build.start", false},
	{"release.build.image", false},
	{"release.build.health", false},
	{"release.build.ok", false},
	{"release.runtime.ok", false},
	{"release.dev.site", false},
	{"release.dev.deploy", false},
	{"release.dev.assign", false},
	{"status.sent", false},
	{"release.prod.ok", true},
}

// TestCrashPoints kills the server just before and just after each transaction on the way of a push and of a tag,
// restarts it, and compares everything with a world in which nobody was killed.
func TestCrashPoints(t *testing.T) {
	t.Parallel()
	want := pushAndTag(t, newWorld(t, "undisturbed"), "", false)
	if !strings.Contains(want, "images 1\ncontainers 0\n") || !strings.Contains(want, "work left 0\n") {
		t.Fatalf("the undisturbed world is not in order:\n%s", want)
	}
	for _, point := range crashPoints {
		for _, when := range []string{"before", "after"} {
			name := point.transaction + ":" + when
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, "crash-"+strings.NewReplacer(".", "-", ":", "-").Replace(name))
				if diff := cmp.Diff(want, pushAndTag(t, w, name, point.tag)); diff != "" {
					t.Errorf("killed %s (-undisturbed +restarted):\n%s", name, diff)
				}
			})
		}
	}
}

// pushAndTag pushes a branch, waits until it is deployed, pushes a tag, and returns the truth afterwards. The server
// is killed at point, during the tag or during the branch, and started again.
func pushAndTag(t *testing.T, w *world, point string, duringTag bool) string {
	t.Helper()
	mark := filepath.Join(w.dir, "crashed")
	p := w.start(crashEnv+"="+point, crashMarkEnv+"="+mark)
	w.add()
	commit := w.clone.Run("rev-parse", "HEAD")
	w.clone.Push("main")
	if point != "" && !duringTag {
		p = p.crashed(point, mark)
	}
	w.settled(commit, "waybill/"+w.connector+"/dev")
	w.clone.Run("tag", "v1.0.0")
	w.clone.Push("v1.0.0")
	if point != "" && duringTag {
		p = p.crashed(point, mark)
	}
	w.settled(commit, "waybill/"+w.connector+"/prod")
	p.stop()
	return w.truth(commit)
}

// crashed waits until the server has died at point, and starts one that lives.
func (p *process) crashed(point, mark string) *process {
	p.w.t.Helper()
	p.w.eventually("the server dies at "+point, p.dead)
	if _, err := os.Stat(mark); err != nil {
		p.w.t.Fatal(fmt.Errorf("the server died, but not at %s: %w\n%s", point, err, p.log))
	}
	return p.w.start()
}
