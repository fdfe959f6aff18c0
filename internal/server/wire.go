package server

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/release"
	"github.com/waybill-dev/waybill/internal/connector/run"
	"github.com/waybill-dev/waybill/internal/face/client"
	"github.com/waybill-dev/waybill/internal/face/portal"
	"github.com/waybill-dev/waybill/internal/foundation/config"
	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/inbox"
	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// startFromPage lets the portal start runs.
func startFromPage(runs *run.Engine) func(context.Context, portal.Start) (waybill.Run, error) {
	return func(ctx context.Context, q portal.Start) (waybill.Run, error) {
		return runs.Start(ctx, run.Request{
			Connector: q.Connector, Major: q.Major, Site: q.Site, Trigger: waybill.TriggerManual, By: q.By,
		})
	}
}

// watchPlatform watches the platform repository from the first start on.
func (s *Server) watchPlatform(git gitRoom) func(context.Context) error {
	return func(ctx context.Context) error {
		if git.settings.URL == "" {
			return nil
		}
		by := waybill.Actor{Name: "serve", Channel: waybill.ChannelSystem}
		_, err := git.watcher.AddRepository(ctx, inbox.Request{URL: git.settings.URL, Owner: s.Config.Platform.Owner}, by)
		if err != nil && !waybill.IsCode(err, waybill.Conflict) && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "platform repository cannot be watched", "component", "server", "error", err)
		}
		return nil
	}
}

// countForge counts what is written to plain Git by its result. Forges count their requests themselves.
func (s *Server) countForge(forge, operation string, err error) {
	if forge != config.Plain {
		return
	}
	code := "ok"
	if err != nil {
		code = string(waybill.CodeOf(err))
	}
	s.metrics.Forge(forge, operation, code)
}

// maintenanceEvery is how often what is too old is removed.
const maintenanceEvery = time.Hour

// workLife is how long done work is remembered.
const workLife = 7 * 24 * time.Hour

// commentLife is how long it is remembered which comments were obeyed.
const commentLife = 365 * 24 * time.Hour

// keptDeliveries is how many deliveries of each repository stay, however old they are: they tell who pushed.
const keptDeliveries = 20

// maintain removes, at the start and every hour, what nothing needs any more: old images and logs, containers that no
// run knows, expired credentials and secrets, done work, what was said and found long ago, mirrors.
func (s *Server) maintain(releases *release.Engine, runs *run.Engine, git gitRoom, mirrors *repo.Mirrors) func(context.Context) error {
	sweeps := map[string]func(context.Context) error{
		"images":      releases.Sweep,
		"containers":  func(ctx context.Context) error { _, err := runs.Sweep(ctx); return err },
		"credentials": func(ctx context.Context) error { _, err := s.keeper.Sweep(ctx); return err },
		"secrets":     git.watcher.Inbox.EndSecrets,
		"work": func(ctx context.Context) error {
			return s.db.Write(ctx, "work.prune", func(tx *store.Tx) error {
				_, err := queue.Prune(ctx, tx, s.Now().Add(-workLife))
				return err
			})
		},
		"deliveries": func(ctx context.Context) error {
			return s.prune(ctx, "deliveries.prune", func(tx *store.Tx, before time.Time) (int64, error) {
				return gitstore.PruneDeliveries(ctx, tx, before, keptDeliveries)
			})
		},
		"comments": func(ctx context.Context) error {
			return s.db.Write(ctx, "comments.prune", func(tx *store.Tx) error {
				_, err := gitstore.PruneComments(ctx, tx, s.Now().Add(-commentLife))
				return err
			})
		},
		"checks": func(ctx context.Context) error {
			return s.prune(ctx, "checks.prune", func(tx *store.Tx, before time.Time) (int64, error) {
				return gitstore.PruneChecks(ctx, tx, before)
			})
		},
		"refs": func(ctx context.Context) error {
			return s.prune(ctx, "refs.prune", func(tx *store.Tx, before time.Time) (int64, error) {
				_, err := gitstore.PruneRefs(ctx, tx, before)
				return 0, err
			})
		},
		"mirrors": func(ctx context.Context) error {
			return mirrors.Tidy(ctx, func(ctx context.Context) ([]waybill.Repository, error) {
				return gitstore.Repositories(ctx, s.db.Query())
			})
		},
	}
	return func(ctx context.Context) error {
		for {
			for name, sweep := range sweeps {
				if err := sweep(ctx); err != nil && ctx.Err() == nil {
					s.Log.WarnContext(ctx, "maintenance failed", "component", "server", "task", name, "error", err)
				}
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(maintenanceEvery):
			}
		}
	}
}

// prune forgets what is older than deliveries are kept, a part at a time, so that writers wait for none.
func (s *Server) prune(ctx context.Context, name string, part func(tx *store.Tx, before time.Time) (int64, error)) error {
	before := s.Now().Add(-s.Config.Retention.Deliveries)
	for {
		var gone int64
		err := s.db.Write(ctx, name, func(tx *store.Tx) (err error) { gone, err = part(tx, before); return err })
		if err != nil || gone == 0 {
			return err
		}
	}
}

// announce tells people and the command line on this machine where the server is.
func (s *Server) announce(ctx context.Context) error {
	tokenFile, err := filepath.Abs(filepath.Join(s.Config.Data, "admin.token"))
	if err != nil {
		return waybill.Wrap(waybill.Internal, err, "cannot find the data folder")
	}
	if err := s.keeper.LocalToken(ctx, tokenFile); err != nil {
		return err
	}
	if err := s.leaveState(ctx, client.State{URL: s.URL(), TokenFile: tokenFile}); err != nil {
		return err
	}
	link, _, err := s.keeper.Link(ctx, waybill.Actor{Name: "serve", Channel: waybill.ChannelSystem})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "Waybill %s\n  pages    %s\n  admin    http://%s\n  data     %s\n  sign in  %s/sign-in?token=%s\n",
		s.Version, s.publicURL(), s.adminListener.Addr(), s.Config.Data, s.publicURL(), link.Reveal())
	return err
}

// leaveState leaves the address for the command line, unless another server of this person has left its own and runs.
func (s *Server) leaveState(ctx context.Context, state client.State) error {
	if s.StateFile == "" {
		return nil
	}
	if other, err := client.ReadState(s.StateFile); err == nil && other.URL != state.URL && answers(ctx, other.URL) {
		s.Log.WarnContext(ctx, "another server of yours runs; name this one with --server", "component", "server", "other", other.URL)
		return nil
	}
	if err := client.WriteState(s.StateFile, state); err != nil {
		return err
	}
	s.onClose("state file", func() error { return client.RemoveState(s.StateFile, state.URL) })
	return nil
}

// answers reports whether a server lives at url.
func answers(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/healthz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return res.Body.Close() == nil && res.StatusCode == http.StatusOK
}
