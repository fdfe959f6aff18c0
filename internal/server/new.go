package server

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/release"
	"github.com/waybill-dev/waybill/internal/connector/run"
	"github.com/waybill-dev/waybill/internal/connector/runner/docker"
	"github.com/waybill-dev/waybill/internal/face/api"
	"github.com/waybill-dev/waybill/internal/face/httpserver"
	"github.com/waybill-dev/waybill/internal/face/portal"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/foundation/blob"
	"github.com/waybill-dev/waybill/internal/foundation/config"
	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/telemetry"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/git/forge/plain"
	"github.com/waybill-dev/waybill/internal/git/inbox"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/git/platform"
	"github.com/waybill-dev/waybill/internal/git/reconcile"
	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// pollTimeout bounds one look at one repository.
const pollTimeout = 30 * time.Second

// New acquires what a server needs, in the order in which the parts stand on each other, and wires them. After an
// error nothing stays acquired.
func New(ctx context.Context, o Options) (_ *Server, err error) {
	s := &Server{Options: o, metrics: telemetry.New(o.Version)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if err := s.openFoundation(ctx); err != nil {
		return nil, err
	}
	installation, err := installation(o.Config.Data, o.Now())
	if err != nil {
		return nil, err
	}
	forges, err := s.openForges()
	if err != nil {
		return nil, err
	}
	mirrors, err := repo.Open(o.Config.MirrorFolder(), repo.Options{Log: o.Log, Credentials: forges.credentials})
	if err != nil {
		return nil, err
	}
	s.onClose("mirrors", func() error { mirrors.Close(); return nil })
	images, builder, err := s.openImages()
	if err != nil {
		return nil, err
	}
	s.onClose("image engine", images.Close)
	runner, err := docker.Open(docker.Options{Host: o.Config.Docker.Host, Installation: installation})
	if err != nil {
		return nil, err
	}
	s.onClose("runner", runner.Close)

	runs := run.New(run.Options{
		DB: s.db, Runner: runner, Logs: logs{s.blobs}, Now: o.Now, Log: o.Log,
		Observer: run.Observer{Ended: s.metrics.RunEnded, ScheduleLag: s.metrics.ScheduleLag},
	})
	releases := s.newReleases(images, builder, runner, mirrors, runs)
	git, err := s.newGit(mirrors, releases, forges)
	if err != nil {
		return nil, err
	}

	work := queue.New(s.db, queue.Options{
		Owner: installation, Now: o.Now, Log: o.Log,
		Observe: queue.Observe{Claimed: s.metrics.Waited, Finished: s.metrics.Worked},
	})
	// A tenant that waits for a slow repository, or for its turn to build, must leave workers to the others.
	work.Handle(reconcile.Kind, 8, 2, git.refs.Handle)
	git.handlePulls(work)
	work.Handle(release.Kind, 16, 4, releases.Handle)
	work.Handle(release.WithdrawKind, 2, 0, releases.Withdraw)
	work.Handle(inbox.WatchKind, 2, 1, git.watcher.Handle)
	work.Handle(forge.Kind, 16, 1, git.outbox.Handle) // one writer for a repository; a forge that hangs leaves room for others
	work.Handle(run.Kind, o.Config.Runs.Concurrency, o.Config.Runs.Concurrency, runs.Handle)
	if err := work.Recover(ctx); err != nil {
		return nil, err
	}
	s.loops = append(s.loops, work.Run, git.watcher.Run, git.watcher.Redeliver, runs.Schedule, s.maintain(releases, runs, git, mirrors))
	s.loops = append(s.loops, git.watcher.Renew, s.watchPlatform(git))

	pages, err := portal.New(portal.Options{
		DB: s.db, Logs: s.blobs, Versions: releases, Retrier: git.refs, Runs: runs, Start: startFromPage(runs), Now: o.Now,
		Log: o.Log, Platform: git.settings.URL, Open: alone(o.Config),
	})
	if err != nil {
		return nil, err
	}
	rest, err := api.New(api.Options{
		DB: s.db, Releases: releases, Commits: git.refs, Previews: git.refs, Repositories: git.watcher, Runs: runs, Logs: s.blobs,
		Tokens: s.keeper, Log: o.Log, Now: o.Now, Version: o.Version, Platform: git.settings.URL, PublicURL: s.publicURL,
	})
	if err != nil {
		return nil, err
	}
	s.mount(git.watcher.Inbox, pages, rest)
	return s, nil
}

// gitRoom is what brings pushes in and statuses out.
type gitRoom struct {
	refs    *reconcile.Engine
	watcher *inbox.Watcher
	// settings applies the platform repository.
	settings *platform.Engine
	outbox   *forge.Outbox
}

// newGit wires the way from a push to the hand-over, and the way back.
func (s *Server) newGit(mirrors *repo.Mirrors, releases *release.Engine, forges forges) (gitRoom, error) {
	loader, err := manifest.New()
	if err != nil {
		return gitRoom{}, err
	}
	program, err := s.program()
	if err != nil {
		return gitRoom{}, err
	}
	secrets, err := s.appSecrets()
	if err != nil {
		return gitRoom{}, err
	}
	in := inbox.New(inbox.Options{
		DB: s.db, Now: s.Now, Log: s.Log, PublicURL: s.publicURL(), Kinds: forges.kinds(), Apps: secrets,
		Observer: inbox.Observer{Request: s.metrics.Hook, Delivery: s.metrics.Delivery, Missed: s.metrics.Missed},
	})
	platformURL, err := inbox.Address(s.Config.Platform.Repository)
	if err != nil {
		return gitRoom{}, err
	}
	poller := &inbox.Poller{Inbox: in, Lister: mirrors, Timeout: pollTimeout}
	watcher := &inbox.Watcher{
		Inbox: in, Poller: poller, Hooks: hooks{program, s.URL()}, Mirrors: mirrors, Forges: forges, Intervals: inbox.Intervals(s.Config.Poll),
	}
	settings := platform.New(platform.Options{
		URL: platformURL, Repositories: watcher, Forges: slices.Sorted(maps.Keys(forges)), Now: s.Now,
	})
	notes := plain.New(plain.Options{Dir: s.Config.MirrorFolder(), Now: s.Now})
	return gitRoom{
		refs: reconcile.New(reconcile.Options{
			DB: s.db, Mirrors: mirrors, Loader: loader, Connectors: releases, Platform: settings, Now: s.Now, Log: s.Log,
			History: mirrors, Trials: releases, Forge: forges.conversation, PublicURL: s.publicURL(), Comments: s.Config.Pulls.Comment,
			Observer: reconcile.Observer{Git: s.metrics.Git, Validated: s.metrics.Validated, Found: s.metrics.Found},
		}),
		watcher: watcher, settings: settings,
		outbox: &forge.Outbox{
			DB: s.db, PublicURL: s.publicURL(), Log: s.Log, Now: s.Now, Forges: forges.outbox(notes),
			Observer: forge.Observer{Request: s.countForge, First: s.metrics.FirstStatus, Final: s.metrics.FinalStatus},
		},
	}, nil
}

// handlePulls says who works on what goes on around pull requests.
func (g gitRoom) handlePulls(work *queue.Queue) {
	work.Handle(reconcile.PullKind, 4, 2, g.refs.HandlePull)
	work.Handle(reconcile.CommentKind, 2, 1, g.refs.HandleComment)
	work.Handle(reconcile.CommandKind, 2, 1, g.refs.HandleCommand)
}

// openFoundation opens what everything stands on: data folder, listeners, store, logs, credentials.
func (s *Server) openFoundation(ctx context.Context) error {
	c := s.Config
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "cannot create the data folder "+c.Data)
	}
	var err error
	if s.listener, err = s.listen(ctx, c.Listen, "listen"); err != nil {
		return err
	}
	if s.adminListener, err = s.listen(ctx, c.AdminListen, "adminListen"); err != nil {
		return err
	}
	if s.db, err = store.Open(ctx, store.Options{URL: c.Database, Log: s.Log, Now: s.Now, Commit: s.Commit}); err != nil {
		return err
	}
	s.onClose("store", s.db.Close)
	if s.blobs, err = blob.Open(c.BlobFolder(), s.Now); err != nil {
		return err
	}
	s.onClose("logs", s.blobs.Close)
	s.keeper = auth.New(s.db, s.Now)
	return nil
}

func (s *Server) listen(ctx context.Context, address, key string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, waybill.Wrap(waybill.Unavailable, err, "cannot listen on "+address+" ("+key+"): "+reason(err))
	}
	s.onClose("listener "+key, func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return l, nil
}

// reason is the innermost cause of a failed system call, without the addresses around it.
func reason(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

func (s *Server) onClose(name string, run func() error) {
	s.cleanups = append(s.cleanups, cleanup{name, run})
}

// mount puts the faces on the two listeners.
func (s *Server) mount(in *inbox.Inbox, pages, rest http.Handler) {
	options := httpserver.Options{Log: s.Log, Now: s.Now, Hosts: s.hosts(), Auth: s.keeper}
	mux := http.NewServeMux()
	in.Mount(mux, func(w http.ResponseWriter, r *http.Request, err error) { httpserver.WriteError(w, r, s.Log, err) })
	httpserver.SignIn(mux, s.Log, s.keeper, s.secure())
	httpserver.Health(mux, s.Log, s.ready)
	mux.Handle("/api/", rest)
	mux.Handle("/", pages)
	s.public = &http.Server{Handler: httpserver.Public(mux, options), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	if !loopback(s.Config.AdminListen) {
		options.Hosts = []string{httpserver.AnyHost} // scrapers reach it by whatever name their network has for it
	}
	admin := httpserver.Admin(s.metrics.Handler(s.db, s.Log, s.Now), s.ready, options)
	s.admin = &http.Server{Handler: admin, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
}

// ready reports whether the store takes writes.
func (s *Server) ready(ctx context.Context) error {
	return s.db.Write(ctx, "ready", func(*store.Tx) error { return nil })
}

// publicURL is where people reach the server, without slash at the end.
func (s *Server) publicURL() string {
	if s.Config.PublicURL != "" {
		return s.Config.PublicURL
	}
	return s.URL()
}

func (s *Server) hosts() []string {
	if u, err := url.Parse(s.Config.PublicURL); err == nil && u.Host != "" {
		return []string{u.Hostname()}
	}
	return nil
}

// secure says that browsers reach the server by https only.
func (s *Server) secure() bool {
	u, err := url.Parse(s.Config.PublicURL)
	return err == nil && u.Scheme == "https"
}

// alone reports whether only this machine reaches the server. A public URL of another name tells of a proxy in front of
// it, which speaks for everybody from a loopback address.
func alone(c config.Config) bool {
	u, err := url.Parse(c.PublicURL)
	return loopback(c.Listen) && err == nil && (u.Host == "" || loopback(net.JoinHostPort(u.Hostname(), "0")))
}

// loopback reports whether only this machine reaches address.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
