package testkit

import (
	"bytes"
	"os/exec"
	"testing"
)

// CheckMetrics fails the test when Prometheus would not take metrics, the body of a /metrics answer in text form, or
// finds their names or help texts unusual.
func CheckMetrics(t testing.TB, metrics []byte) {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatalf("no promtool: install the package prometheus and try again: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), program, "check", "metrics")
	cmd.Stdin = bytes.NewReader(metrics)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
