package inbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const (
	askers      = 64  // requests under way at a time
	watched     = 100 // repositories
	payloadSize = 10 << 10
)

// BenchmarkIngest measures hooks that are answered when they are safe on disk: real server and client in this process,
// signed payloads of 10 KB from GitHub, delivery and ref mark in one transaction. The floor beside each is the same
// without what makes it Waybill: net/http, one HMAC over the body, and one row of the same size.
func BenchmarkIngest(b *testing.B) {
	for _, d := range []struct {
		name   string
		url    func(b testing.TB) string
		target float64
	}{
		{"sqlite", sqliteFile, 5000},
		{"postgres", testkit.DurablePostgres, 3000},
	} {
		b.Run(d.name, func(b *testing.B) {
			db, commits := openCounted(b, d.url(b))
			in := New(Options{
				DB: db, Now: time.Now, Log: slog.New(slog.DiscardHandler), Kinds: map[string]string{"hub": github},
				Observer: Observer{Request: func(string, string, int, time.Duration) {}, Delivery: func(string, string) {}},
			})
			mux := http.NewServeMux()
			in.Mount(mux, func(w http.ResponseWriter, _ *http.Request, err error) { http.Error(w, err.Error(), http.StatusTeapot) })
			addWatched(b, db)
			storm(b, mux, commits, http.StatusAccepted)
			b.ReportMetric(d.target, "target-req/s")
			b.ReportMetric(50, "target-p99-ms")
			checkIngest(b, db)
			b.Log(settings(b, db))
		})
		b.Run(d.name+"-floor", func(b *testing.B) {
			db, commits := openCounted(b, d.url(b))
			write(b, db, `CREATE TABLE floor (id TEXT PRIMARY KEY, body TEXT NOT NULL)`)
			storm(b, floor(db), commits, http.StatusAccepted)
		})
	}
}

func sqliteFile(b testing.TB) string {
	b.Helper()
	return filepath.Join(b.TempDir(), "waybill.db")
}

// openCounted opens a database that counts its commits, each of which is one fsync of the log.
func openCounted(b *testing.B, url string) (*store.DB, *atomic.Int64) {
	b.Helper()
	commits := new(atomic.Int64)
	db, err := store.Open(b.Context(), store.Options{URL: url, Commit: func(_ []string, run func() error) error {
		commits.Add(1)
		return run()
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db, commits
}

func write(b *testing.B, db *store.DB, statement string) {
	b.Helper()
	err := db.Write(b.Context(), "bench", func(tx *store.Tx) error {
		_, err := tx.ExecContext(b.Context(), statement)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

func addWatched(b *testing.B, db *store.DB) {
	b.Helper()
	err := db.Write(b.Context(), "bench", func(tx *store.Tx) error {
		for i := range watched {
			err := gitstore.AddRepository(b.Context(), tx, waybill.Repository{
				ID: fmt.Sprint("R", i), Owner: "feeds", Name: fmt.Sprint("r", i), URL: fmt.Sprint("https://hub.test/acme/r", i),
				Forge: "hub", ForgeID: fmt.Sprint(1000 + i), Path: "acme/shop-feed", Hook: fmt.Sprint("hook", i), HookSecret: secret,
				DefaultBranch: "main",
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// floor is the least that answers a signed hook durably.
func floor(db *store.DB) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || "sha256="+sign(secret, body) != r.Header.Get("X-Hub-Signature-256") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		err = db.WriteStatements(r.Context(), "floor", func(tx *store.Tx) error {
			_, err := tx.ExecContext(r.Context(), `INSERT INTO floor (id, body) VALUES ($1, $2)`, r.Header.Get("X-GitHub-Delivery"), string(body[:600]))
			return err
		})
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

// payload is a push to one branch of one repository, made as large as pushes are by what its commits say.
func payload(b *testing.B, repository, branch int) (http.Header, []byte) {
	b.Helper()
	header, body := hook{
		fixture: "github/push.json", with: map[string]string{"4711": fmt.Sprint(1000 + repository), "refs/heads/main": fmt.Sprint("refs/heads/b", branch)},
	}.request(b)
	fill := payloadSize - len(body)
	body = bytes.Replace(body, []byte(`"modified": [`), []byte(`"modified": [`+strings.Repeat(`"some/file/of/the/connector.go", `, fill/33)), 1)
	header.Set("X-Hub-Signature-256", "sha256="+sign(secret, body))
	header.Set("Content-Type", "application/json")
	return header, body
}

// storm sends b.N hooks, askers at a time, and reports how they went.
func storm(b *testing.B, handler http.Handler, commits *atomic.Int64, want int) {
	b.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: askers, DisableCompression: true}}
	defer client.CloseIdleConnections()
	const branches = 4
	var headers [watched * branches]http.Header
	var bodies [watched * branches][]byte
	for i := range bodies {
		headers[i], bodies[i] = payload(b, i%watched, i/watched)
	}
	took := make([]time.Duration, b.N)
	var next, failed atomic.Int64
	ask := func(n int) {
		i := n % len(bodies)
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, fmt.Sprint(server.URL, "/hooks/hub/hook", i%watched), bytes.NewReader(bodies[i]))
		if err != nil {
			failed.Add(1)
			return
		}
		req.Header = headers[i].Clone()
		req.Header.Set("X-GitHub-Delivery", fmt.Sprintf("72d3162e-cc78-11e3-81ab-%012d", n))
		start := time.Now()
		resp, err := client.Do(req)
		if err != nil {
			failed.Add(1)
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		took[n] = time.Since(start)
		if resp.StatusCode != want {
			failed.Add(1)
		}
	}
	before, used := commits.Load(), processor(b)
	b.ResetTimer()
	var all sync.WaitGroup
	for range askers {
		all.Go(func() {
			for n := next.Add(1) - 1; n < int64(b.N); n = next.Add(1) - 1 {
				ask(int(n))
			}
		})
	}
	all.Wait()
	b.StopTimer()
	if failed.Load() > 0 {
		b.Fatalf("%d of %d hooks were not answered with %d", failed.Load(), b.N, want)
	}
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(commits.Load()-before), "fsyncs")
	b.ReportMetric(float64((processor(b)-used).Microseconds())/float64(b.N), "cpu-µs/req")
}

// processor is the time that this process has spent on processors, both sides of the connections included.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// checkIngest makes sure that everything that was acknowledged is there.
func checkIngest(b *testing.B, db *store.DB) {
	b.Helper()
	for table, want := range map[string]int{"deliveries": b.N, "work": min(b.N, watched*4)} {
		n, err := store.Get(b.Context(), db.Query(), table, func(n *int) []any { return []any{n} }, `SELECT COUNT(*) FROM `+table)
		if err != nil || n != want {
			b.Fatalf("%s holds %d rows, want %d (%v)", table, n, want, err)
		}
	}
}

// settings says how durable the database is.
func settings(b *testing.B, db *store.DB) string {
	b.Helper()
	ask := func(query string) string {
		text, err := store.Get(context.WithoutCancel(b.Context()), db.Query(), query, func(s *string) []any { return []any{s} }, query)
		if err != nil {
			b.Fatal(err)
		}
		return query + " = " + text
	}
	if db.Dialect() == store.Postgres {
		return strings.Join([]string{ask("SHOW server_version"), ask("SHOW fsync"), ask("SHOW synchronous_commit"), ask("SHOW full_page_writes"), ask("SHOW wal_sync_method")}, ", ")
	}
	return strings.Join([]string{ask("PRAGMA journal_mode"), ask("PRAGMA synchronous") + " (2 is FULL)", ask("PRAGMA wal_autocheckpoint")}, ", ")
}
