package server_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkFirstLine measures what a pusher waits for the first line of progress: from the start of the repository's
// hook to the bytes at the pusher. Each push changes a file that is not in the image, so that the server does the whole
// way and builds nothing. Targets: p50 200 ms, p95 400 ms over 30 pushes (`-benchtime 30x`).
func BenchmarkFirstLine(b *testing.B) {
	w := newWorld(b, "bench-first-line")
	started := filepath.Join(w.dir, "hook-started")
	stamp := "#!/bin/sh\ndate +%s%N > " + started + "\n"
	if err := os.WriteFile(filepath.Join(w.bare, "hooks", "post-receive"), []byte(stamp), 0o755); err != nil {
		b.Fatal(err)
	}
	w.start()
	w.add() // chains the hook that is there
	w.clone.Commit("Keep notes out", map[string]string{".dockerignore": "*\n!feed\n"})
	w.clone.Push("main")
	var first, whole []time.Duration
	for i := range b.N {
		w.clone.Commit("change", map[string]string{"notes.txt": strconv.Itoa(i)})
		begin := time.Now()
		seen := w.firstLine()
		whole = append(whole, time.Since(begin))
		first = append(first, seen.Sub(readStamp(b, started)))
	}
	report(b, "first-p50-ms", first, 50, 200)
	report(b, "first-p95-ms", first, 95, 400)
	report(b, "push-p50-ms", whole, 50, 0)
}

// firstLine pushes main and returns when the first line of progress arrived; the push has ended then.
func (w *world) firstLine() time.Time {
	w.t.Helper()
	cmd := w.git.Command(w.clone.Dir, "push", "origin", "main")
	pipe, err := cmd.StderrPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	var seen time.Time
	lines := bufio.NewReader(pipe)
	for {
		line, err := lines.ReadString('\n')
		if seen.IsZero() && strings.HasPrefix(line, "remote: waybill") {
			seen = time.Now()
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err != nil || seen.IsZero() {
		w.t.Fatalf("push: %v, first line seen: %v", err, !seen.IsZero())
	}
	return seen
}

// readStamp reads the time that the hook wrote in nanoseconds since 1970.
func readStamp(b *testing.B, file string) time.Time {
	b.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Unix(0, n)
}

// report states a percentile, and beside it the target when there is one.
func report(b *testing.B, unit string, all []time.Duration, percentile int, target float64) {
	b.Helper()
	slices.Sort(all)
	at := min(len(all)-1, len(all)*percentile/100)
	b.ReportMetric(float64(all[at].Microseconds())/1000, unit)
	if target > 0 {
		b.ReportMetric(target, fmt.Sprintf("target-%s", unit))
	}
}
