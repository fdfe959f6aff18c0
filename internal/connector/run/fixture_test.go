package run

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// fixture is a portal with the connector shop-feed live and assigned at feeds-dev.
type fixture struct {
	*Engine
	t       *testing.T
	clock   *clock
	runner  *fakeRunner
	logs    *memory
	ended   chan waybill.Run // what the observer heard
	lags    chan time.Duration
	release waybill.Release
	commits atomic.Pointer[func(names []string, commit func() error) error]
}

// commit is called for each commit of the store.
func (f *fixture) commit(names []string, commit func() error) error {
	if hook := f.commits.Load(); hook != nil {
		return (*hook)(names, commit)
	}
	return commit()
}

// at replaces the next commit of the named transaction by fn. The function reports whether it came.
func (f *fixture) at(name string, fn func(commit func() error) error) (reached func() bool) {
	var hit atomic.Bool
	hook := func(names []string, commit func() error) error {
		if slices.Contains(names, name) && hit.CompareAndSwap(false, true) {
			return fn(commit)
		}
		return commit()
	}
	f.commits.Store(&hook)
	return hit.Load
}

// change adapts the declaration before it is released.
type change func(c *waybill.Connector)

func newFixture(t *testing.T, changes ...change) *fixture {
	t.Helper()
	f := &fixture{
		t: t, clock: &clock{now: time.Date(2026, 3, 1, 10, 0, 30, 0, time.UTC)}, logs: &memory{files: map[string]*bytes.Buffer{}},
		ended: make(chan waybill.Run, 100), lags: make(chan time.Duration, 100),
	}
	f.runner = &fakeRunner{now: f.clock.Now, boxes: map[string]*box{}}
	db, err := store.Open(t.Context(), store.Options{URL: filepath.Join(t.TempDir(), "waybill.db"), Now: f.clock.Now, Commit: f.commit})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	f.Engine = f.restarted(db)
	f.write(func(ctx context.Context, tx *store.Tx) error {
		now := f.clock.Now()
		if err := connectorstore.EnsureTeam(ctx, tx, "feeds", now); err != nil {
			return err
		}
		for name, env := range map[string]waybill.Environment{"feeds-dev": waybill.Dev, "feeds-prod": waybill.Prod} {
			if _, err := connectorstore.EnsureSite(ctx, tx, waybill.Site{Name: name, Owner: "feeds", Environment: env, Created: now}); err != nil {
				return err
			}
		}
		_, err := connectorstore.ClaimName(ctx, tx, connectorstore.Connector{Name: "shop-feed", Owner: "feeds", Created: now})
		return err
	})
	f.release = f.goLive(1, changes...)
	f.assign(waybill.Assignment{Config: map[string]string{"base_url": "file:///data"}})
	return f
}

// restarted returns an engine on the same store, containers and logs: what is left after a crash.
func (f *fixture) restarted(db *store.DB) *Engine {
	return New(Options{
		DB: db, Runner: f.runner, Logs: f.logs, Now: f.clock.Now, Log: slog.New(slog.DiscardHandler), MaxOutput: 100, Grace: time.Second,
		Observer: Observer{
			Ended:       func(r waybill.Run) { f.ended <- r },
			ScheduleLag: func(late time.Duration) { f.lags <- late },
		},
	})
}

func (f *fixture) write(fn func(ctx context.Context, tx *store.Tx) error) {
	f.t.Helper()
	if err := f.DB.Write(f.t.Context(), "test", func(tx *store.Tx) error { return fn(f.t.Context(), tx) }); err != nil {
		f.t.Fatal(err)
	}
}

// declared is shop-feed as tests use it.
func declared(changes ...change) *waybill.Connector {
	page := "100"
	c := &waybill.Connector{
		Owner: "feeds", Mode: "environment",
		Application: waybill.Application{Command: "/bin/feed", Arguments: []string{"import"}},
		Fields: []waybill.Field{
			{Key: "base_url", Required: true}, {Key: "page-size", Default: &page}, {Key: "extra"},
		},
		Run: waybill.RunSettings{Timeout: time.Hour, Concurrency: "skip", CPU: "0.5", Memory: 64 << 20},
	}
	for _, change := range changes {
		change(c)
	}
	return c
}

// goLive releases a version of shop-feed to dev.
func (f *fixture) goLive(major int, changes ...change) waybill.Release {
	f.t.Helper()
	r := waybill.Release{
		Environment: waybill.Dev, Commit: "c0ffee0000000000000000000000000000000000", Image: "sha256:1",
		Declaration: waybill.Declaration{
			Identity: waybill.Identity{Kind: "Connector", Name: "shop-feed", Major: major}, Connector: declared(changes...),
		},
	}
	return f.goLiveAs(r)
}

// goLiveAs makes a copy of r under a new id live.
func (f *fixture) goLiveAs(r waybill.Release) waybill.Release {
	f.t.Helper()
	r.ID = store.NewID(f.clock.Now())
	major := r.Declaration.Major
	f.write(func(ctx context.Context, tx *store.Tx) error {
		if err := connectorstore.InsertRelease(ctx, tx, r); err != nil {
			return err
		}
		live, _, err := connectorstore.FindLive(ctx, tx, "shop-feed", major, waybill.Dev)
		if err != nil {
			return err
		}
		tx.Notify(connectorstore.ScheduleTopic)
		return connectorstore.SetLive(ctx, tx, waybill.Live{
			Connector: "shop-feed", Major: major, Environment: waybill.Dev, Release: r.ID, Seq: live.Seq, Since: f.clock.Now(),
		})
	})
	return r
}

// assign puts shop-feed to a site; empty parts are filled in.
func (f *fixture) assign(a waybill.Assignment) {
	f.t.Helper()
	if a.Site == "" {
		a.Site, a.Enabled = "feeds-dev", true
	}
	if a.Major == 0 {
		a.Major = 1
	}
	a.Connector = "shop-feed"
	f.write(func(ctx context.Context, tx *store.Tx) error {
		tx.Notify(connectorstore.ScheduleTopic)
		return connectorstore.PutAssignment(ctx, tx, a)
	})
}

// start starts a run or fails the test.
func (f *fixture) start() waybill.Run {
	f.t.Helper()
	r, err := f.Start(f.t.Context(), Request{Connector: "shop-feed", Site: "feeds-dev", By: waybill.Actor{Name: "ada", Channel: waybill.ChannelAPI}})
	if err != nil {
		f.t.Fatalf("Start: %v", err)
	}
	return r
}

// run reads a run.
func (f *fixture) run(id string) waybill.Run {
	f.t.Helper()
	r, err := connectorstore.Run(f.t.Context(), f.DB.Query(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// runs lists all runs, oldest first.
func (f *fixture) runs() []waybill.Run {
	f.t.Helper()
	newest, err := connectorstore.Runs(f.t.Context(), f.DB.Query(), connectorstore.RunFilter{})
	if err != nil {
		f.t.Fatal(err)
	}
	var oldest []waybill.Run
	for _, r := range newest {
		oldest = append([]waybill.Run{r}, oldest...)
	}
	return oldest
}

// handle does the work of a run and fails the test unless it ends as wanted.
func (f *fixture) handle(id, want string) {
	f.t.Helper()
	if got := f.Handle(f.t.Context(), queue.Item{Kind: Kind, Key: id}); got.String() != want {
		f.t.Fatalf("Handle = %s (%v), want %s", got, got.Err(), want)
	}
}

// handling does the work of a run in the background; the function waits for its end.
func (f *fixture) handling(ctx context.Context, id string) (wait func() queue.Result) {
	result := make(chan queue.Result, 1)
	go func() { result <- f.Handle(ctx, queue.Item{Kind: Kind, Key: id}) }()
	return func() queue.Result { return <-result }
}

// reached waits until a run is in a state.
func (f *fixture) reached(id string, want waybill.RunState) waybill.Run {
	f.t.Helper()
	wake, stop := f.DB.Subscribe("run:" + id)
	defer stop()
	for {
		if r := f.run(id); r.State == want {
			return r
		}
		select {
		case <-wake:
		case <-f.t.Context().Done():
			f.t.Fatalf("run %s is %s, want %s", id, f.run(id).State, want)
		}
	}
}

// history returns the actions recorded for a subject, oldest first.
func (f *fixture) history(subject string) []string {
	f.t.Helper()
	entries, err := store.History(f.t.Context(), f.DB.Query(), store.HistoryFilter{Subject: subject})
	if err != nil {
		f.t.Fatal(err)
	}
	var actions []string
	for _, e := range entries {
		actions = append([]string{e.Action}, actions...)
	}
	return actions
}

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// memory keeps logs.
type memory struct {
	mu    sync.Mutex
	files map[string]*bytes.Buffer
	err   error // of Create
}

func (m *memory) Create(id string) (io.WriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[id] = &bytes.Buffer{}
	return memoryFile{m, m.files[id]}, m.err
}

func (m *memory) text(id string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.files[id]; b != nil {
		return b.String()
	}
	return ""
}

type memoryFile struct {
	m *memory
	b *bytes.Buffer
}

func (f memoryFile) Write(p []byte) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return f.b.Write(p)
}

func (f memoryFile) Close() error { return nil }
