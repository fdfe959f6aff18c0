package inbox

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

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
	Inbox   *Inbox
	Lister  lister
	Timeout time.Duration // for one look

	mu   sync.Mutex
	sent map[string]string // tip for which a worker was last sent out, by key of the work
	late []finding
}

// finding is a ref that was found moved. Its hook may be on its way.
type finding struct {
	repository waybill.Repository
	ref        string
	since      time.Time
}

// poll marks every ref dirty that is not where it was last observed, unless a worker is on its way already.
func (p *Poller) poll(ctx context.Context, r waybill.Repository) error {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	since := p.Inbox.Now()
	tips, head, err := p.Lister.Tips(ctx, r)
	if err != nil {
		return err
	}
	refs, err := gitstore.Refs(ctx, p.Inbox.DB.Query(), r.ID)
	if err != nil {
		return err
	}
	moved, err := p.moved(ctx, r, refs, tips)
	if err != nil {
		return err
	}
	renamed := head != r.DefaultBranch && tips["refs/heads/"+head] != ""
	if len(moved) == 0 && !renamed {
		return nil
	}
	return p.Inbox.DB.Write(ctx, "inbox.poll", func(tx *store.Tx) error {
		if renamed {
			if err := adopt(ctx, tx, r, head); err != nil {
				return err
			}
		}
		for _, ref := range moved {
			if err := markDirty(ctx, tx, r, ref); err != nil {
				return err
			}
		}
		tx.After(func() { p.remember(r, moved, tips, len(refs) > 0, since) })
		return nil
	})
}

// adopt makes a branch the default. It was read as any other may be; now it says what dev runs, so it is read again. What
// the branch before deployed stays until then.
func adopt(ctx context.Context, tx *store.Tx, r waybill.Repository, branch string) error {
	if err := gitstore.SetDefaultBranch(ctx, tx, r.ID, branch); err != nil || r.DefaultBranch == "" {
		return err
	}
	ref := "refs/heads/" + branch
	if err := gitstore.ForgetRef(ctx, tx, r.ID, ref); err != nil {
		return err
	}
	return markDirty(ctx, tx, r, ref)
}

// moved lists the refs whose tip differs from what was observed, new and deleted ones included.
func (p *Poller) moved(ctx context.Context, r waybill.Repository, refs []waybill.Ref, tips map[string]string) ([]string, error) {
	known := make(map[string]bool, len(refs))
	var differ []string
	for _, ref := range refs {
		known[ref.Name] = true
		if ref.Tip != tips[ref.Name] {
			differ = append(differ, ref.Name)
		}
	}
	for name := range tips {
		if !known[name] {
			differ = append(differ, name)
		}
	}
	if len(differ) == 0 {
		return nil, nil
	}
	standing, err := queue.StandingBelow(ctx, p.Inbox.DB.Query(), refWork, r.ID+" ")
	if err != nil {
		return nil, err
	}
	var moved []string
	for _, name := range differ {
		key := r.ID + " " + name
		s := standing[key]
		if !s.Pending && (!s.Discarded || !p.sentFor(key, tips[name])) {
			moved = append(moved, name)
		}
	}
	return moved, nil
}

// remember notes that a worker was sent out for a tip. What it could not do, such as fetch a tag that names no commit,
// it cannot do at the next look either. Unless it is the first look, hooks should have told of what moved.
func (p *Poller) remember(r waybill.Repository, moved []string, tips map[string]string, told bool, since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sent == nil {
		p.sent = map[string]string{}
	}
	for _, ref := range moved {
		p.sent[r.ID+" "+ref] = tips[ref]
		if told {
			p.late = append(p.late, finding{r, ref, since})
		}
	}
}

func (p *Poller) sentFor(key, tip string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent, ok := p.sent[key]
	return ok && sent == tip
}

// hookPatience is how late the hook of a push may be that polling found first.
const hookPatience = 30 * time.Second

// missed counts what no hook told of in time, and returns the repositories that it happened in.
func (p *Poller) missed(ctx context.Context) ([]waybill.Repository, error) {
	now := p.Inbox.Now()
	var due []finding
	p.mu.Lock()
	p.late = slices.DeleteFunc(p.late, func(f finding) bool {
		if now.Sub(f.since) < hookPatience {
			return false
		}
		due = append(due, f)
		return true
	})
	p.mu.Unlock()
	silent := map[string]waybill.Repository{}
	for _, f := range due {
		told, err := gitstore.Told(ctx, p.Inbox.DB.Query(), f.repository.ID, f.ref, f.since)
		if err != nil {
			return nil, err
		}
		if !told {
			p.Inbox.Observer.Missed(f.repository.Forge)
			silent[f.repository.ID] = f.repository
		}
	}
	if len(silent) == 0 {
		return nil, nil
	}
	list := slices.Collect(maps.Values(silent))
	return list, p.Inbox.DB.Write(ctx, "inbox.missed", func(tx *store.Tx) error {
		for _, r := range list {
			if err := gitstore.SetMissed(ctx, tx, r.ID, now); err != nil && !waybill.IsCode(err, waybill.NotFound) {
				return err
			}
		}
		return nil
	})
}
