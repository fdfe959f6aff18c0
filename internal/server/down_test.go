package server_test

import (
	"testing"
	"time"
)

// TestPushWhileDown pushes while no server runs.
func TestPushWhileDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "down")
	w.serve().stop()
	commit := w.clone.Run("rev-parse", "HEAD")
	w.reads("waybill: SERVER does not answer; the push is stored and found when the server is back\n", w.clone.Push("main"))

	w.start("WAYBILL_POLL_PLAIN=30s")
	ready := time.Now()
	w.settled(commit, "waybill/"+w.connector+"/dev")
	if waited := time.Since(ready); waited > 30*time.Second {
		t.Errorf("the push was deployed after %s, which is more than one poll interval", waited)
	}
	w.agree(commit, "waybill success 1 connector released", "waybill/NAME/validate success 1 connector",
		"waybill/NAME/build success sha256:DIGEST", "waybill/NAME/runtime success registered", "waybill/NAME/dev success site feeds-dev")
	w.serves("dev " + commit[:7])
}
