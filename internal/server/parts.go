package server

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/build"
	"github.com/waybill-dev/waybill/internal/connector/release"
	"github.com/waybill-dev/waybill/internal/connector/run"
	"github.com/waybill-dev/waybill/internal/connector/runner/docker"
	"github.com/waybill-dev/waybill/internal/foundation/blob"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/git/forge/plain"
	"github.com/waybill-dev/waybill/internal/git/platform"
	"github.com/waybill-dev/waybill/internal/git/reconcile"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// logs keeps what builds and programs print as blobs.
type logs struct{ *blob.Store }

// Create begins a log anew, also one that is there.
func (l logs) Create(id string) (io.WriteCloser, error) {
	w, err := l.Append(id)
	if err != nil {
		return nil, err
	}
	if err := w.Truncate(); err != nil {
		_ = w.Close()
		return nil, err
	}
	return w, nil
}

// hooks makes plain repositories tell this server of their pushes.
type hooks struct{ program, url string }

// Install puts the hook into a local repository.
func (h hooks) Install(ctx context.Context, r waybill.Repository) error {
	return plain.InstallHook(ctx, r, h.program, h.url)
}

// Remove takes it out and puts back the one that was there before.
func (h hooks) Remove(ctx context.Context, r waybill.Repository) error {
	return plain.RemoveHook(ctx, r)
}

// openImages connects to the engine that builds and keeps images, behind the decorators of a Builder.
func (s *Server) openImages() (*build.Engine, build.Builder, error) {
	c := s.Config
	engine, err := build.Open(build.Options{Host: c.Docker.Host, AllowHosts: c.Build.AllowHosts})
	if err != nil {
		return nil, nil, err
	}
	find := func(ctx context.Context, content build.Content) (string, bool, error) {
		image, ok, err := connectorstore.FindImage(ctx, s.db.Query(), content.Context, content.Recipe)
		return image.Image, ok, err
	}
	builder := build.Reuse(build.Limit(engine, c.Build.Concurrency), find, engine)
	return engine, build.Record(builder, s.Now, func(o build.Observation) {
		s.metrics.Built(o.Outcome, o.Reused, o.Duration)
	}), nil
}

// newReleases builds the engine of releases on its parts.
func (s *Server) newReleases(engine *build.Engine, builder build.Builder, runner *docker.Engine, trees trees, runs *run.Engine) *release.Engine {
	o := release.Options{
		DB: s.db, Trees: trees, Builder: builder, Images: engine, Runner: runner, Logs: logs{s.blobs}, Runs: runs,
		MinFree: s.Config.Build.MinFreeBytes, KeptImages: s.Config.Retention.Images, FailedLogs: s.Config.Retention.FailedLogs,
		Withdrawn: s.Config.Retention.Withdrawn, Discussion: reconcile.Discussion,
		Now: s.Now, Log: s.Log,
		Observer: release.Observer{Step: s.metrics.Step, Deployed: s.metrics.Deployed},
	}
	if s.Config.Platform.Repository != "" {
		o.Policies = func(ctx context.Context) (map[string]waybill.PolicySpec, error) {
			return platform.Policies(ctx, s.db.Query())
		}
	}
	if prefix := s.Config.Registry.Prefix; prefix != "" {
		o.Pusher, o.Registry = engine, prefix
	}
	return release.New(o)
}

// trees reads the files of a commit.
type trees interface {
	Tree(ctx context.Context, r waybill.Repository, commit string) (waybill.Tree, error)
}

// installation returns the random name that tells this Waybill's containers from those of others on one engine. It is
// made at the first start and kept in the data folder.
func installation(data string, now time.Time) (string, error) {
	file := filepath.Join(data, "installation")
	if text, err := os.ReadFile(file); err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	id := strings.ToLower(store.NewID(now))
	if err := os.WriteFile(file, []byte(id+"\n"), 0o600); err != nil {
		return "", waybill.Wrap(waybill.Unavailable, err, "cannot write "+file)
	}
	return id, nil
}

// program returns the path of the program that hooks call.
func (s *Server) program() (string, error) {
	if s.Config.BinPath != "" {
		return s.Config.BinPath, nil
	}
	path, err := os.Executable()
	if err != nil {
		return "", waybill.Wrap(waybill.Internal, err, "cannot find the running program; set binPath")
	}
	return path, nil
}
