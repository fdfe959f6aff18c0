package server_test

import (
	"context"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/testkit"
)

// TestRetry builds on a base image that appears only after the first attempt.
func TestRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "retry")
	base := "waybill-test-" + w.connector + ":1"
	w.serve()
	commit := w.clone.Commit("Build on something new", map[string]string{"Dockerfile": strings.Replace(dockerfile, testkit.BusyBox, base, 1)})
	seen := w.seen(w.clone.Push("main"), commit)
	for _, line := range []string{
		"  build     failed  Dockerfile:1: FROM waybill-test-NAME:1: the engine does not have this image and cannot pull it from docker.io: ",
		"  runtime   skipped  build ended as failed\n", "  dev       skipped  build ended as failed\n  SERVER/releases/",
	} {
		if !strings.Contains(seen, line) {
			t.Errorf("the pusher does not read %q but\n%s", line, seen)
		}
	}
	w.agree(commit)

	if err := w.docker.ImageTag(t.Context(), testkit.BusyBox, base); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = w.docker.ImageRemove(context.WithoutCancel(t.Context()), base, image.RemoveOptions{}) })
	w.waybill("retry", commit[:7])
	out, stderr, code := w.command("status", commit, "--wait")
	if code != 0 {
		t.Errorf("waybill status --wait: exit code %d\n%s%s", code, out, stderr)
	}
	w.settled(commit, "waybill/"+w.connector+"/dev")
	w.agree(commit, "waybill success 1 connector released", "waybill/NAME/validate success 1 connector",
		"waybill/NAME/build success sha256:DIGEST", "waybill/NAME/runtime success registered", "waybill/NAME/dev success site feeds-dev")
	w.serves("dev " + commit[:7])
}

// TestRollbackAndPromote moves what is live by hand, and back.
func TestRollbackAndPromote(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "moved")
	w.serve()
	first := w.clone.Run("rev-parse", "HEAD")
	w.clone.Run("tag", "v1.0.0")
	w.clone.Push("main", "v1.0.0")
	second := w.clone.Commit("Grow", map[string]string{"feed": feed + "echo more\n"})
	w.clone.Run("tag", "v1.1.0")
	w.clone.Push("main", "v1.1.0")
	w.serves("dev "+second[:7], "prod "+second[:7]+" 1.1.0")

	w.waybill("release", "rollback", w.connector, "--env", "prod")
	w.serves("dev "+second[:7], "prod "+first[:7]+" 1.0.0")
	w.waybill("release", "rollback", w.connector, "--env", "dev")
	w.serves("dev "+first[:7], "prod "+first[:7]+" 1.0.0")
	if out := w.waybill("runs", "start", w.connector, "--site", "feeds-dev", "--wait"); out != rows {
		t.Errorf("the old version prints %q", out)
	}
	for _, r := range ask[[]wire.Release](w, "release", "list", w.connector) {
		if r.Commit == second {
			w.waybill("release", "promote", r.ID)
		}
	}
	w.serves("dev "+second[:7], "prod "+second[:7]+" 1.1.0")
	if _, stderr, code := w.command("release", "promote", "01JD0G3V9Q8Z4N6T2B7C5X1K0M"); code != 1 || !strings.Contains(stderr, "no release") {
		t.Errorf("promote what is not there: exit code %d, %s", code, stderr)
	}
}
