package portal_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/face/portal"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// now is when every page of the tests is looked at.
func now() time.Time { return time.Date(2026, 3, 4, 15, 30, 0, 0, time.UTC) }

// logbook is a memory of logs.
type logbook struct {
	mu    sync.Mutex
	texts map[string]string
	grown chan struct{} // closed and replaced when a log grows
}

func newLogbook() *logbook { return &logbook{texts: map[string]string{}, grown: make(chan struct{})} }

func (l *logbook) add(id, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.texts[id] += text
	close(l.grown)
	l.grown = make(chan struct{})
}

func (l *logbook) get(id string) (text string, grown <-chan struct{}, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text, ok = l.texts[id]
	return text, l.grown, ok
}

func (l *logbook) Open(id string) (io.ReadSeekCloser, error) {
	text, _, ok := l.get(id)
	if !ok {
		return nil, waybill.Errorf(waybill.NotFound, "no blob %s", id)
	}
	return seekCloser{bytes.NewReader([]byte(text))}, nil
}

type seekCloser struct{ *bytes.Reader }

func (seekCloser) Close() error { return nil }

func (l *logbook) Follow(ctx context.Context, id string, _ func() bool) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		sent := 0
		for {
			text, grown, _ := l.get(id)
			if _, err := io.WriteString(w, text[sent:]); err != nil {
				return
			}
			sent = len(text)
			select {
			case <-ctx.Done():
				_ = w.CloseWithError(io.EOF)
				return
			case <-grown:
			}
		}
	}()
	return r
}

// engines records what the pages ask for.
type engines struct {
	mu    sync.Mutex
	calls []string
	err   error
	run   waybill.Run
}

func (e *engines) called(format string, args ...any) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, fmt.Sprintf(format, args...))
	return e.err
}

func (e *engines) Rollback(_ context.Context, connector string, major int, env waybill.Environment, by waybill.Actor) (waybill.Live, error) {
	return waybill.Live{Connector: connector, Major: major}, e.called("rollback %s %d %s by %s", connector, major, env, by.Name)
}

func (e *engines) Promote(_ context.Context, release string, by waybill.Actor) (waybill.Live, error) {
	return waybill.Live{Connector: "shop-feed", Major: 1}, e.called("promote %s by %s", release, by.Name)
}

func (e *engines) Retry(_ context.Context, repository, commit string, by waybill.Actor) error {
	return e.called("retry %s %s by %s", repository, commit, by.Name)
}

func (e *engines) Cancel(_ context.Context, id string, by waybill.Actor) error {
	return e.called("cancel %s by %s", id, by.Name)
}

func (e *engines) start(_ context.Context, s portal.Start) (waybill.Run, error) {
	return e.run, e.called("start %s %d %s by %s", s.Connector, s.Major, s.Site, s.By.Name)
}

// world is a portal over a real store.
type world struct {
	t      testing.TB
	db     *store.DB
	logs   *logbook
	engine *engines
	portal *portal.Portal
	seq    int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	db, err := store.Open(t.Context(), store.Options{URL: filepath.Join(t.TempDir(), "waybill.db"), Log: log, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, db: db, logs: newLogbook(), engine: &engines{}}
	w.portal, err = portal.New(portal.Options{
		DB: db, Logs: w.logs, Versions: w.engine, Retrier: w.engine, Runs: w.engine, Start: w.engine.start,
		Now: now, Log: log, Open: true, Platform: "/srv/git/platform.git",
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func (w *world) write(fn func(tx *store.Tx) error) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), "test.seed", fn); err != nil {
		w.t.Fatal(err)
	}
}

// sha returns a commit that looks like one.
func (w *world) sha() string {
	w.seq++
	return fmt.Sprintf("%08x%032x", uint32(w.seq)*2654435761, w.seq)
}

func (w *world) repository(owner, name string) waybill.Repository {
	w.t.Helper()
	r := waybill.Repository{
		ID: store.NewID(now()), Owner: owner, Name: name, URL: "/srv/git/" + name + ".git", Forge: "plain",
		Hook: "hook-" + name, HookSecret: "very-secret", DefaultBranch: "main", Added: now().Add(-90 * 24 * time.Hour),
	}
	w.write(func(tx *store.Tx) error { return gitstore.AddRepository(w.t.Context(), tx, r) })
	return r
}

// claim makes a connector with its sites.
func (w *world) claim(r waybill.Repository, name string) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		ctx := w.t.Context()
		if err := connectorstore.EnsureTeam(ctx, tx, r.Owner, now()); err != nil {
			return err
		}
		for _, env := range []waybill.Environment{waybill.Dev, waybill.Prod} {
			s := waybill.Site{Name: r.Owner + "-" + string(env), Owner: r.Owner, Environment: env, Created: now()}
			if _, err := connectorstore.EnsureSite(ctx, tx, s); err != nil {
				return err
			}
		}
		_, err := connectorstore.ClaimName(ctx, tx, connectorstore.Connector{
			Name: name, Owner: r.Owner, Repository: r.ID, Created: now(),
		})
		return err
	})
}

func (w *world) assign(site, connector string, major int, config map[string]string) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		return connectorstore.PutAssignment(w.t.Context(), tx, waybill.Assignment{
			Site: site, Connector: connector, Major: major, Config: config, Enabled: true, Updated: now(),
		})
	})
}

// declaration returns a connector with every part filled in.
func declaration(name string, major int, title, owner string) waybill.Declaration {
	hundred := "100"
	return waybill.Declaration{
		Identity: waybill.Identity{Kind: "Connector", Name: name, Major: major}, File: "waybill.yaml", Folder: ".", Line: 1,
		Lines: map[string]int{
			"metadata": 3, "spec.build": 12, "spec.application": 16, "spec.fields": 22, "spec.run": 31, "spec.datasource": 9,
		},
		Digest: "sha256:" + strings.Repeat("7a", 32),
		Connector: &waybill.Connector{
			Title: title, Description: "Reads products of a shop and hands them on as rows.", Owner: owner,
			Labels: map[string]string{"tier": "gold"}, Type: "datasource", Flow: "default", Mode: "environment",
			Build: waybill.Build{Context: ".", Dockerfile: "Dockerfile", Network: "bridge", Timeout: 20 * time.Minute},
			Application: waybill.Application{
				Command: "/bin/feed", Arguments: []string{"import"},
				HealthCheck: &waybill.HealthCheck{Arguments: []string{"--help"}, Timeout: 5 * time.Second},
			},
			Fields: []waybill.Field{
				{Key: "base_url", Type: "input", Label: "Shop address", Required: true},
				{Key: "page_size", Type: "select", Label: "Page size", Default: &hundred},
				{Key: "api_key", Type: "password", Label: "API key"},
			},
			Categories: []string{"shop-systems"},
			Run: waybill.RunSettings{
				Schedule: "CRON_TZ=Europe/Berlin 0 */6 * * *", Timeout: 30 * time.Minute, Concurrency: "skip", CPU: "1", Memory: 512 << 20,
			},
		},
	}
}

// release stores a release whose steps have the given outcomes; the rest waits.
func (w *world) release(r waybill.Repository, d waybill.Declaration, env waybill.Environment, semver string, at time.Time, outcomes ...waybill.Outcome) waybill.Release {
	w.t.Helper()
	rel := waybill.Release{
		ID: store.NewID(at), Declaration: d, Environment: env, Repository: r.ID, Ref: "refs/heads/main", Commit: w.sha(),
		Semver: semver, Context: "sha256:" + strings.Repeat("c0", 32), Recipe: "sha256:" + strings.Repeat("4e", 32),
		Steps: waybill.NewSteps(env), Outcome: waybill.Waiting, Created: at,
	}
	if semver != "" {
		rel.Ref = "refs/tags/v" + semver
	}
	details := map[waybill.Step]string{
		waybill.StepBuild: "2.1s", waybill.StepRuntime: "registered", waybill.StepDev: "site " + r.Owner + "-dev", waybill.StepProd: "site " + r.Owner + "-prod",
	}
	for i, o := range outcomes {
		step, detail := rel.Steps[i].Step, details[rel.Steps[i].Step]
		began := at.Add(time.Duration(i) * 2100 * time.Millisecond)
		if o == waybill.Failed && step == waybill.StepBuild {
			detail = "Dockerfile:14: RUN go build -o /out/feed ./cmd/feed: exit code 1: cmd/feed/main.go:42:17: undefined: parsePrice"
		}
		if o != waybill.Waiting {
			must(w.t, rel.Move(step, waybill.Running, "", began))
		}
		if o != waybill.Running && o != waybill.Waiting {
			must(w.t, rel.Move(step, o, detail, began.Add(2100*time.Millisecond)))
		}
		if step == waybill.StepBuild {
			rel.Steps[i].Log = "release/" + rel.ID + "/build"
		}
		if step == waybill.StepBuild && o == waybill.OK {
			rel.Image = "sha256:" + fmt.Sprintf("%08x%056x", uint32(w.seq)*2246822519, w.seq)
		}
	}
	w.write(func(tx *store.Tx) error { return connectorstore.InsertRelease(w.t.Context(), tx, rel) })
	return rel
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// live points the lane of a release at it.
func (w *world) live(r waybill.Release, at time.Time) {
	w.t.Helper()
	id := r.Declaration.Identity
	w.write(func(tx *store.Tx) error {
		old, _, err := connectorstore.FindLive(w.t.Context(), tx, id.Name, id.Major, r.Environment)
		if err != nil {
			return err
		}
		err = connectorstore.SetLive(w.t.Context(), tx, waybill.Live{
			Connector: id.Name, Major: id.Major, Environment: r.Environment, Release: r.ID, Seq: old.Seq, Since: at,
		})
		if err != nil {
			return err
		}
		return store.Record(w.t.Context(), tx, waybill.Entry{
			At: at, Actor: "ada", Channel: waybill.ChannelGit, Repository: r.Repository, Commit: r.Commit,
			Subject: "connector:" + id.String(), Action: "live." + string(r.Environment), Before: old.Release, After: r.ID,
			Message: string(r.Environment) + " now serves this commit",
		})
	})
}

// run stores a run that ended in state, with exit code and duration; a negative code is none.
func (w *world) run(rel waybill.Release, site string, state waybill.RunState, code int, at time.Time, took time.Duration) waybill.Run {
	w.t.Helper()
	r := waybill.Run{
		ID: store.NewID(at), Connector: rel.Declaration.Name, Major: rel.Declaration.Major, Site: site,
		Environment: rel.Environment, Release: rel.ID, Commit: rel.Commit, Image: rel.Image, Trigger: waybill.TriggerSchedule,
		State: state, Created: at,
	}
	r.Stdout, r.Stderr = "run/"+r.ID+"/stdout", "run/"+r.ID+"/stderr"
	if state != waybill.RunQueued {
		r.Started, r.PID = at.Add(120*time.Millisecond), 20000+w.seq
	}
	if state.Final() {
		r.Ended = r.Started.Add(took)
		r.Class = waybill.ClassOf(code, code == 137, state == waybill.RunTimedOut)
	}
	if code >= 0 {
		r.ExitCode = &code
	}
	if state == waybill.RunFailed {
		r.Reason = fmt.Sprintf("exit code %d: the remote system answered 503 Service Unavailable", code)
	}
	w.write(func(tx *store.Tx) error { return connectorstore.InsertRun(w.t.Context(), tx, r) })
	return r
}

// check stores a check with findings, and the statuses they lead to.
func (w *world) check(r waybill.Repository, ref, commit string, at time.Time, findings waybill.Findings, statuses ...waybill.Status) waybill.Check {
	w.t.Helper()
	c := waybill.Check{
		ID: store.NewID(at), Repository: r.ID, Ref: ref, Commit: commit, Cause: "push", Actor: "ada", Phase: waybill.Planned,
		Findings: findings, State: waybill.StateSuccess, Summary: "1 connector", Opened: at, Closed: at.Add(time.Second),
	}
	if findings.Errors() > 0 {
		c.State, c.Summary = waybill.StateFailure, findings.Summary()
	}
	w.write(func(tx *store.Tx) error {
		if err := gitstore.PutCheck(w.t.Context(), tx, c); err != nil {
			return err
		}
		return gitstore.SetStatuses(w.t.Context(), tx, r.ID, commit, statuses)
	})
	return c
}

func buildLog(lines int) string {
	var b strings.Builder
	b.WriteString("#1 load build definition from Dockerfile\n#1 transferring dockerfile: 412B done\n#1 DONE 0.0s\n\n")
	for i := range lines {
		fmt.Fprintf(&b, "#%d [build %d/9] RUN go build -trimpath -o /out/step%d ./cmd/step%d\n#%d %d.%d downloading example.org/module v1.%d.0\n", i+4, i, i, i, i+4, i, i%10, i)
	}
	b.WriteString("#9 2.114 cmd/feed/main.go:42:17: undefined: parsePrice\n#9 ERROR: process \"/bin/sh -c go build -o /out/feed ./cmd/feed\" did not complete successfully: exit code: 1\n")
	return b.String()
}
