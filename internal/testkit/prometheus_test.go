package testkit_test

import (
	"testing"

	"github.com/waybill-dev/waybill/internal/testkit"
)

// recorder notes whether a check failed its test.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Errorf(string, ...any) { r.failed = true }

func TestCheckMetrics(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		metrics string
		failed  bool
	}{
		"good":      {"# HELP waybill_runs_total Runs that ended.\n# TYPE waybill_runs_total counter\nwaybill_runs_total 1\n", false},
		"no help":   {"# TYPE waybill_runs_total counter\nwaybill_runs_total 1\n", true},
		"malformed": {"waybill runs 1 2 3\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			testkit.CheckMetrics(r, []byte(c.metrics))
			if r.failed != c.failed {
				t.Errorf("failed = %t, want %t", r.failed, c.failed)
			}
		})
	}
}
