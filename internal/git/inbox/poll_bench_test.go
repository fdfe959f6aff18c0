package inbox

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// backendFolder tells a process of this test that it is the server of repositories below a folder.
const backendFolder = "WAYBILL_TEST_BACKEND"

func TestMain(m *testing.M) {
	if folder := os.Getenv(backendFolder); folder != "" {
		os.Exit(serveBackend(folder))
	}
	os.Exit(m.Run())
}

// serveBackend is git http-backend behind a server, in a process of its own, so that its cost is not ours. It ends with
// its input and returns the exit code.
func serveBackend(folder string) int {
	git, err := exec.LookPath("git")
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	server := httptest.NewServer(&cgi.Handler{
		Path: git, Args: []string{"http-backend"},
		Env: []string{"GIT_PROJECT_ROOT=" + folder, "GIT_HTTP_EXPORT_ALL=1"},
	})
	defer server.Close()
	_, _ = fmt.Fprintln(os.Stderr, "serving", server.URL)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // the bench ends
	return 0
}

// startBackend serves the repositories below folder and returns where.
func startBackend(b *testing.B, folder string) string {
	b.Helper()
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program) // it ends when its input does
	cmd.Env = append(os.Environ(), backendFolder+"="+folder)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "serving "); ok {
			go func() {
				for lines.Scan() {
					continue // what git complains about must not fill the pipe
				}
			}()
			return url
		}
	}
	b.Fatal("the backend does not start")
	return ""
}

// cpu is the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// counted counts the looks.
type counted struct {
	lister
	looks atomic.Int64
}

func (c *counted) Tips(ctx context.Context, r waybill.Repository) (map[string]string, string, error) {
	c.looks.Add(1)
	return c.lister.Tips(ctx, r)
}

// BenchmarkQuietRepositories measures what it costs to look at 1,000 repositories every 60 s in which nothing happens,
// for one minute: the whole poller on a real store, over HTTP. Target: 5 % of a core.
func BenchmarkQuietRepositories(b *testing.B) {
	const repositories = 1000
	const minute = time.Minute
	g := testkit.NewGit(b)
	clone := g.Clone(g.Bare("first.git"), "clone")
	commit := clone.Commit("first", map[string]string{"a": "a"})
	clone.Push("main")
	folder := b.TempDir()
	source := os.DirFS(filepath.Join(g.Dir, "first.git"))
	db, err := store.Open(b.Context(), store.Options{URL: filepath.Join(b.TempDir(), "waybill.db"), Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	url := startBackend(b, folder)
	for i := range repositories {
		name := fmt.Sprintf("shop-%04d", i)
		if err := os.CopyFS(filepath.Join(folder, name+".git"), source); err != nil {
			b.Fatal(err)
		}
		r := waybill.Repository{
			ID: store.NewID(time.Now()), Owner: "feeds", Name: name, Forge: plain, URL: url + "/" + name + ".git", Hook: name, DefaultBranch: "main",
		}
		err := db.Write(b.Context(), "bench", func(tx *store.Tx) error {
			if err := gitstore.AddRepository(b.Context(), tx, r); err != nil {
				return err
			}
			return gitstore.PutRef(b.Context(), tx, waybill.Ref{Repository: r.ID, Name: mainRef, Tip: commit, Observed: time.Now()})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	mirrors, err := repo.Open(b.TempDir(), repo.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer mirrors.Close()
	looks := &counted{lister: mirrors}
	in := New(Options{DB: db, Now: time.Now, Log: slog.New(slog.DiscardHandler), Observer: Observer{Missed: func(string) {}}})
	w := &Watcher{
		Inbox: in, Poller: &Poller{Inbox: in, Lister: looks, Timeout: 30 * time.Second},
		Intervals: Intervals{Plain: minute, Unhooked: minute, Hooked: minute},
	}
	for b.Loop() {
		ctx, cancel := context.WithTimeout(b.Context(), minute)
		before := cpu(b)
		if err := w.Run(ctx); err != nil {
			b.Fatal(err)
		}
		cancel()
		used := cpu(b) - before
		b.ReportMetric(100*used.Seconds()/minute.Seconds(), "cpu-%")
		b.ReportMetric(5, "target-cpu-%")
		b.ReportMetric(float64(used.Microseconds())/float64(max(1, looks.looks.Load())), "µs/look")
		b.ReportMetric(float64(looks.looks.Load()), "looks")
		if n := looks.looks.Swap(0); n < repositories*9/10 {
			b.Errorf("%d looks at %d repositories in a minute", n, repositories)
		}
	}
}
