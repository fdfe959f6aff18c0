package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func openFile(t testing.TB, commit func(names []string, run func() error) error) *DB {
	t.Helper()
	db, err := Open(t.Context(), Options{URL: filepath.Join(t.TempDir(), "waybill.db"), Commit: commit})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func addToken(ctx context.Context, id, scope string) func(tx *Tx) error {
	return func(tx *Tx) error { return InsertToken(ctx, tx, Token{ID: id, Hash: id, Scope: scope}) }
}

// queued holds the writer until n writes wait, then lets go and returns the error of each.
func queued(t *testing.T, db *DB, writes ...func() error) []error {
	t.Helper()
	entered, hold := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		if err := db.Write(t.Context(), "hold", func(*Tx) error { close(entered); <-hold; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-entered
	errs := make([]error, len(writes))
	for i, write := range writes {
		all.Go(func() { errs[i] = write() })
		for len(db.jobs) < i+1 { // in this order
			runtime.Gosched()
		}
	}
	close(hold)
	all.Wait()
	return errs
}

func TestWaitingWritesShareOneCommit(t *testing.T) {
	t.Parallel()
	var commits []string
	db := openFile(t, func(names []string, run func() error) error {
		commits = append(commits, strings.Join(names, " "))
		return run()
	})
	ctx, gone := t.Context(), context.Context(nil)
	gone, leave := context.WithCancel(ctx)
	leave()
	errs := queued(t, db,
		func() error { return db.Write(ctx, "one", addToken(ctx, "1", "")) },
		func() error {
			return db.Write(ctx, "bad", func(tx *Tx) error {
				return errors.Join(addToken(ctx, "2", "")(tx), waybill.Errorf(waybill.Denied, "no"))
			})
		},
		func() error {
			return db.Write(ctx, "panic", func(tx *Tx) error { _ = addToken(ctx, "3", "")(tx); panic("oh") })
		},
		func() error { return db.Write(ctx, "twice", addToken(ctx, "1", "")) },
		func() error {
			j := &job{ctx: gone, name: "gone", fn: addToken(ctx, "4", ""), done: make(chan struct{})}
			db.jobs <- j // as if the caller left while it waited
			return nil
		},
		func() error { return db.Write(ctx, "two", addToken(ctx, "5", "")) },
	)
	var codes []waybill.Code
	for _, err := range errs {
		codes = append(codes, waybill.CodeOf(err))
	}
	if diff := cmp.Diff([]waybill.Code{"", waybill.Denied, waybill.Internal, waybill.Conflict, "", ""}, codes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"hold", "one two"}, commits); diff != "" {
		t.Error(diff)
	}
	tokens, err := Tokens(ctx, db.Query())
	if err != nil || len(tokens) != 2 {
		t.Errorf("%v, %v", tokens, err)
	}
}

func TestAFailedCommitFailsEachWrite(t *testing.T) {
	t.Parallel()
	broken := true
	db := openFile(t, func(names []string, run func() error) error {
		if broken && names[0] != "hold" {
			return errors.New("the plug was pulled")
		}
		return run()
	})
	ctx := t.Context()
	for i, err := range queued(t, db,
		func() error { return db.Write(ctx, "one", addToken(ctx, "1", "")) },
		func() error { return db.Write(ctx, "two", addToken(ctx, "2", "")) },
	) {
		if !waybill.IsCode(err, waybill.Internal) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	broken = false
	if err := db.Write(ctx, "again", addToken(ctx, "1", "")); err != nil {
		t.Error(err)
	}
}

// A full disk takes the whole transaction back, not only the savepoint.
func TestAFullDiskFailsTheGroupAndPasses(t *testing.T) {
	t.Parallel()
	db := openFile(t, nil)
	ctx := t.Context()
	if _, err := db.conn.ExecContext(ctx, `PRAGMA max_page_count = 70`); err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("x", 1<<20)
	errs := queued(t, db,
		func() error { return db.Write(ctx, "small", addToken(ctx, "1", "")) },
		func() error { return db.Write(ctx, "big", addToken(ctx, "2", big)) },
		func() error { return db.Write(ctx, "small", addToken(ctx, "3", "")) },
	)
	tokens, err := Tokens(ctx, db.Query())
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range errs {
		stored := slicesHas(tokens, fmt.Sprint(i+1))
		if stored != (e == nil) || e != nil && !waybill.IsCode(e, waybill.Unavailable) {
			t.Errorf("write %d: stored %v, %v", i+1, stored, e)
		}
	}
	if errs[1] == nil {
		t.Error("the disk was not full")
	}
	if err := db.Write(ctx, "later", addToken(ctx, "9", "")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func slicesHas(tokens []Token, id string) bool {
	for _, token := range tokens {
		if token.ID == id {
			return true
		}
	}
	return false
}

func TestAWriteThatEndsTheWriterHangsNobody(t *testing.T) {
	t.Parallel()
	db := openFile(t, nil)
	errs := queued(t, db,
		func() error { return db.Write(t.Context(), "exit", func(*Tx) error { runtime.Goexit(); return nil }) },
		func() error { return db.Write(t.Context(), "next", func(*Tx) error { return nil }) },
	)
	if !waybill.IsCode(errs[0], waybill.Internal) {
		t.Errorf("got %v", errs)
	}
	if err := db.Write(t.Context(), "late", func(*Tx) error { return nil }); err == nil {
		t.Error("a write without a writer succeeded")
	}
}

func TestDriverErrorsGetACode(t *testing.T) {
	t.Parallel()
	db := openFile(t, nil)
	ctx := t.Context()
	_, syntax := List(ctx, db.Query(), tokenRow, `SELEC 1`)
	gone, leave := context.WithCancel(ctx)
	leave()
	_, left := Tokens(gone, db.Query())
	for name, c := range map[string]struct {
		err  error
		want waybill.Code
	}{
		"none":      {nil, ""},
		"syntax":    {syntax, waybill.Internal},
		"cancelled": {left, waybill.Unavailable},
		"deadline":  {translate(fmt.Errorf("x: %w", context.DeadlineExceeded)), waybill.Unavailable},
		"kept":      {translate(fmt.Errorf("x: %w", waybill.Errorf(waybill.Limited, "slow"))), waybill.Limited},
		"other":     {translate(errors.New("x")), waybill.Internal},
		"unique":    {translate(&pgconn.PgError{Code: "23505"}), waybill.Conflict},
		"rivals":    {translate(&pgconn.PgError{Code: "40001"}), waybill.Unavailable},
		"shutdown":  {translate(&pgconn.PgError{Code: "57P01"}), waybill.Unavailable},
		"large":     {translate(&pgconn.PgError{Code: "54000"}), waybill.TooLarge},
		"password":  {translate(&pgconn.PgError{Code: "28P01"}), waybill.Invalid},
		"column":    {translate(&pgconn.PgError{Code: "42703"}), waybill.Internal},
		"hung up":   {translate(fmt.Errorf("x: %w", io.ErrUnexpectedEOF)), waybill.Unavailable},
	} {
		if got := waybill.CodeOf(c.err); got != c.want {
			t.Errorf("%s: %s, want %s (%v)", name, got, c.want, c.err)
		}
	}
}

func TestIDsAreInOrder(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	last := NewID(time.Time{})
	for i := range 10000 {
		id := NewID(at.Add(time.Duration(i) * 100 * time.Microsecond))
		if id <= last || len(id) != 26 {
			t.Fatalf("%s follows %s", id, last)
		}
		if first := FirstID(at.Add(time.Duration(i) * 100 * time.Microsecond)); first > id || first <= last[:len(first)-1] {
			t.Fatalf("%s is not the first of %s, after %s", first, id, last)
		}
		last = id
	}
	if early := FirstID(time.Time{}); early > NewID(time.Time{}) {
		t.Errorf("the first id of all is %s", early)
	}
}

// BenchmarkWrite is the rate of durable writes when many wait for them.
func BenchmarkWrite(b *testing.B) {
	db := openFile(b, nil)
	ctx := b.Context()
	b.SetParallelism(64 / runtime.GOMAXPROCS(0))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := db.Write(ctx, "bench", addToken(ctx, NewID(time.Now()), "")); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}
