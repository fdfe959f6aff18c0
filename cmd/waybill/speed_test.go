package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkValidate runs `waybill validate` of one manifest as a whole process.
func BenchmarkValidate(b *testing.B) {
	dir := b.TempDir()
	program := filepath.Join(dir, "waybill")
	build := exec.CommandContext(b.Context(), "go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, text)
	}
	run := func(args ...string) {
		cmd := exec.CommandContext(b.Context(), program, args...)
		cmd.Dir = dir
		if text, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("waybill %v: %v: %s", args, err, text)
		}
	}
	for kind, args := range map[string][]string{
		"connector": {"init", "connector", "feed", "--yes", "--owner", "feeds"},
		"app":       {"init", "app", "sync", "--yes", "--name", "sync-app", "--owner", "feeds", "--email", "a@example.org", "--user", "ada"},
	} {
		run(args...)
		b.Run(kind, func(b *testing.B) {
			for b.Loop() {
				run("validate", args[2])
			}
			b.ReportMetric(float64(b.Elapsed())/float64(time.Millisecond)/float64(b.N), "ms/op")
			b.ReportMetric(60, "target-ms/op")
		})
	}
}
