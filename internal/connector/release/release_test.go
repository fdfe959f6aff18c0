package release

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

	"github.com/waybill-dev/waybill/internal/connector/build"
	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// house is an engine on a real store whose containers and images are small fakes.
type house struct {
	*Engine
	t          *testing.T
	repository waybill.Repository
	docker     *fakeDocker
	queue      *queue.Queue
	deployed   []string
}

// fakeDocker builds by remembering, and runs health checks by returning code.
type fakeDocker struct {
	mu     sync.Mutex
	images map[string]bool
	builds int
	code   int
	free   int64
	size   int64 // of every image
	// during is called in the middle of a build with its context.
	during func(ctx context.Context) error
}

func (f *fakeDocker) Build(ctx context.Context, r build.Request) (build.Result, error) {
	if f.during != nil {
		if err := f.during(ctx); err != nil {
			return build.Result{}, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	id := "sha256:" + r.Content.Key()
	if !f.images[id] {
		f.builds++
		f.images[id] = true
	}
	return build.Result{Image: id, Size: f.size}, nil
}

func (f *fakeDocker) Digest(ctx context.Context, r build.Request) (build.Content, error) {
	text, err := waybill.ReadFile(ctx, r.Tree, "code", 100)
	return build.Content{Context: string(text), Recipe: "recipe"}, err
}

func (f *fakeDocker) Exists(_ context.Context, image string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.images[image], nil
}

func (f *fakeDocker) Remove(_ context.Context, image string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.images, image)
	return nil
}
func (f *fakeDocker) FreeBytes(context.Context) (int64, error) { return f.free, nil }

func (f *fakeDocker) Start(_ context.Context, s runner.Spec) (runner.Container, error) {
	return runner.Container{ID: s.Name, Name: s.Name}, nil
}

func (f *fakeDocker) Wait(context.Context, string, io.Writer, io.Writer) (runner.Exit, error) {
	return runner.Exit{Code: f.code}, nil
}
func (f *fakeDocker) Stop(context.Context, string, time.Duration) error { return nil }

// removal of containers; images are removed through the same name by retention.
type fakeRunner struct{ *fakeDocker }

func (fakeRunner) Remove(context.Context, string) error { return nil }

type nopLogs struct{}

func (nopLogs) Create(string) (io.WriteCloser, error) { return nopCloser{io.Discard}, nil }
func (nopLogs) Remove(string) error                   { return nil }

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// commitTree is a commit whose only file is named code and holds the part of its id before the dash.
type commitTree string

func (c commitTree) Walk(context.Context, func(waybill.File) error) error { return nil }

func (c commitTree) Open(context.Context, string) (io.ReadCloser, error) {
	code, _, _ := strings.Cut(string(c), "-")
	return io.NopCloser(bytes.NewBufferString(code)), nil
}

func (c commitTree) Size(ctx context.Context, name string) (int64, error) {
	text, err := waybill.ReadFile(ctx, c, name, 1<<20)
	return int64(len(text)), err
}

func (h *house) Tree(_ context.Context, _ waybill.Repository, commit string) (waybill.Tree, error) {
	return commitTree(commit), nil
}

func (h *house) Deployed(_ context.Context, _ *store.Tx, r waybill.Release, site string) error {
	h.deployed = append(h.deployed, r.Commit+" on "+site)
	return nil
}

func newHouse(t *testing.T) *house {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), store.Options{URL: filepath.Join(t.TempDir(), "waybill.db"), Log: log, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	docker := &fakeDocker{images: map[string]bool{}, free: 10 << 30}
	h := &house{t: t, docker: docker}
	h.Engine = New(Options{
		DB: db, Trees: h, Builder: docker, Images: docker, Runner: fakeRunner{docker}, Logs: nopLogs{}, Runs: h,
		MinFree: 2 << 30, KeptImages: 5, FailedLogs: time.Hour, Now: time.Now, Log: log,
		Observer: Observer{
			Step:     func(waybill.Step, waybill.Outcome) {},
			Deployed: func(waybill.Environment, time.Duration) {},
		},
	})
	h.repository = waybill.Repository{ID: "R", Name: "shop-feed", URL: "/srv/shop-feed.git", Forge: "plain", Owner: "feeds", Hook: "h", DefaultBranch: "main"}
	h.write(func(tx *store.Tx) error { return gitstore.AddRepository(t.Context(), tx, h.repository) })
	h.queue = queue.New(db, queue.Options{Owner: "test", Now: time.Now, Log: log})
	h.queue.Handle(Kind, 2, 2, h.Handle)
	return h
}

func (h *house) write(fn func(tx *store.Tx) error) {
	h.t.Helper()
	if err := h.DB.Write(h.t.Context(), "test", fn); err != nil {
		h.t.Fatal(err)
	}
}

// push hands a release of commit over, to prod when version is not empty.
func (h *house) push(commit, version string) string {
	h.t.Helper()
	d := waybill.Declaration{
		Identity: waybill.Identity{Kind: "Connector", Name: "shop-feed", Major: 1}, Folder: ".",
		Connector: &waybill.Connector{Owner: "feeds", Application: waybill.Application{
			Command: "/feed", HealthCheck: &waybill.HealthCheck{Timeout: time.Second},
		}},
	}
	change := waybill.Change{Identity: d.Identity, Class: waybill.Create, Environment: waybill.Dev, Wanted: &d, Content: commit}
	ref := "refs/heads/main"
	if version != "" {
		change.Environment, change.Semver, ref = waybill.Prod, version, "refs/tags/v"+version
	}
	check := waybill.Check{
		ID: store.NewID(time.Now()), Repository: "R", Ref: ref, Commit: commit, Phase: waybill.Planned,
		State: waybill.StateSuccess, Summary: "1 connector released",
	}
	h.write(func(tx *store.Tx) error {
		if err := gitstore.PutCheck(h.t.Context(), tx, check); err != nil {
			return err
		}
		return h.Accept(h.t.Context(), tx, check, []waybill.Change{change})
	})
	return check.ID
}

// settleDown works until nothing is open.
func (h *house) settleDown() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	stopped, stop := context.WithCancel(ctx)
	go func() { done <- h.queue.Run(stopped) }()
	wake, unsubscribe := h.DB.Subscribe("connector:shop-feed")
	defer unsubscribe()
	for {
		open, err := connectorstore.Releases(ctx, h.DB.Query(), connectorstore.ReleaseFilter{Open: true})
		if err != nil {
			h.t.Fatal(err)
		}
		tries, err := connectorstore.Releases(ctx, h.DB.Query(), connectorstore.ReleaseFilter{Open: true, Environment: waybill.Try})
		if err != nil {
			h.t.Fatal(err)
		}
		if len(open)+len(tries) == 0 {
			break
		}
		select {
		case <-wake:
		case <-ctx.Done():
			h.t.Fatalf("still open: %+v", open)
		}
	}
	stop()
	if err := <-done; err != nil {
		h.t.Fatal(err)
	}
}

// board returns the statuses of a commit, aggregate first, one "context state description" a line.
func (h *house) board(commit string) string {
	h.t.Helper()
	statuses, err := gitstore.Statuses(h.t.Context(), h.DB.Query(), "R", commit)
	if err != nil {
		h.t.Fatal(err)
	}
	var b strings.Builder
	for _, s := range statuses {
		fmt.Fprintf(&b, "%s %s %s\n", s.Context, s.State, s.Description)
	}
	return b.String()
}

// live returns the commit that an environment serves.
func (h *house) liveCommit(env waybill.Environment) string {
	h.t.Helper()
	r, err := h.live(h.t.Context(), h.DB.Query(), waybill.Identity{Name: "shop-feed", Major: 1}, env)
	if err != nil {
		h.t.Fatal(err)
	}
	if r == nil {
		return ""
	}
	return r.Commit
}

// image returns the id of the image that is built from code.
func (h *house) image(code string) string {
	h.t.Helper()
	content, err := h.docker.Digest(h.t.Context(), build.Request{Tree: commitTree(code + "-")})
	if err != nil {
		h.t.Fatal(err)
	}
	return "sha256:" + content.Key()
}
