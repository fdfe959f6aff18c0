package inbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Intervals say how often a repository is looked at, ±20 %.
type Intervals struct {
	Plain    time.Duration // plain Git
	Unhooked time.Duration // at a forge, without a hook that works
	Hooked   time.Duration // at a forge, with one
}

const (
	// atOnce is how many repositories are looked at together: one that does not answer takes the whole time limit of a
	// look. No host takes more than half of it.
	atOnce = 8
	// spread is the longest pause between the first looks at two repositories after a start.
	spread = 100 * time.Millisecond
	// reloadEvery is how often the list of repositories is read again.
	reloadEvery = 15 * time.Second
	// noteEvery is how often it is noted when repositories were looked at.
	noteEvery = time.Minute
	// pullRounds is how many looks at the refs of a repository there are for one at its pull requests and its place.
	pullRounds = 5
	// archivedRounds is how much longer a repository waits that nobody can push to.
	archivedRounds = 12
	// maxFailures bounds how much longer a repository waits that cannot be read: 2^maxFailures intervals.
	maxFailures = 2
	// mendEvery is how often the hook of one repository is installed again because it misses pushes.
	mendEvery = 10 * time.Minute
)

// turn is a repository and when it is looked at next.
type turn struct {
	repository waybill.Repository
	host       string // what it shares with others that hang when it hangs
	due        time.Time
	closer     time.Time // when its pull requests and its place are looked at next
	mended     time.Time // when its hook was last installed again
	polled     time.Time // not noted in the store yet; zero when it is
	failures   int
	busy       bool
}

// rounds holds the turns of all repositories. Its methods decide and do nothing else.
type rounds struct {
	Intervals
	forges map[string]Forge

	mu    sync.Mutex
	turns map[string]*turn // by id
	noted time.Time        // when the store last heard of looks
}

func newRounds(i Intervals, forges map[string]Forge) *rounds {
	return &rounds{Intervals: i, forges: forges, turns: map[string]*turn{}}
}

// set makes the rounds those of a list. What is new is looked at soon, but not all at once.
func (r *rounds) set(list []waybill.Repository, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	there := make(map[string]bool, len(list))
	fresh := 0
	for _, repository := range list {
		there[repository.ID] = true
		t, ok := r.turns[repository.ID]
		if !ok {
			interval := r.interval(repository)
			t = &turn{
				due:    now.Add(time.Duration(fresh) * min(spread, interval/time.Duration(len(list)))),
				closer: now.Add(time.Duration(rand.Float64() * float64(pullRounds*interval))), //nolint:gosec // spreads load, guards nothing
			}
			r.turns[repository.ID] = t
			fresh++
		}
		t.repository, t.host = repository, host(repository)
	}
	for id := range r.turns {
		if !there[id] {
			delete(r.turns, id)
		}
	}
}

// interval is the usual time between two looks at a repository.
func (r *rounds) interval(repository waybill.Repository) time.Duration {
	interval := r.Unhooked
	switch _, atForge := r.forges[repository.Forge]; {
	case !atForge:
		interval = r.Plain
	case repository.Hooked():
		interval = r.Hooked
	}
	if repository.Archived {
		interval *= archivedRounds
	}
	return interval
}

// take returns those whose turn it is and marks them busy, longest due first, and when to ask again.
func (r *rounds) take(now time.Time) (list []*turn, again time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	again = now.Add(reloadEvery)
	busy, hosts := 0, map[string]int{}
	for _, t := range r.turns {
		if t.busy {
			busy++
			hosts[t.host]++
		}
	}
	for busy < atOnce {
		var next *turn
		for _, t := range r.turns {
			switch {
			case t.busy:
			case t.due.After(now):
				if t.due.Before(again) {
					again = t.due
				}
			case hosts[t.host] < atOnce/2 && (next == nil || t.due.Before(next.due)):
				next = t
			}
		}
		if next == nil {
			return list, again
		}
		next.busy = true
		busy++
		hosts[next.host]++
		list = append(list, next)
	}
	return list, again
}

// host returns the host of a repository; empty when it lies on this machine.
func host(r waybill.Repository) string {
	if u, err := url.Parse(r.URL); err == nil {
		return u.Host
	}
	return ""
}

// done gives a turn back, and says when the next one is.
func (r *rounds) done(t *turn, err error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t.busy, t.polled = false, now
	interval := r.interval(t.repository)
	if err != nil {
		t.polled = time.Time{}
		t.failures = min(t.failures+1, maxFailures)
		interval <<= t.failures
	} else {
		t.failures = 0
	}
	t.due = now.Add(jittered(interval))
	var wait *forge.RetryAfter
	if errors.As(err, &wait) && wait.Until.After(t.due) {
		t.due = wait.Until.Add(jittered(time.Second))
	}
}

func jittered(d time.Duration) time.Duration {
	return time.Duration((0.8 + 0.4*rand.Float64()) * float64(d)) //nolint:gosec // spreads load, guards nothing
}

// closer reports whether it is time to look at more of t than its refs, and plans the next time.
func (r *rounds) closer(t *turn, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(t.closer) {
		return false
	}
	t.closer = now.Add(pullRounds * jittered(r.interval(t.repository)))
	return true
}

// mend reports whether the hook of a repository that misses pushes may be installed again.
func (r *rounds) mend(id string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.turns[id]
	if !ok || now.Sub(t.mended) < mendEvery {
		return false
	}
	t.mended, t.closer = now, now // what else was missed is seen at the next look
	return true
}

// news returns when repositories were looked at since it was last asked: once a minute, and at once for the first look at
// one, so that a quiet server writes little.
func (r *rounds) news(now time.Time) map[string]time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := now.Sub(r.noted) >= noteEvery
	at := map[string]time.Time{}
	for id, t := range r.turns {
		if !t.polled.IsZero() && (all || t.repository.LastPolled.IsZero()) {
			at[id], t.polled = t.polled, time.Time{}
		}
	}
	if all {
		r.noted = now
	}
	return at
}

// Run looks at every repository in its turn until ctx ends: soon after the start, so that pushes made while the server
// was down are found, then again and again. One that cannot be read keeps no other waiting.
func (w *Watcher) Run(ctx context.Context) error {
	r := newRounds(w.Intervals, w.Forges)
	var looks sync.WaitGroup
	defer looks.Wait()
	freed := make(chan struct{}, 1)
	var reloaded time.Time
	for ctx.Err() == nil {
		now := w.Inbox.Now()
		if now.Sub(reloaded) >= min(reloadEvery, w.Plain) {
			if err := w.reload(ctx, r); err != nil && ctx.Err() == nil {
				w.Inbox.Log.WarnContext(ctx, "repositories cannot be listed", "component", "poller", "error", err)
			}
			reloaded = now
		}
		turns, again := r.take(now)
		for _, t := range turns {
			looks.Go(func() {
				r.done(t, w.look(ctx, r, t), w.Inbox.Now())
				select {
				case freed <- struct{}{}:
				default: // somebody else has woken the loop already
				}
			})
		}
		if next := reloaded.Add(min(reloadEvery, w.Plain)); next.Before(again) {
			again = next
		}
		select {
		case <-ctx.Done():
		case <-freed:
		case <-time.After(again.Sub(now)):
		}
	}
	return nil
}

// reload brings the rounds up to date with the store and the other way round.
func (w *Watcher) reload(ctx context.Context, r *rounds) error {
	if at := r.news(w.Inbox.Now()); len(at) > 0 {
		err := w.Inbox.DB.WriteStatements(ctx, "inbox.polled", func(tx *store.Tx) error { return gitstore.SetPolled(ctx, tx, at) })
		if err != nil {
			return err
		}
	}
	silent, err := w.Poller.missed(ctx)
	if err != nil {
		return err
	}
	for _, repository := range silent {
		if _, atForge := w.Forges[repository.Forge]; atForge && r.mend(repository.ID, w.Inbox.Now()) {
			w.Inbox.Log.InfoContext(ctx, "a hook missed pushes and is installed again", "component", "poller", "repository", repository.FullName())
			w.tryInstall(ctx, repository)
		}
	}
	list, err := gitstore.Repositories(ctx, w.Inbox.DB.Query())
	if err != nil {
		return err
	}
	r.set(list, w.Inbox.Now())
	return nil
}

// look looks at one repository.
func (w *Watcher) look(ctx context.Context, r *rounds, t *turn) error {
	repository := t.repository
	err := w.Poller.poll(ctx, repository)
	if _, ok := w.Forges[repository.Forge]; ok && ctx.Err() == nil {
		lost := waybill.IsCode(err, waybill.NotFound) || waybill.IsCode(err, waybill.Denied)
		if lost || r.closer(t, w.Inbox.Now()) {
			moved, closer := w.lookCloser(ctx, repository, lost)
			if moved {
				err = nil
			}
			err = errors.Join(err, closer)
		}
	}
	if err != nil && ctx.Err() == nil {
		w.Inbox.Log.WarnContext(ctx, "repository cannot be polled", "component", "poller", "repository", repository.FullName(), "error", err)
	}
	return err
}
