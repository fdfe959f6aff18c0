package store_test

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func add(ctx context.Context, id string) func(tx *store.Tx) error {
	return func(tx *store.Tx) error {
		tx.Notify("tokens")
		return store.InsertToken(ctx, tx, store.Token{ID: id, Hash: id})
	}
}

func TestOneProcessHasTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "er", "waybill.db")
	db := open(t, store.Options{URL: path})
	_, err := store.Open(t.Context(), store.Options{URL: path})
	if !waybill.IsCode(err, waybill.Conflict) || !strings.Contains(err.Error(), path) {
		t.Errorf("a second one: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, store.Options{URL: path})
}

func TestClosedAndOpenedAgain(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func() string{
		"sqlite":   func() string { return filepath.Join(t.TempDir(), "waybill.db") },
		"postgres": func() string { return testkit.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := url()
			db := open(t, store.Options{URL: url})
			if err := db.Write(t.Context(), "test.add", add(t.Context(), "1")); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}
			if err := db.Write(t.Context(), "test.late", add(t.Context(), "2")); !waybill.IsCode(err, waybill.Unavailable) {
				t.Errorf("a write after closing: %v", err)
			}
			if tokens, err := store.Tokens(t.Context(), open(t, store.Options{URL: url}).Query()); len(tokens) != 1 || err != nil {
				t.Errorf("%v, %v", tokens, err)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]waybill.Code{
		"postgres://x@/x?host=/nowhere":                  waybill.Unavailable,
		"postgres://x:y@/%zz":                            waybill.Invalid,
		filepath.Join("/dev", "null", "x", "waybill.db"): waybill.Unavailable,
	} {
		if _, err := store.Open(t.Context(), store.Options{URL: url}); !waybill.IsCode(err, want) {
			t.Errorf("%s: %v (%s)", url, err, waybill.CodeOf(err))
		}
	}
}

// TestWriteUntilKilled is no test of its own: it is the process that the next one kills.
func TestWriteUntilKilled(t *testing.T) {
	path := os.Getenv("WAYBILL_TEST_STORE")
	if path == "" {
		return
	}
	db := open(t, store.Options{URL: path})
	for {
		id := store.NewID(time.Now())
		if err := db.Write(t.Context(), "test.add", add(t.Context(), id)); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stdout.WriteString("wrote " + id + "\n"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatWasAnsweredSurvivesAKill(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func() string{
		"sqlite":   func() string { return filepath.Join(t.TempDir(), "waybill.db") },
		"postgres": func() string { return testkit.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := url()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWriteUntilKilled$")
			cmd.Env = append(os.Environ(), "WAYBILL_TEST_STORE="+url)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var answered []string
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if id, ok := strings.CutPrefix(lines.Text(), "wrote "); ok {
					answered = append(answered, id)
				}
				if len(answered) == 100 {
					if err := cmd.Process.Kill(); err != nil {
						t.Fatal(err)
					}
				}
			}
			_ = cmd.Wait() // it was killed
			db := open(t, store.Options{URL: url})
			for _, id := range answered {
				if _, err := store.TokenByHash(t.Context(), db.Query(), id); err != nil {
					t.Errorf("%s was answered: %v", id, err)
				}
			}
			if len(answered) < 100 {
				t.Errorf("only %d writes", len(answered))
			}
		})
	}
}

// disconnect ends all connections of an application.
func disconnect(t *testing.T, url, application string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url+"&application_name=executioner")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE application_name = $1`, application); err != nil {
		t.Fatal(err)
	}
}

// Whatever connections break, and when: in the end each item is done.
func TestWorkOutlivesItsConnections(t *testing.T) {
	t.Parallel()
	const items = 20
	url := testkit.Postgres(t)
	db := open(t, store.Options{URL: url + "&application_name=victim"})
	var ran atomic.Int32
	q := queue.New(db, queue.Options{Owner: "o", Lease: time.Second, Poll: 200 * time.Millisecond})
	q.Handle("x", 3, 0, func(ctx context.Context, i queue.Item) queue.Result {
		ran.Add(1)
		return queue.Of(db.Write(ctx, "test.work", func(tx *store.Tx) error {
			if err := i.Fence(ctx, tx); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO teams (name, created) VALUES ($1, 1) ON CONFLICT (name) DO NOTHING`, i.Key)
			return err
		}))
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx) }()
	for n := 0; n < items; {
		err := db.Write(t.Context(), "test.enqueue", func(tx *store.Tx) error {
			_, err := queue.Enqueue(t.Context(), tx, queue.Entry{Kind: "x", Key: strconv.Itoa(n)})
			return err
		})
		switch {
		case err == nil:
			n++
		case !waybill.IsCode(err, waybill.Unavailable):
			t.Fatalf("%v: %v", err, errors.Unwrap(err))
		}
		if n%5 == 4 {
			disconnect(t, url, "victim")
		}
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		levels, err := queue.Depth(t.Context(), db.Query(), time.Now())
		if err == nil && len(levels) == 0 {
			break
		}
		if err != nil && !waybill.IsCode(err, waybill.Unavailable) {
			t.Fatal(err)
		}
		<-ticker.C
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	count, err := store.Get(t.Context(), db.Query(), "count", func(n *int) []any { return []any{n} }, `SELECT COUNT(*) FROM teams`)
	if err != nil || count != items {
		t.Errorf("%d done, %v; want %d after %d runs", count, err, items, ran.Load())
	}
}

func TestPostgresWakesOtherProcesses(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t) + "&application_name=listening"
	one, two := open(t, store.Options{URL: url}), open(t, store.Options{URL: url})
	wake, stop := two.Subscribe("tokens")
	defer stop()
	if err := one.Write(t.Context(), "test.add", add(t.Context(), "1")); err != nil {
		t.Fatal(err)
	}
	<-wake
	other, stopOther := two.Subscribe("anything")
	defer stopOther()
	disconnect(t, url, "listening")
	<-other // something may have been missed
	for len(wake) > 0 {
		<-wake
	}
	if err := one.Write(t.Context(), "test.add", add(t.Context(), "2")); err != nil {
		t.Fatal(err)
	}
	<-wake
}

// Another Waybill in the same database is none of our business.
func TestPostgresIsShared(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	one, two, stranger := open(t, store.Options{URL: url}), open(t, store.Options{URL: url}), open(t, store.Options{URL: testkit.Postgres(t)})
	wake, stop := two.Subscribe("tokens")
	defer stop()
	last, stopLast := two.Subscribe("last") // PostgreSQL delivers in the order of the commits
	defer stopLast()
	if err := stranger.Write(t.Context(), "test.add", add(t.Context(), "1")); err != nil {
		t.Fatal(err)
	}
	if err := one.Write(t.Context(), "test.last", func(tx *store.Tx) error { tx.Notify("last"); return nil }); err != nil {
		t.Fatal(err)
	}
	<-last
	if len(wake) > 0 {
		t.Error("a write of another schema woke us")
	}
}
