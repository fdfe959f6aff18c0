package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// heads: an overview reads the newest of every lane and what is live, and counts what failed lately.
func heads(t *testing.T, db *store.DB) {
	ctx, day := t.Context(), 24*time.Hour
	var ids []string
	for i, age := range []time.Duration{5 * day, 4 * day, 3 * day, time.Hour} {
		r := release(store.NewID(now().Add(-age)), waybill.Dev)
		if i == 2 {
			r.Environment = waybill.Prod
		}
		r.Outcome = waybill.Failed
		ids = append(ids, r.ID)
		write(t, db, func(tx *store.Tx) error { return connector.InsertRelease(ctx, tx, r) })
	}
	write(t, db, func(tx *store.Tx) error {
		live := waybill.Live{Connector: "shop-feed", Major: 2, Environment: waybill.Dev, Release: ids[0], Since: now()}
		if err := connector.SetLive(ctx, tx, live); err != nil {
			return err
		}
		for i, state := range []waybill.RunState{waybill.RunFailed, waybill.RunLost, waybill.RunSucceeded} {
			run := waybill.Run{ID: store.NewID(now().Add(-time.Duration(i) * time.Minute)), Connector: "shop-feed", Major: 2, State: state}
			if err := connector.InsertRun(ctx, tx, run); err != nil {
				return err
			}
		}
		return nil
	})
	list, err := connector.Heads(ctx, db.Query())
	var got []string
	for _, r := range list {
		got = append(got, r.ID)
	}
	slices.Reverse(got)
	wantGot(t, []string{ids[0], ids[2], ids[3]}, got, err)
	n, err := connector.CountFailed(ctx, db.Query(), now().Add(-day))
	wantGot(t, 3, n, err)
}
