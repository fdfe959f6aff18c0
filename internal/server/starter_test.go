package server_test

import (
	"path/filepath"
	"testing"
)

// TestStarterDeploys pushes what `waybill init` writes, unchanged, for both ways in which values reach a program, and
// runs it: on dev by the branch, on prod by a tag.
func TestStarterDeploys(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"environment", "arguments"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "starter-"+mode)
			w.serve()
			w.clone.Run("rm", "-q", "-r", ".")
			w.waybill("init", "connector", filepath.Join(w.clone.Dir, "feed"), "--yes", "--name", w.connector, "--owner", "feeds",
				"--mode", mode, "--field", "greeting:input:Greeting")
			commit := w.clone.Commit("Start", nil)
			w.clone.Run("tag", w.connector+"/v1.0.0")
			w.clone.Push("main", w.connector+"/v1.0.0")
			w.serves("dev "+commit[:7], "prod "+commit[:7]+" 1.0.0")
			for _, site := range []string{"feeds-dev", "feeds-prod"} {
				w.waybill("runs", "start", w.connector, "--site", site, "--set", "greeting=it's", "--wait")
			}
		})
	}
}
