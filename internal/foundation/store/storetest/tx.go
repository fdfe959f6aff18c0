package storetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func teamCount(t *testing.T, q store.Querier) int {
	t.Helper()
	n, err := store.Get(t.Context(), q, "teams", func(n *int) []any { return []any{n} }, `SELECT COUNT(*) FROM teams`)
	wantCode(t, err, "")
	return n
}

// rollback: an error takes back the whole write and nothing else, and keeps its code.
func rollback(t *testing.T, db *store.DB) {
	failed := atomic.Int32{}
	together(20, func(i int) {
		err := db.Write(t.Context(), "test.rollback", func(tx *store.Tx) error {
			if err := connector.EnsureTeam(t.Context(), tx, fmt.Sprint("team", i), now()); err != nil {
				return err
			}
			if i%2 == 1 {
				return waybill.Errorf(waybill.Denied, "no")
			}
			return nil
		})
		if waybill.IsCode(err, waybill.Denied) {
			failed.Add(1)
		}
	})
	if failed.Load() != 10 || teamCount(t, db.Query()) != 10 {
		t.Errorf("%d failed and %d are there, want 10 and 10", failed.Load(), teamCount(t, db.Query()))
	}
}

// panicking: a panic is an error of its own write only.
func panicking(t *testing.T, db *store.DB) {
	together(6, func(i int) {
		err := db.Write(t.Context(), "test.panic", func(tx *store.Tx) error {
			if err := connector.EnsureTeam(t.Context(), tx, fmt.Sprint("team", i), now()); err != nil {
				return err
			}
			if i%2 == 1 {
				panic("at the disco")
			}
			return nil
		})
		if panicked := waybill.IsCode(err, waybill.Internal); panicked != (i%2 == 1) {
			t.Errorf("write %d: %v", i, err)
		}
	})
	if n := teamCount(t, db.Query()); n != 3 {
		t.Errorf("%d teams, want 3", n)
	}
}

// cancelled: a caller that leaves harms nobody, and what it began is not half there.
func cancelled(t *testing.T, db *store.DB) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	err := db.Write(gone, "test.gone", func(*store.Tx) error { t.Error("it ran"); return nil })
	wantCode(t, err, waybill.Unavailable)
	together(12, func(i int) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := db.Write(ctx, "test.leave", func(tx *store.Tx) error {
			if err := connector.EnsureTeam(ctx, tx, fmt.Sprint("team", i), now()); err != nil {
				return err
			}
			if i%3 == 0 {
				cancel()
			}
			return connector.EnsureTeam(ctx, tx, fmt.Sprint("other", i), now())
		})
		if i%3 == 0 != waybill.IsCode(err, waybill.Unavailable) {
			t.Errorf("write %d: %v", i, err)
		}
	})
	if n := teamCount(t, db.Query()); n != 16 {
		t.Errorf("%d teams, want 16", n)
	}
}

// serial: transactions decide on what they read as if they ran one after another.
func serial(t *testing.T, db *store.DB) {
	together(30, func(i int) {
		err := db.Write(t.Context(), "test.serial", func(tx *store.Tx) error {
			if teamCount(t, tx) >= 10 {
				return nil
			}
			return connector.EnsureTeam(t.Context(), tx, fmt.Sprint("team", i), now())
		})
		if err != nil {
			t.Errorf("write %d: %v", i, err)
		}
	})
	if n := teamCount(t, db.Query()); n != 10 {
		t.Errorf("%d teams, want exactly 10", n)
	}
}

// after: functions run once, after the commit, and not when there was none.
func after(t *testing.T, db *store.DB) {
	var n int
	write(t, db, func(tx *store.Tx) error {
		tx.After(func() { n += 1 + teamCount(t, db.Query()) })
		return connector.EnsureTeam(t.Context(), tx, "a", now())
	})
	err := db.Write(t.Context(), "test.after", func(tx *store.Tx) error {
		tx.After(func() { n += 100 })
		return waybill.Errorf(waybill.Invalid, "no")
	})
	wantCode(t, err, waybill.Invalid)
	if n != 2 {
		t.Errorf("n is %d, want 2", n)
	}
}

// wakes: subscribers of the topic are woken after a commit, once however often it was notified before they looked.
func wakes(t *testing.T, db *store.DB) {
	wake, stop := db.Subscribe("a")
	defer stop()
	other, stopOther := db.Subscribe("b")
	defer stopOther()
	err := db.Write(t.Context(), "test.none", func(tx *store.Tx) error { tx.Notify("a"); return waybill.Errorf(waybill.Invalid, "no") })
	wantCode(t, err, waybill.Invalid)
	if len(wake) != 0 {
		t.Error("woken without a commit")
	}
	for range 3 {
		write(t, db, func(tx *store.Tx) error { tx.Notify("a"); tx.Notify("a"); return nil })
	}
	<-wake
	if len(wake) != 0 || len(other) != 0 {
		t.Errorf("woken %d and %d times more", len(wake), len(other))
	}
	stop()
	write(t, db, func(tx *store.Tx) error { tx.Notify("a"); return nil })
	if len(wake) != 0 {
		t.Error("woken after stop")
	}
}

// text: whatever bytes people send are stored, as far as they are text.
func text(t *testing.T, db *store.DB) {
	write(t, db, func(tx *store.Tx) error {
		return store.InsertToken(t.Context(), tx, store.Token{ID: "1", Hash: "h", Name: "a\x00b\xff 'ü' $1 ☃"})
	})
	got, err := store.TokenByHash(t.Context(), db.Query(), "h")
	wantGot(t, "a�b� 'ü' $1 ☃", got.Name, err)
}

func tokens(t *testing.T, db *store.DB) {
	at := now()
	token := store.Token{ID: store.NewID(at), Name: "n", Hash: "h", Scope: "admin", Created: at, Expires: at.Add(1)}
	token.Expires = token.Expires.Truncate(1000)
	write(t, db, func(tx *store.Tx) error { return store.InsertToken(t.Context(), tx, token) })
	err := db.Write(t.Context(), "test.again", func(tx *store.Tx) error {
		again := token
		again.ID = "other"
		return store.InsertToken(t.Context(), tx, again)
	})
	wantCode(t, err, waybill.Conflict)
	write(t, db, func(tx *store.Tx) error { return store.TouchToken(t.Context(), tx, token.ID, at) })
	token.LastUsed = at
	got, err := store.Tokens(t.Context(), db.Query())
	wantGot(t, []store.Token{token}, got, err)
	write(t, db, func(tx *store.Tx) error { return store.DeleteToken(t.Context(), tx, token.ID) })
	_, err = store.TokenByHash(t.Context(), db.Query(), "h")
	wantCode(t, err, waybill.NotFound)
	err = db.Write(t.Context(), "test.gone", func(tx *store.Tx) error { return store.DeleteToken(t.Context(), tx, token.ID) })
	wantCode(t, err, waybill.NotFound)
}

func history(t *testing.T, db *store.DB) {
	var want []waybill.Entry
	for i := range 10 {
		e := waybill.Entry{
			Actor: "ann", Channel: waybill.ChannelGit, Repository: "r", Commit: fmt.Sprint("c", i%2),
			Subject: fmt.Sprintf("connector:a@%d", i%3), Action: "step.build", Before: "x", After: fmt.Sprint(i), Message: "m",
		}
		write(t, db, func(tx *store.Tx) error { return store.Record(t.Context(), tx, e) })
		want = append([]waybill.Entry{e}, want...)
	}
	all, err := store.History(t.Context(), db.Query(), store.HistoryFilter{})
	wantCode(t, err, "")
	for i := range all {
		if all[i].ID == "" || all[i].At.IsZero() {
			t.Errorf("entry %d has no id or time", i)
		}
		want[i].ID, want[i].At = all[i].ID, all[i].At
	}
	wantGot(t, want, all, nil)
	page, err := store.History(t.Context(), db.Query(), store.HistoryFilter{Before: all[3].ID, Limit: 2})
	wantGot(t, all[4:6], page, err)
	for filter, n := range map[store.HistoryFilter]int{
		{Subject: "connector:a@1"}:            3,
		{SubjectPrefix: "connector:"}:         10,
		{SubjectPrefix: "connector:a@2"}:      3,
		{SubjectPrefix: "run:"}:               0,
		{Commit: "c1"}:                        5,
		{Repository: "r", Commit: "c0"}:       5,
		{Repository: "other"}:                 0,
		{Subject: "connector:a@0", Limit: 50}: 4,
	} {
		if got, err := store.History(t.Context(), db.Query(), filter); len(got) != n || err != nil {
			t.Errorf("%+v: %d entries, %v; want %d", filter, len(got), err, n)
		}
	}
}
