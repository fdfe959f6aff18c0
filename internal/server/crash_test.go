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
// is killed at point, during the tag or during the branch.
func pushAndTag(t *testing.T, w *world, point string, duringTag bool) string {
	t.Helper()
	p := w.start()
	w.add()
	commit := w.clone.Run("rev-parse", "HEAD")
	p = w.pushThrough(p, point != "" && !duringTag, point, "main")
	w.settled(commit, "waybill/"+w.connector+"/dev")
	w.clone.Run("tag", "v1.0.0")
	p = w.pushThrough(p, point != "" && duringTag, point, "v1.0.0")
	w.settled(commit, "waybill/"+w.connector+"/prod")
	p.stop()
	return w.truth(commit)
}

// pushThrough pushes refs. When the server is to die, it is replaced by one that dies at point, and that one by one
// that lives, which is returned.
func (w *world) pushThrough(p *process, die bool, point string, refs ...string) *process {
	w.t.Helper()
	if !die {
		w.clone.Push(refs...)
		return p
	}
	p.stop()
	mark := filepath.Join(w.dir, "crashed")
	doomed := w.start(crashEnv+"="+point, crashMarkEnv+"="+mark)
	w.clone.Push(refs...)
	w.eventually("the server dies at "+point, doomed.dead)
	if _, err := os.Stat(mark); err != nil {
		w.t.Fatal(fmt.Errorf("the server died, but not at %s: %w\n%s", point, err, doomed.log))
	}
	return w.start()
}
