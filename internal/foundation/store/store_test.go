package store_test

import (
	"database/sql"
	"path/filepath"
	"slices"
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

// TestPostgresKeepsWhatABurstOpened: another connection takes longer than all that is asked through it.
func TestPostgresKeepsWhatABurstOpened(t *testing.T) {
	t.Parallel()
	db := open(t, store.Options{URL: testkit.Postgres(t)})
	var pids [2][]int
	for i := range pids {
		var held []*sql.Rows
		for range 16 {
			rows, err := db.Query().QueryContext(t.Context(), `SELECT pg_backend_pid()`)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			var pid int
			if !rows.Next() || rows.Scan(&pid) != nil {
				t.Fatal(rows.Err())
			}
			held, pids[i] = append(held, rows), append(pids[i], pid)
		}
		for _, rows := range held {
			if err := rows.Close(); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(pids[i])
	}
	if !slices.Equal(pids[0], pids[1]) {
		t.Errorf("connections %v, then %v", pids[0], pids[1])
	}
}
