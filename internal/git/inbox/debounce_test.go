package inbox

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestBurstOfPushesIsOneLook: a ref that moved in the last 10 s is looked at 2 s after the first push of a burst, a quiet
// one at once, and whoever pushes to plain Git is not kept waiting.
func TestBurstOfPushesIsOneLook(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		forge    string
		observed time.Duration   // before the first push; 0: never
		pushes   []time.Duration // after the first
		want     time.Duration   // after the first
	}{
		"new":              {"tea", 0, nil, 0},
		"quiet":            {"tea", 10 * time.Second, nil, 0},
		"restless":         {"tea", 9 * time.Second, nil, 2 * time.Second},
		"burst":            {"tea", time.Second, []time.Duration{time.Second, 1900 * time.Millisecond}, 2 * time.Second},
		"endless burst":    {"tea", time.Second, []time.Duration{5 * time.Second, 14 * time.Second}, 2 * time.Second},
		"somebody watches": {"plain", time.Second, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := noon()
			now := start
			db, err := store.Open(t.Context(), store.Options{
				URL: filepath.Join(t.TempDir(), "waybill.db"), Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			write := func(fn func(tx *store.Tx) error) {
				t.Helper()
				if err := db.Write(t.Context(), "test", fn); err != nil {
					t.Fatal(err)
				}
			}
			if test.observed > 0 {
				seen := waybill.Ref{Repository: "R", Name: mainRef, Tip: commitA, Observed: start.Add(-test.observed)}
				write(func(tx *store.Tx) error { return gitstore.PutRef(t.Context(), tx, seen) })
			}
			for _, after := range append([]time.Duration{0}, test.pushes...) {
				now = start.Add(after)
				write(func(tx *store.Tx) error {
					push := &arrival{repository: waybill.Repository{ID: "R", Forge: test.forge}}
					push.delivery = waybill.Delivery{Received: now, Event: waybill.Event{Refs: []waybill.RefUpdate{{Name: mainRef}}}}
					work, err := looks(t.Context(), tx, []*arrival{push})
					if err != nil {
						return err
					}
					return queue.EnqueueAll(t.Context(), tx, work)
				})
			}
			at, err := store.Get(t.Context(), db.Query(), "work", func(at *time.Time) []any { return []any{store.Time(at)} },
				`SELECT due FROM work WHERE kind = $1 AND key = $2`, refWork, "R "+mainRef)
			if got := at.Sub(start); err != nil || got != test.want {
				t.Errorf("looked at after %s, want %s (%v)", got, test.want, err)
			}
		})
	}
}
