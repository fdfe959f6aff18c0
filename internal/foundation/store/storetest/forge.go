package storetest

import (
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// atForge follows a repository of a forge through a rename and the exchange of its hook's secret.
func atForge(t *testing.T, db *store.DB) {
	ctx := t.Context()
	r := repository("1", "feeds", "shop")
	r.Forge, r.ForgeID, r.Path, r.URL = "hub", "77", "acme/shop", "https://hub.test/acme/shop.git"
	write(t, db, func(tx *store.Tx) error { return git.AddRepository(ctx, tx, r) })
	again := repository("2", "feeds", "other")
	again.Forge, again.ForgeID = "hub", "77"
	err := db.Write(ctx, "test.again", func(tx *store.Tx) error { return git.AddRepository(ctx, tx, again) })
	wantCode(t, err, waybill.Conflict)
	again.ForgeID = "78"
	write(t, db, func(tx *store.Tx) error { return git.AddRepository(ctx, tx, again) })
	err = db.Write(ctx, "test.rival", func(tx *store.Tx) error {
		return git.SetIdentity(ctx, tx, waybill.Repository{ID: "2", Forge: "hub", ForgeID: "77", URL: "x"})
	})
	wantCode(t, err, waybill.Conflict)

	r.Path, r.URL, r.DefaultBranch, r.Archived = "acme/store", "https://hub.test/acme/store.git", "trunk", true
	first, missed := r.HookSecret, now()
	ends := missed.Add(time.Hour)
	write(t, db, func(tx *store.Tx) error {
		if err := git.SetIdentity(ctx, tx, r); err != nil {
			return err
		}
		if err := git.SetMissed(ctx, tx, "1", missed); err != nil {
			return err
		}
		return git.SetHookSecret(ctx, tx, "1", "second", ends)
	})
	r.HookSecret, r.OldHookSecret, r.OldSecretEnds, r.LastMissed = "second", first, ends, missed
	got, err := git.RepositoryByForgeID(ctx, db.Query(), "hub", "77")
	wantGot(t, r, got, err)
	for _, at := range []time.Time{ends.Add(-time.Second), ends} {
		write(t, db, func(tx *store.Tx) error { _, err := git.EndOldSecrets(ctx, tx, at); return err })
		got, err = git.Repository(ctx, db.Query(), "1")
		if want := at.Before(ends); err != nil || (got.OldHookSecret != "") != want {
			t.Errorf("at %s the old secret is %q (%v)", at, got.OldHookSecret, err)
		}
	}
}
