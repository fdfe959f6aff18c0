package server_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestHostileRepository pushes what a repository must not be able to do. Nothing of it is deployed.
func TestHostileRepository(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "hostile")
	w.serve()

	var asked atomic.Int64
	internal := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(internal.Close)
	internal.Config.ConnState = func(net.Conn, http.ConnState) { asked.Add(1) }
	fetching := w.clone.Commit("Fetch", map[string]string{"Dockerfile": dockerfile + "ADD " + internal.URL + "/secret /secret\n"})
	w.refused(fetching, ": sources from 127.0.0.1:")
	if n := asked.Load(); n != 0 {
		t.Errorf("an internal address was asked %d times", n)
	}

	var bomb strings.Builder
	bomb.WriteString("a: &a [x, x, x, x, x, x, x, x, x, x]\n")
	for c := 'b'; c < 'j'; c++ {
		_, _ = fmt.Fprintf(&bomb, "%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 10), ", "))
	}
	swollen := w.clone.Commit("Swell", map[string]string{"waybill.yaml": bomb.String()})
	w.refused(swollen, "waybill.yaml:2:8: error WB009: aliases are not supported (write the value again in place of *a)\n")

	manifest := filepath.Join(w.clone.Dir, "waybill.yaml")
	if err := os.Remove(manifest); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", manifest); err != nil {
		t.Fatal(err)
	}
	linked := w.clone.Commit("Link", nil)
	w.refused(linked, "waybill.yaml:1:1: error WB019: the manifest is a symbolic link (put the file itself here)\n")

	if found := w.images(t.Context()); len(found) > 0 {
		t.Errorf("images were built: %v", found)
	}
}

// refused pushes a commit that must not get far, and compares a part of what its pusher reads.
func (w *world) refused(commit, why string) {
	w.t.Helper()
	if seen := w.seen(w.clone.Push("main"), commit); !strings.Contains(seen, why) || strings.Contains(seen, "root:") {
		w.t.Errorf("the pusher does not read %q but\n%s", why, seen)
	}
	w.agree(commit)
	for _, s := range w.statuses(commit) {
		if strings.HasPrefix(s, "waybill success") {
			w.t.Errorf("commit %s: %s", commit, s)
		}
	}
}
