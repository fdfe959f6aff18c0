package release

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestLaneGoesOnWithoutItsRepository: what is queued when a repository is removed must end, or nothing of its connector
// would ever be released again.
func TestLaneGoesOnWithoutItsRepository(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"", "1.0.0"} {
		h := newHouse(t)
		h.push("a-1", version)
		h.write(func(tx *store.Tx) error { return gitstore.RemoveRepository(t.Context(), tx, "R") })
		h.settleDown()
		if got := h.board("a-1"); !strings.HasPrefix(got, "waybill error ") || strings.Contains(got, "pending") {
			t.Error(got)
		}
	}
}

// TestNameOutlivesItsRepository: one that was removed and added again, perhaps at another address, has another id.
func TestNameOutlivesItsRepository(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.push("a-1", "")
	h.settleDown()
	d := waybill.Declaration{
		Identity: waybill.Identity{Kind: "Connector", Name: "shop-feed", Major: 1}, Connector: &waybill.Connector{Owner: "feeds"},
	}
	change := waybill.Change{Identity: d.Identity, Environment: waybill.Dev, Wanted: &d}
	accept := func(owner string) error {
		d.Connector.Owner = owner
		return h.DB.Write(t.Context(), "test", func(tx *store.Tx) error {
			return h.Accept(t.Context(), tx, waybill.Check{ID: "C", Repository: "S", Commit: "b-1"}, []waybill.Change{change})
		})
	}
	if err := accept("feeds"); !waybill.IsCode(err, waybill.Conflict) {
		t.Errorf("while its repository is watched: %v, want conflict", err)
	}
	h.write(func(tx *store.Tx) error { return gitstore.RemoveRepository(t.Context(), tx, "R") })
	if err := accept("thieves"); !waybill.IsCode(err, waybill.Conflict) {
		t.Errorf("by another team: %v, want conflict", err)
	}
	observed, err := h.Observe(t.Context(), h.DB.Query(), "", []waybill.Identity{d.Identity})
	if err != nil || observed[0].Repository != "" || observed[0].Owner != "feeds" {
		t.Errorf("observed %+v, %v", observed, err)
	}
	if err := accept("feeds"); err != nil {
		t.Errorf("by its team: %v", err)
	}
}

func TestSupersedingWithoutACheck(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	check := h.push("a-1", "")
	h.push("b-1", "")
	h.write(func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `DELETE FROM checks WHERE id = $1`, check)
		return err
	})
	h.settleDown()
	if got := h.liveCommit(waybill.Dev); got != "b-1" {
		t.Errorf("dev serves %q", got)
	}
}

// TestTagWaitsForNoBrokenBranch: a branch that cannot be fetched is tried for ever.
func TestTagWaitsForNoBrokenBranch(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.push("a-1", "1.0.0")
	branch := queue.Entry{Kind: "ref", Key: "R refs/heads/main"}
	h.write(func(tx *store.Tx) error { _, err := queue.Enqueue(t.Context(), tx, branch); return err })
	open, err := connectorstore.Lane(t.Context(), h.DB.Query(), "shop-feed", 1, waybill.Prod)
	if err != nil || len(open) != 1 {
		t.Fatal(open, err)
	}
	if err := h.awaitDev(t.Context(), &job{release: open[0]}); !errors.As(err, new(waitError)) {
		t.Errorf("got %v, want to wait for a branch that was not looked at", err)
	}
	h.write(func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE work SET attempt = 1, due = $1 WHERE kind = 'ref'`, store.Micros(time.Now().Add(time.Hour)))
		return err
	})
	if err := h.awaitDev(t.Context(), &job{release: open[0]}); err != nil {
		t.Errorf("still waiting: %v", err)
	}
}

func TestRollbackFindsAReleaseOfLongAgo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.push("a-1", "1.0.0")
	h.settleDown()
	h.push("b-1", "1.1.0")
	h.settleDown()
	h.write(func(tx *store.Tx) error { // what half a year of pushes to dev leaves behind
		for range 1200 {
			if err := store.Record(t.Context(), tx, waybill.Entry{Subject: "connector:shop-feed", Action: "step.build"}); err != nil {
				return err
			}
		}
		return nil
	})
	if _, err := h.Rollback(t.Context(), "shop-feed", 1, waybill.Prod, waybill.Actor{}); err != nil || h.liveCommit(waybill.Prod) != "a-1" {
		t.Errorf("%v, prod serves %s", err, h.liveCommit(waybill.Prod))
	}
}

// meddler does something at the moment when an image is looked for.
type meddler struct {
	*fakeDocker
	do func()
}

func (m *meddler) Exists(ctx context.Context, image string) (bool, error) {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return m.fakeDocker.Exists(ctx, image)
}

func TestRollbackOfWhatHasJustMoved(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, code := range []string{"a-1", "b-1"} {
		h.push(code, "")
		h.settleDown()
	}
	h.Images = &meddler{h.docker, func() {
		h.push("c-1", "")
		h.settleDown()
	}}
	_, err := h.Rollback(t.Context(), "shop-feed", 1, waybill.Dev, waybill.Actor{})
	if !waybill.IsCode(err, waybill.Conflict) || h.liveCommit(waybill.Dev) != "c-1" {
		t.Errorf("%v, dev serves %s", err, h.liveCommit(waybill.Dev))
	}
}
