package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestSmoke(t *testing.T) {
	db, err := store.Open(t.Context(), store.Options{URL: filepath.Join(t.TempDir(), "a b%?.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Write(t.Context(), "x", func(tx *store.Tx) error {
		if err := git.AddRepository(t.Context(), tx, waybill.Repository{ID: "1", Owner: "a", Name: "b", URL: "/x", PushNotes: true, Added: time.Now()}); err != nil {
			return err
		}
		if err := connector.InsertRun(t.Context(), tx, waybill.Run{ID: "1", State: waybill.RunQueued}); err != nil {
			return err
		}
		return connector.InsertRelease(t.Context(), tx, waybill.Release{ID: "1"})
	})
	if err != nil {
		t.Fatalf("%v %v", err, err.(*waybill.Error).Cause)
	}
	t.Log(git.Repositories(t.Context(), db.Query()))
	t.Log(connector.Runs(t.Context(), db.Query(), connector.RunFilter{}))
	t.Log(connector.Releases(t.Context(), db.Query(), connector.ReleaseFilter{}))
}
