package forgetest

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Mishap is what a forge does to the statuses of a commit while the outbox tells it about them: first a result, the
// aggregate and one in progress, then, when that came to an end, two more results.
type Mishap struct {
	Name     string
	Findings int  // of the check
	Old      bool // the commit was pushed long ago
	// Open starts the forge, which misbehaves from now on.
	Open func(t *testing.T) *Scene
	// Want is how each attempt at the first statuses ended: done, retry, snooze or discard.
	Want string
	// Shown is how many statuses the forge has then, 3 unless said; none after a discard.
	Shown int
	// Lost is a context that the forge never takes a result of.
	Lost string
}

// Scene is a forge with a commit.
type Scene struct {
	Forge      forge.Forge
	Tricks     *Tricks
	Repository waybill.Repository
	Commit     string
	// Statuses returns those that the forge has of the commit, oldest first.
	Statuses func() []waybill.Status
	// Check looks at the rest after the first statuses, Ended in the end; nil when there is none.
	Check, Ended func(t *testing.T)
}

// The contexts of the commit beside the aggregate.
const (
	Validated = "waybill/shop-feed/validate"
	Built     = "waybill/shop-feed/build"
)

// Mishaps lets the outbox tell a forge that misbehaves, and prints how it ended.
func Mishaps(t *testing.T, name string, list []Mishap) {
	rows := make([]string, len(list))
	t.Cleanup(func() {
		t.Logf("\n%-52s %-45s %8s %6s %8s %7s\n%s", name, "attempts", "requests", "shown", "then", "results", strings.Join(rows, "\n"))
	})
	for i, m := range list {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			rows[i] = m.try(t)
		})
	}
}

// try makes attempts until one is the last, compares what the forge shows, and lets the commit end.
func (m Mishap) try(t *testing.T) string {
	s := m.Open(t)
	d := m.desk(t, s)
	d.say(
		waybill.Status{Context: Validated, State: waybill.StateFailure, Description: "no", URL: "/commits/1"},
		waybill.Status{Context: Built, State: waybill.StatePending, Description: "builds", URL: "/releases/1"},
	)
	ends := d.send()
	if ends != m.Want {
		t.Errorf("%s, want %s", ends, m.Want)
	}
	given := strings.HasSuffix(m.Want, "discard")
	shown, want := len(s.Statuses()), m.Shown
	if want == 0 && !given {
		want = 3
	}
	if shown != want {
		t.Errorf("%d statuses are shown, want %d: %v", shown, want, s.Statuses())
	}
	left := s.Tricks.Left()
	if s.Check != nil {
		s.Check(t)
	}
	then, results := "", ""
	if left > 0 && !given {
		t.Errorf("%d misbehaviours were never met", left)
	} else if left == 0 {
		d.say(waybill.Status{Context: Built, State: waybill.StateSuccess, Description: "built", URL: "/releases/1"})
		if then = d.send(); then != "done" {
			t.Errorf("then %s, want done", then)
		}
		results = fmt.Sprint(m.ended(t, s, d))
	}
	return fmt.Sprintf("%-52s %-45s %8d %6d %8s %7s", m.Name, ends, s.Tricks.Asked(), shown, then, results)
}

// ended compares what the forge shows in the end: of each context one result, as it is known here, behind which nothing
// comes, and before which at most one other stands. It returns the number of results.
func (m Mishap) ended(t *testing.T, s *Scene, d *desk) int {
	out, err := gitstore.Outbox(t.Context(), d.DB.Query(), s.Repository.ID, s.Commit)
	if err != nil || out.Pending || len(out.Statuses) != 3 {
		t.Errorf("to be told is still %+v (%v)", out, err)
	}
	results := 0
	for _, want := range out.Statuses {
		if want.Context == m.Lost {
			continue
		}
		want.URL = publicURL + want.URL
		said := slices.DeleteFunc(s.Statuses(), func(s waybill.Status) bool { return s.Context != want.Context })
		finals := slices.DeleteFunc(slices.Clone(said), func(s waybill.Status) bool { return !s.State.Final() })
		results += len(finals)
		last := waybill.Status{}
		if len(said) > 0 {
			last = said[len(said)-1]
		}
		if len(finals) != 1 || len(said) > 2 || last.State != want.State || last.Description != want.Description || last.URL != want.URL {
			t.Errorf("%s is shown as %v, want it to end with one result, %s %q %s", want.Context, said, want.State, want.Description, want.URL)
		}
	}
	if s.Ended != nil {
		s.Ended(t)
	}
	return results
}

const publicURL = "https://waybill.test"

// desk is an outbox on a store with a commit.
type desk struct {
	*testing.T
	*forge.Outbox
	scene *Scene
}

func (m Mishap) desk(t *testing.T, s *Scene) *desk {
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, store.Options{URL: filepath.Join(t.TempDir(), "waybill.db"), Log: log, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c := waybill.Check{ID: "1", Repository: s.Repository.ID, Commit: s.Commit, Phase: waybill.Planned, State: waybill.StateSuccess, Opened: time.Now()}
	if m.Old {
		c.Opened = c.Opened.Add(-time.Hour)
	}
	for i := range m.Findings {
		c.Findings = append(c.Findings, waybill.Finding{
			Code: "WB101", Severity: waybill.SeverityError, File: "shop/waybill.yaml", Line: i + 1, Column: 3, Message: "unknown field", Declaration: "shop-feed",
		})
	}
	err = db.Write(ctx, "test", func(tx *store.Tx) error {
		return errors.Join(gitstore.AddRepository(ctx, tx, s.Repository), gitstore.PutCheck(ctx, tx, c))
	})
	if err != nil {
		t.Fatal(err)
	}
	return &desk{T: t, scene: s, Outbox: &forge.Outbox{
		DB: db, Forges: map[string]forge.Forge{s.Repository.Forge: s.Forge}, PublicURL: publicURL, Log: log, Now: time.Now,
		Observer: forge.Observer{Request: func(string, string, error) {}, First: func(time.Duration) {}, Final: func(time.Duration) {}},
	}}
}

// say changes statuses of the commit.
func (d *desk) say(list ...waybill.Status) {
	list = append(list, waybill.Status{Context: waybill.AggregateContext, URL: "/commits/1"})
	err := d.DB.Write(d.Context(), "test", func(tx *store.Tx) error {
		return gitstore.SetStatuses(d.Context(), tx, d.scene.Repository.ID, d.scene.Commit, list)
	})
	if err != nil {
		d.Fatal(err)
	}
}

// send makes attempts as the queue does, and returns how each ended.
func (d *desk) send() string {
	item := queue.Item{Kind: forge.Kind, Key: gitstore.CommitKey(d.scene.Repository.ID, d.scene.Commit), Attempt: 1}
	var ends []string
	for len(ends) < 10 {
		end := d.Handle(d.Context(), item).String()
		ends = append(ends, end)
		if end == "retry" {
			item.Attempt++
		} else if end != "snooze" {
			break
		}
	}
	return strings.Join(ends, " ")
}
