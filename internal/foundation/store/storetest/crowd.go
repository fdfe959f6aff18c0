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

// crowd: writes that share a commit succeed and fail each for itself, once, and everybody who waits for them is woken.
func crowd(t *testing.T, db *store.DB) {
	wake, stop := db.Subscribe("crowd")
	defer stop()
	gone, leave := context.WithCancel(t.Context())
	leave()
	want := func(i int) waybill.Code {
		return map[int]waybill.Code{1: waybill.Denied, 2: waybill.Internal, 3: waybill.Unavailable, 4: waybill.Conflict}[i%10]
	}
	after := atomic.Int32{}
	write := func(ctx context.Context, tx *store.Tx, items []int) error {
		for _, i := range items {
			if err := connector.EnsureTeam(ctx, tx, fmt.Sprint("team", i), now()); err != nil {
				return err
			}
			tx.After(func() { after.Add(1) })
			tx.Notify("crowd")
			switch want(i) {
			case waybill.Denied:
				return waybill.Errorf(waybill.Denied, "no")
			case waybill.Internal:
				panic("oh")
			case waybill.Conflict: // a statement that fails
				if _, err := tx.ExecContext(ctx, `INSERT INTO teams (name, created) VALUES ($1, 1)`, fmt.Sprint("team", i)); err != nil {
					return err
				}
			default:
			}
		}
		return nil
	}
	crowd, other := store.NewCrowd(db, "test.crowd", write), store.NewCrowd(db, "test.other", write)
	together(60, func(i int) {
		ctx := t.Context()
		if want(i) == waybill.Unavailable {
			ctx = gone
		}
		of := crowd
		if i%7 == 0 {
			of = other
		}
		if err := of.Write(ctx, i); waybill.CodeOf(err) != want(i) {
			t.Errorf("write %d: %v, want %q", i, err, want(i))
		}
	})
	together(60, func(i int) { // all of which go well
		if err := crowd.Write(t.Context(), 100+10*i); err != nil {
			t.Error(err)
		}
	})
	if n := teamCount(t, db.Query()); n != 96 {
		t.Errorf("%d are there, want 96", n)
	}
	if n := after.Load(); n != 96 {
		t.Errorf("%d heard of it, want 96", n)
	}
	select {
	case <-wake:
	case <-t.Context().Done():
	}
}
