package store_test

import (
	"path/filepath"
	"testing"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/store/storetest"
	"github.com/waybill-dev/waybill/internal/testkit"
)

func open(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) *store.DB {
		t.Helper()
		return open(t, store.Options{URL: filepath.Join(t.TempDir(), "a b%20?#.db")})
	})
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) *store.DB {
		t.Helper()
		return open(t, store.Options{URL: testkit.Postgres(t)})
	})
}
