package server_test

import (
	"testing"
	"time"
)

// slow is a Dockerfile whose build does not end by itself within any patience of a test. Commands are looked for on
// the whole machine: every test has seconds of its own.
func slow(seconds string) string { return dockerfile + "RUN " + sleep(seconds) + "\n" }

func sleep(seconds string) string { return "sleep " + seconds + nonce() }

// background pushes while the test goes on; what the pusher read arrives when the push has ended.
func (w *world) background(ref string) <-chan string {
	seen := make(chan string, 1)
	clone := w.clone
	w.t.Cleanup(func() {
		select {
		case <-seen:
		case <-time.After(patience):
		}
	})
	go func() {
		defer close(seen)
		text, err := clone.TryPush(nil, ref)
		if err != nil {
			w.t.Errorf("push: %v", err)
		}
		seen <- text
	}()
	return seen
}

// TestOvertaken pushes from a second clone while the push of the first one is being built.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "overtaken")
	w.clone.Commit("Sleep", map[string]string{"Dockerfile": slow("6001.")})
	first := w.clone.Run("rev-parse", "HEAD")
	w.serve()
	began := time.Now()
	output := w.background("main")
	w.eventually("the image is being built", func() bool { return w.executing(sleep("6001.")) })

	other := w.git.Clone(w.bare, "other")
	second := other.Commit("Be quick", map[string]string{"Dockerfile": dockerfile})
	w.reads(`
waybill  feeds/NAME  COMMIT1  main
  validate  ok    1 connector
  build     ok    sha256:DIGEST
  runtime   ok    registered
  dev       ok    site feeds-dev
  SERVER/connectors/NAME
`, other.Push("main"), second)
	w.reads(`
waybill  feeds/NAME  COMMIT1  main
  validate  ok    1 connector
  build     superseded  by COMMIT2
  runtime   superseded  by COMMIT2
  dev       superseded  by COMMIT2
  valid; not deployed, superseded by COMMIT2
  SERVER/connectors/NAME
`, <-output, first, second)
	if waited := time.Since(began); waited > 50*time.Second {
		t.Errorf("the first pusher waited %s", waited)
	}
	w.agree(first, "waybill success valid; not deployed, superseded by "+second[:7], "waybill/NAME/validate success 1 connector",
		"waybill/NAME/build success superseded by "+second[:7], "waybill/NAME/runtime success superseded by "+second[:7],
		"waybill/NAME/dev success superseded by "+second[:7])
	w.agree(second)
	w.serves("dev " + second[:7])
	if n := w.finalWrites(first); n != 1 {
		t.Errorf("the end of the first commit was written %d times", n)
	}
	if n := w.containers(t.Context()); n > 0 {
		t.Errorf("%d containers are left", n)
	}
	w.eventually("the first build has ended", func() bool { return !w.executing(sleep("6001.")) })
}
