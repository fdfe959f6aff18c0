package repo_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// heavy makes a bare repository of a number of files that hold some MiB of noise together, and one small connector.
func heavy(b *testing.B, g *testkit.Git, files, mib int) (bare string) {
	b.Helper()
	bare = g.Bare("heavy.git")
	cmd := g.Command(bare, "-c", "core.compression=0", "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", "--depth=0")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(in, 1<<20)
	source := rand.NewChaCha8([32]byte{byte(mib)})
	put := func(name string, size int, r io.Reader) {
		_, _ = fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n", name, size)
		_, _ = io.CopyN(w, r, int64(size))
		_ = w.WriteByte('\n')
	}
	_, _ = w.WriteString("commit refs/heads/main\ncommitter a <a@b.c> 1700000000 +0000\ndata 5\nheavy\n")
	for i := range files {
		put(fmt.Sprintf("data/%d/%d/f%d", i%50, i/50%20, i), mib<<20/files, source)
	}
	text := fmt.Sprintf(connector, 1, "Feed")
	put("feed/waybill.yaml", len(text), strings.NewReader(text))
	put("feed/Dockerfile", 12, strings.NewReader("FROM scratch"))
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	_ = in.Close()
	if err := cmd.Wait(); err != nil {
		b.Fatal(err)
	}
	return bare
}

// change pushes a commit that changes the connector, without a clone of the rest.
func change(b *testing.B, g *testkit.Git, bare, title string) {
	b.Helper()
	text := fmt.Sprintf(connector, 1, title)
	cmd := g.Command(bare, "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet")
	cmd.Stdin = strings.NewReader(fmt.Sprintf("commit refs/heads/main\ncommitter a <a@b.c> 1700000001 +0000\ndata 3\none\nfrom refs/heads/main^0\n"+
		"M 100644 inline feed/waybill.yaml\ndata %d\n%s\n", len(text), text))
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
}

// TestHeavyHelper is the program that the benchmarks below weigh: it does with one push what a server does.
func TestHeavyHelper(t *testing.T) {
	dir, url := os.Getenv("WAYBILL_HEAVY_DIR"), os.Getenv("WAYBILL_HEAVY_URL")
	if dir == "" {
		return // this is no test of its own
	}
	large, err := strconv.ParseInt(os.Getenv("WAYBILL_HEAVY_FROM"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	mirrors, err := repo.Open(dir, repo.Options{LargePack: large, Credentials: login})
	if err != nil {
		t.Fatal(err)
	}
	r := waybill.Repository{ID: "01J0", Name: "heavy", Owner: "feeds", URL: url}
	commit, err := mirrors.Fetch(t.Context(), r, "refs/heads/main")
	if err != nil {
		t.Fatal(err, cause(err))
	}
	tree, err := mirrors.Tree(t.Context(), r, commit)
	if err != nil {
		t.Fatal(err)
	}
	loader, err := manifest.New()
	if err != nil {
		t.Fatal(err)
	}
	got, err := loader.Load(t.Context(), tree, manifest.Options{Owner: "feeds"})
	if err != nil || len(got.Declarations) != 1 || len(got.Findings) > 0 {
		t.Fatalf("%v %v", got, err)
	}
	context, files := waybill.Sub(tree, got.Declarations[0].Folder), 0
	err = context.Walk(t.Context(), func(f waybill.File) error {
		files++
		_, err := waybill.ReadFile(t.Context(), context, f.Path, 1<<20)
		return err
	})
	if err != nil || files != 2 {
		t.Fatalf("%d files in the context, %v", files, err)
	}
}

// weigh runs a program and returns how long it took and the most memory that it and all it started held at one time.
func weigh(b *testing.B, cmd *exec.Cmd) (took time.Duration, cpu time.Duration, mib float64) {
	b.Helper()
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	peak := 0
	for {
		select {
		case err := <-ended:
			if err != nil {
				b.Fatalf("%v: %s", err, said.String())
			}
			return time.Since(start), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), float64(peak) / 1024
		case <-tick.C:
			peak = max(peak, resident(cmd.Process.Pid))
		}
	}
}

// resident returns the KiB that a process and its descendants have in memory.
func resident(pid int) (kib int) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "VmRSS:" {
			kib, _ = strconv.Atoi(words[1])
		}
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, task := range tasks {
		children, _ := os.ReadFile(task)
		for child := range strings.FieldsSeq(string(children)) {
			if n, err := strconv.Atoi(child); err == nil {
				kib += resident(n)
			}
		}
	}
	return kib
}

// helper prepares the program that takes in a push.
func helper(b *testing.B, dir, url string, from int64) *exec.Cmd {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestHeavyHelper$")
	cmd.Env = append(os.Environ(), "WAYBILL_HEAVY_DIR="+dir, "WAYBILL_HEAVY_URL="+url, fmt.Sprintf("WAYBILL_HEAVY_FROM=%d", from))
	return cmd
}

// BenchmarkHeavy takes in a repository of 1 GiB and 50,000 files, then pushes that change its one small connector, each
// in a process of its own: fetch, validation and the build context. git's own fetch of the same stands beside it.
func BenchmarkHeavy(b *testing.B) {
	g := testkit.NewGit(b)
	bare := heavy(b, g, 50_000, 1024)
	url := serve(b, g.Dir) + "/heavy.git"
	dir, own := filepath.Join(g.Dir, "mirrors"), g.Bare("own.git")
	fetch := func() *exec.Cmd {
		return g.Command(own, "fetch", "--quiet", "--depth=1", "--no-tags", strings.Replace(url, "http://", "http://ada:s3cret@", 1), "+refs/heads/main:refs/heads/main")
	}
	weighed := func(b *testing.B, cmd func() *exec.Cmd, target float64, before func()) {
		b.Helper()
		var most float64
		var spent time.Duration
		for range b.N {
			b.StopTimer()
			before()
			b.StartTimer()
			_, cpu, mib := weigh(b, cmd())
			most, spent = max(most, mib), spent+cpu
		}
		b.ReportMetric(most, "MiB")
		b.ReportMetric(float64(b.Elapsed())/float64(time.Millisecond)/float64(b.N), "ms/op")
		b.ReportMetric(float64(spent)/float64(time.Millisecond)/float64(b.N), "cpu-ms/op")
		if target > 0 {
			b.ReportMetric(target, "target-MiB")
		}
	}
	n := 0
	push := func() { n++; change(b, g, bare, fmt.Sprint("Feed ", n)) }
	b.Run("first/waybill", func(b *testing.B) {
		weighed(b, func() *exec.Cmd { return helper(b, dir, url, 64<<20) }, 400, func() { _ = os.RemoveAll(dir) })
	})
	b.Run("first/git", func(b *testing.B) {
		weighed(b, fetch, 0, func() { _ = os.RemoveAll(own); own = g.Bare("own.git") })
	})
	b.Run("push/waybill", func(b *testing.B) { weighed(b, func() *exec.Cmd { return helper(b, dir, url, 64<<20) }, 400, push) })
	b.Run("push/git", func(b *testing.B) { weighed(b, fetch, 0, push) })
}

// BenchmarkLargeFrom compares go-git with the git program for the first push of repositories of growing size. Where the
// git program begins to be better is where Options.LargePack should be.
func BenchmarkLargeFrom(b *testing.B) {
	for _, mib := range []int{4, 16, 64, 200} {
		g := testkit.NewGit(b)
		_ = heavy(b, g, 40*mib, mib)
		url := serve(b, g.Dir) + "/heavy.git"
		for name, from := range map[string]int64{"go-git": 2 << 30, "git": 1} {
			b.Run(fmt.Sprintf("%dMiB/%s", mib, name), func(b *testing.B) {
				var most float64
				for i := range b.N {
					_, _, mib := weigh(b, helper(b, filepath.Join(g.Dir, fmt.Sprint(name, i, time.Now().UnixNano())), url, from))
					most = max(most, mib)
				}
				b.ReportMetric(most, "MiB")
				b.ReportMetric(float64(b.Elapsed())/float64(time.Millisecond)/float64(b.N), "ms/op")
			})
		}
	}
}
