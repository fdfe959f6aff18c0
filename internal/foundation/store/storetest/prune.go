package storetest

import (
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// prune forgets a check when it is old, a newer one of its ref is there and nothing was released from its commit.
func prune(t *testing.T, db *store.DB) {
	ctx := t.Context()
	before := now().Add(-time.Hour)
	old, young := before.Add(-time.Hour), before.Add(time.Minute)
	ids := map[string]string{}
	check := func(name, ref, commit string, at time.Time, phase waybill.Phase) {
		t.Helper()
		ids[name] = store.NewID(at)
		write(t, db, func(tx *store.Tx) error {
			c := waybill.Check{ID: ids[name], Repository: "R", Ref: ref, Commit: commit, Phase: phase, Opened: at}
			if err := git.PutCheck(ctx, tx, c); err != nil {
				return err
			}
			return git.SetStatuses(ctx, tx, "R", commit, []waybill.Status{{Context: waybill.AggregateContext, State: waybill.StateSuccess}})
		})
	}
	check("gone", "main", "c1", old, waybill.Planned)
	check("released", "main", "c2", old.Add(time.Second), waybill.Planned)
	check("open", "main", "c3", old.Add(2*time.Second), waybill.Loaded)
	check("newest of main", "main", "c4", old.Add(3*time.Second), waybill.Planned)
	check("young", "topic", "c5", young, waybill.Planned)
	check("newest of topic", "topic", "c6", young.Add(time.Second), waybill.Planned)
	write(t, db, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE statuses SET sent = seq, updated = $1`, store.Micros(old)); err != nil {
			return err
		}
		for name, tip := range map[string]string{"refs/heads/gone": "", "refs/heads/main": "c4"} {
			if err := git.PutRef(ctx, tx, waybill.Ref{Repository: "R", Name: name, Tip: tip, Observed: old}); err != nil {
				return err
			}
		}
		return connector.InsertRelease(ctx, tx, waybill.Release{
			ID: store.NewID(old), Repository: "R", Ref: "main", Commit: "c2", Environment: waybill.Dev, Outcome: waybill.OK, Created: old,
			Declaration: waybill.Declaration{Identity: waybill.Identity{Kind: waybill.KindConnector, Name: "a", Major: 1}},
		})
	})
	write(t, db, func(tx *store.Tx) error {
		removed, err := git.PruneChecks(ctx, tx, before)
		if err == nil && removed != 1 {
			t.Errorf("%d checks went", removed)
		}
		if err != nil {
			return err
		}
		_, err = git.PruneRefs(ctx, tx, before)
		return err
	})
	for name, id := range ids {
		_, err := git.Check(ctx, db.Query(), id)
		if gone := waybill.IsCode(err, waybill.NotFound); gone != (name == "gone") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for commit, want := range map[string]int{"c1": 0, "c2": 1, "c4": 1} {
		if list, err := git.Statuses(ctx, db.Query(), "R", commit); err != nil || len(list) != want {
			t.Errorf("%s has %d statuses, want %d (%v)", commit, len(list), want, err)
		}
	}
	refs, err := git.Refs(ctx, db.Query(), "R")
	if err != nil || len(refs) != 1 || refs[0].Tip != "c4" {
		t.Errorf("refs: %v, %v", refs, err)
	}
}
