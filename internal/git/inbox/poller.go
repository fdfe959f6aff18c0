package inbox

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// lister asks a repository where its refs point now.
type lister interface {
	// Tips returns the commit of every branch and tag by full ref name, annotated tags peeled, and the short name of
	// the branch that HEAD names, which may be empty.
	Tips(ctx context.Context, r waybill.Repository) (tips map[string]string, defaultBranch string, err error)
}

// Poller finds the pushes that no hook told of.
type Poller struct {
	Inbox    *Inbox
	Lister   lister
	Interval time.Duration // between two looks at one repository, ±20 %
	Timeout  time.Duration // for one look

	mu   sync.Mutex
	sent map[string]string // tip for which a worker was last sent out, by key of the work
}

// atOnce is how many repositories are looked at together: one that does not answer takes the whole Timeout.
const atOnce = 8

// Run polls until ctx ends: at once, so that pushes made while the server was down are found, then every Interval.
func (p *Poller) Run(ctx context.Context) error {
	for {
		if err := p.PollAll(ctx); err != nil && ctx.Err() == nil {
			p.Inbox.Log.WarnContext(ctx, "poll failed", "component", "poller", "error", err)
		}
		jitter := 0.8 + 0.4*rand.Float64() //nolint:gosec // spreads load, guards nothing
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Duration(jitter * float64(p.Interval))):
		}
	}
}

// PollAll looks at every repository once, several at a time. One that cannot be read does not keep the others waiting.
func (p *Poller) PollAll(ctx context.Context) error {
	repositories, err := gitstore.Repositories(ctx, p.Inbox.DB.Query())
	if err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, r := range repositories {
		g.Go(func() error {
			if err := p.poll(ctx, r); err != nil && ctx.Err() == nil {
				p.Inbox.Log.WarnContext(ctx, "repository cannot be polled", "component", "poller", "repository", r.FullName(), "error", err)
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

// poll marks every ref dirty that is not where it was last observed, unless a worker is on its way already.
func (p *Poller) poll(ctx context.Context, r waybill.Repository) error {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	tips, defaultBranch, err := p.Lister.Tips(ctx, r)
	if err != nil {
		return err
	}
	moved, err := p.moved(ctx, r, tips)
	renamed := defaultBranch != r.DefaultBranch && tips["refs/heads/"+defaultBranch] != ""
	if err != nil || len(moved) == 0 && !renamed {
		return err
	}
	return p.Inbox.DB.Write(ctx, "inbox.poll", func(tx *store.Tx) error {
		if renamed {
			if err := gitstore.SetDefaultBranch(ctx, tx, r.ID, defaultBranch); err != nil {
				return err
			}
		}
		for _, ref := range moved {
			if err := markDirty(ctx, tx, r, ref, time.Time{}); err != nil {
				return err
			}
		}
		tx.After(func() {
			for _, ref := range moved {
				p.remember(r.ID+" "+ref, tips[ref])
				p.Inbox.Observer.Missed(r.Forge)
			}
		})
		return nil
	})
}

// moved lists the refs whose tip differs from what was observed, new and deleted ones included.
func (p *Poller) moved(ctx context.Context, r waybill.Repository, tips map[string]string) ([]string, error) {
	refs, err := gitstore.Refs(ctx, p.Inbox.DB.Query(), r.ID)
	if err != nil {
		return nil, err
	}
	known := make(map[string]string, len(refs))
	var differ []string
	for _, ref := range refs {
		known[ref.Name] = ref.Tip
		if ref.Tip != tips[ref.Name] {
			differ = append(differ, ref.Name)
		}
	}
	for name := range tips {
		if _, ok := known[name]; !ok {
			differ = append(differ, name)
		}
	}
	var moved []string
	for _, name := range differ {
		key := r.ID + " " + name
		pending, discarded, err := queue.Standing(ctx, p.Inbox.DB.Query(), refWork, key)
		if err != nil {
			return nil, err
		}
		if !pending && (!discarded || !p.sentFor(key, tips[name])) {
			moved = append(moved, name)
		}
	}
	return moved, nil
}

// remember notes that a worker was sent out for a tip. What it could not do, such as fetch a tag that names no commit,
// it cannot do at the next look either.
func (p *Poller) remember(key, tip string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sent == nil {
		p.sent = map[string]string{}
	}
	p.sent[key] = tip
}

func (p *Poller) sentFor(key, tip string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent, ok := p.sent[key]
	return ok && sent == tip
}
