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
	together(60, func(i int) {
		ctx := t.Context()
		if want(i) == waybill.Unavailable {
			ctx = gone
		}
		err := db.WriteTogether(ctx, "test.crowd", func(tx *store.Tx) error {
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
				_, err := tx.ExecContext(ctx, `INSERT INTO teams (name, created) VALUES ($1, 1)`, fmt.Sprint("team", i))
				return err
			default:
				return nil
			}
		})
		if waybill.CodeOf(err) != want(i) {
			t.Errorf("write %d: %v, want %q", i, err, want(i))
		}
	})
	if n := teamCount(t, db.Query()); n != 36 || after.Load() != 36 {
		t.Errorf("%d are there and %d heard of it, want 36", n, after.Load())
	}
	select {
	case <-wake:
	case <-t.Context().Done():
	}
}
