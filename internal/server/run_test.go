package server_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
)

// moody prints rows, unless its greeting makes it fail or wait.
func moody() string {
	return feed + "case $GREETING in\nbad) exit 81 ;;\nwait) exec " + sleep("6401.") + " ;;\nesac\n"
}

// TestRuns starts runs of what is live, as people do.
func TestRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "runs")
	w.serve()
	w.clone.Commit("Be moody", map[string]string{"feed": moody()})
	w.clone.Run("tag", "v1.0.0")
	w.clone.Push("main", "v1.0.0")

	for _, c := range []struct {
		name, site, set string
		code            int
		stdout, stderr  string // all of the one, a part of the other
	}{
		{"succeeds", "feeds-dev", "", 0, rows, "\ndone\n"},
		{"takes a value", "feeds-dev", "greeting=ahoy", 0, strings.Replace(rows, "hello", "ahoy", 1), "\ndone\n"},
		{"fails", "feeds-dev", "greeting=bad", 1, strings.Replace(rows, "hello", "bad", 1), ", exit code 81 (remote): "},
		{"lacks a value", "feeds-prod", "", 2, "", " at feeds-prod: required field without a value: greeting; "},
		{"is given what it lacks", "feeds-prod", "greeting=hello", 0, rows, "\ndone\n"},
		{"knows no such field", "feeds-dev", "greting=hello", 2, "", " at feeds-dev: no such field: greting"},
		{"knows no such site", "feeds-test", "", 1, "", "waybill: no site feeds-test\n"},
	} {
		args := []string{"runs", "start", w.connector, "--site", c.site, "--wait"}
		if c.set != "" {
			args = append(args, "--set", c.set)
		}
		stdout, stderr, code := w.command(args...)
		if diff := cmp.Diff(c.stdout, stdout); code != c.code || diff != "" || !strings.Contains(stderr, c.stderr) {
			t.Errorf("a run that %s: exit code %d, standard error %q, standard output (-want +got):\n%s", c.name, code, stderr, diff)
		}
	}
	w.cancelled()
}

// cancelled ends a run by hand.
func (w *world) cancelled() {
	w.t.Helper()
	run := ask[wire.Run](w, "runs", "start", w.connector, "--site", "feeds-dev", "--set", "greeting=wait")
	w.eventually("the run waits", func() bool { return w.executing(sleep("6401.")) })
	if out, err := w.try("runs", "start", w.connector, "--site", "feeds-dev"); err == nil || !strings.Contains(err.Error(), run.ID) {
		w.t.Errorf("a second run beside it: %v %s", err, out)
	}
	w.waybill("runs", "cancel", run.ID)
	r := w.ends(run.ID, "cancelled")
	if r.PID == 0 || r.Trigger != "manual" || r.Actor == "" || r.Duration <= 0 {
		w.t.Errorf("the run is not told whole: %+v", r)
	}
}
