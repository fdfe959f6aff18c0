package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// sink takes everything over and does nothing.
type sink struct{}

func (sink) Observe(context.Context, store.Querier, string, []waybill.Identity) ([]waybill.Observed, error) {
	return nil, nil
}

func (sink) Content(context.Context, waybill.Tree, waybill.Declaration) (string, error) {
	return "content", nil
}

func (sink) Accept(context.Context, *store.Tx, waybill.Check, []waybill.Change) error { return nil }

// BenchmarkAllDirty measures how long 1,000 repositories of one connector each take that are all dirty at once although
// nothing changed, as after a restore: real store, queue, mirrors and git, with the workers of a server. Target: 20 s.
// The first time, when every one is fetched, read and validated, is told beside it.
func BenchmarkAllDirty(b *testing.B) {
	const repositories, teams = 1000, 20
	g := testkit.NewGit(b)
	folder := b.TempDir()
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(b.Context(), store.Options{URL: filepath.Join(b.TempDir(), "waybill.db"), Log: log, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	mirrors, err := repo.Open(b.TempDir(), repo.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer mirrors.Close()
	loader, err := manifest.New()
	if err != nil {
		b.Fatal(err)
	}
	engine := New(Options{
		DB: db, Mirrors: mirrors, Loader: loader, Connectors: sink{}, Platform: nobody{}, Now: time.Now, Log: log,
		Observer: Observer{
			Git:       func(string, time.Duration, error) {},
			Validated: func(time.Duration) {},
			Found:     func(waybill.Findings) {},
		},
	})
	clone := g.Clone(g.Bare("first.git"), "clone")
	clone.Commit("first", map[string]string{"waybill.yaml": strings.ReplaceAll(good, "owner: feeds", "owner: team-0"), "Dockerfile": "FROM scratch\n"})
	clone.Push("main")
	source := os.DirFS(filepath.Join(g.Dir, "first.git"))
	var all []waybill.Repository
	for i := range repositories {
		name := fmt.Sprintf("shop-%04d", i)
		r := waybill.Repository{
			ID: store.NewID(time.Now()), Owner: fmt.Sprintf("team-%d", i%teams), Name: name, Forge: "plain",
			URL: filepath.Join(folder, name+".git"), Hook: name, DefaultBranch: "main",
		}
		if err := os.CopyFS(r.URL, source); err != nil {
			b.Fatal(err)
		}
		if err := db.Write(b.Context(), "bench", func(tx *store.Tx) error { return gitstore.AddRepository(b.Context(), tx, r) }); err != nil {
			b.Fatal(err)
		}
		all = append(all, r)
	}
	clean := func() time.Duration {
		b.Helper()
		err := db.Write(b.Context(), "bench", func(tx *store.Tx) error {
			for _, r := range all {
				if _, err := queue.Enqueue(b.Context(), tx, queue.Entry{Kind: Kind, Key: Key(r.ID, mainRef), Tenant: r.Owner}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
		defer cancel()
		stopped, stop := context.WithCancel(ctx)
		defer stop()
		var done atomic.Int64
		q := queue.New(db, queue.Options{Owner: "bench", Log: log, Observe: queue.Observe{
			Finished: func(_, result string, _ time.Duration) {
				if result != "done" {
					b.Errorf("work ended as %s", result)
				}
				if done.Add(1) == repositories {
					stop()
				}
			},
		}})
		q.Handle(Kind, 8, 2, engine.Handle)
		if err := q.Run(stopped); err != nil || ctx.Err() != nil {
			b.Fatalf("not clean: %v, %v", err, ctx.Err())
		}
		return time.Since(begin)
	}
	first := clean()
	for b.Loop() {
		took := clean()
		b.ReportMetric(took.Seconds(), "clean-s")
		b.ReportMetric(20, "target-clean-s")
		b.ReportMetric(first.Seconds(), "first-s")
	}
}
