package release

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// branch is a house whose clock can be moved, with a connector on dev that its branch may forget.
type branch struct {
	*house
	clock   time.Time
	commits int
}

func newBranch(t *testing.T) *branch {
	t.Helper()
	h := newHouse(t)
	h.push("a", "")
	h.settleDown()
	b := &branch{house: h, clock: time.Now().Add(time.Second).Truncate(time.Second)}
	h.Now, h.Withdrawn = func() time.Time { return b.clock }, time.Hour
	return b
}

// check is a push to main in which shop-feed is declared, gone or broken, read to the end.
func (b *branch) check(declared, broken bool) {
	b.t.Helper()
	b.commits++
	b.clock = b.clock.Add(time.Second)
	c := waybill.Check{
		ID: store.NewID(b.clock), Repository: "R", Ref: "refs/heads/main", Commit: fmt.Sprintf("c%d", b.commits), Phase: waybill.Planned,
		State: waybill.StateSuccess, Opened: b.clock,
	}
	id := waybill.Identity{Kind: waybill.KindConnector, Name: "shop-feed", Major: 1}
	changes := []waybill.Change{{Identity: id, Class: waybill.Remove, Environment: waybill.Dev}}
	if declared {
		c.Connectors, changes = []string{id.String()}, nil
	}
	if broken {
		c.Findings, changes = waybill.Findings{{Severity: waybill.SeverityError, Declaration: id.String()}}, nil
	}
	b.write(func(tx *store.Tx) error {
		if err := gitstore.PutRef(b.t.Context(), tx, waybill.Ref{Repository: "R", Name: c.Ref, Tip: c.Commit, Observed: b.clock}); err != nil {
			return err
		}
		if err := gitstore.PutCheck(b.t.Context(), tx, c); err != nil {
			return err
		}
		return b.Accept(b.t.Context(), tx, c, changes)
	})
}

// wait moves the clock and lets a worker look at what is due then. looked says whether anything was.
func (b *branch) wait(d time.Duration) (looked bool) {
	b.t.Helper()
	b.clock = b.clock.Add(d)
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	level, err := queue.Depth(ctx, b.DB.Query(), b.clock)
	if err != nil {
		b.t.Fatal(err)
	}
	due := false
	for _, l := range level {
		due = due || l.Kind == WithdrawKind && l.State == "ready"
	}
	if !due {
		return false
	}
	stopped, stop := context.WithCancel(ctx)
	q := queue.New(b.DB, queue.Options{
		Owner: "withdraw", Now: b.Now, Log: slog.New(slog.DiscardHandler),
		Observe: queue.Observe{Finished: func(_, _ string, _ time.Duration) { stop() }},
	})
	q.Handle(WithdrawKind, 1, 0, b.Withdraw)
	if err := q.Run(stopped); err != nil || ctx.Err() != nil {
		b.t.Fatalf("the work does not end: %v, %v", err, ctx.Err())
	}
	return true
}

// onDev reports whether dev serves shop-feed, and whether it is assigned at its dev site.
func (b *branch) onDev() (live, assigned bool) {
	b.t.Helper()
	_, live, err := connectorstore.FindLive(b.t.Context(), b.DB.Query(), "shop-feed", 1, waybill.Dev)
	if err != nil {
		b.t.Fatal(err)
	}
	_, assigned, err = connectorstore.FindAssignment(b.t.Context(), b.DB.Query(), "feeds-dev", "shop-feed", 1)
	if err != nil {
		b.t.Fatal(err)
	}
	return live, assigned
}

func (b *branch) want(when string, live, assigned bool) {
	b.t.Helper()
	if l, a := b.onDev(); l != live || a != assigned {
		b.t.Errorf("%s: live %v, assigned %v; want %v and %v", when, l, a, live, assigned)
	}
}

func TestDevForgetsWhatItsBranchForgot(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	b.push("a", "1.0.0")
	b.settleDown()
	b.check(true, false)
	b.check(false, false)
	b.wait(59 * time.Minute)
	b.want("within the hour", true, true)
	b.check(false, false) // another push does not begin the hour anew
	b.wait(time.Minute)
	b.want("after an hour", false, false)
	if _, live, err := connectorstore.FindLive(t.Context(), b.DB.Query(), "shop-feed", 1, waybill.Prod); err != nil || !live {
		t.Errorf("prod lost it too (%v)", err)
	}
	entries, err := store.History(t.Context(), b.DB.Query(), store.HistoryFilter{Subject: "connector:shop-feed", Action: "assignment.remove", Limit: 9})
	if err != nil || len(entries) != 1 {
		t.Errorf("history: %v, %v", entries, err)
	}
	observed, err := b.Observe(t.Context(), b.DB.Query(), "R", []waybill.Identity{{Kind: waybill.KindConnector, Name: "shop-feed", Major: 1}})
	if err != nil || len(observed) != 1 || !observed[0].Withdrawn {
		t.Errorf("observed: %+v, %v", observed, err)
	}
	b.push("a", "") // declared again: the same bytes go to dev again
	b.settleDown()
	b.want("declared again", true, true)
}

func TestDevKeepsWhatComesBack(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(b *branch){
		"declared again": func(b *branch) { b.check(true, false) },
		"broken":         func(b *branch) { b.check(false, true) },
		"the branch is gone": func(b *branch) {
			b.write(func(tx *store.Tx) error {
				return gitstore.PutRef(b.t.Context(), tx, waybill.Ref{Repository: "R", Name: "refs/heads/main", Observed: b.clock})
			})
		},
		"another default branch, not read yet": func(b *branch) {
			b.write(func(tx *store.Tx) error { return gitstore.SetDefaultBranch(b.t.Context(), tx, "R", "trunk") })
		},
		"nobody watches the repository": func(b *branch) {
			b.write(func(tx *store.Tx) error { return gitstore.RemoveRepository(b.t.Context(), tx, "R") })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBranch(t)
			b.check(false, false)
			b.clock = b.clock.Add(30 * time.Minute)
			test(b)
			if !b.wait(2 * time.Hour) {
				t.Error("nobody looked")
			}
			b.want("after the hour", true, true)
		})
	}
}

// TestGoneTwiceWaitsTwice: the hour begins when it was last declared.
func TestGoneTwiceWaitsTwice(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	b.check(false, false)
	b.clock = b.clock.Add(50 * time.Minute)
	b.check(true, false)
	b.check(false, false)
	b.wait(15 * time.Minute)
	b.want("an hour after it was first gone", true, true)
	b.wait(46 * time.Minute)
	b.want("an hour after it was last gone", false, false)
}

// TestDevWaitsForOtherSites: what another dev site uses stays there, and goes when nobody uses it.
func TestDevWaitsForOtherSites(t *testing.T) {
	t.Parallel()
	b := newBranch(t)
	b.write(func(tx *store.Tx) error {
		site := waybill.Site{Name: "shared", Owner: "feeds", Environment: waybill.Dev, Created: b.clock}
		if _, err := connectorstore.EnsureSite(t.Context(), tx, site); err != nil {
			return err
		}
		return connectorstore.PutAssignment(t.Context(), tx, waybill.Assignment{Site: "shared", Connector: "shop-feed", Major: 1, Updated: b.clock})
	})
	b.check(false, false)
	b.wait(time.Hour)
	b.want("assigned elsewhere", true, false)
	b.write(func(tx *store.Tx) error {
		return connectorstore.RemoveAssignment(t.Context(), tx, "shared", "shop-feed", 1)
	})
	b.wait(time.Minute)
	b.want("assigned nowhere", false, false)
}
