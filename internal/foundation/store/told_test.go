package store_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// BenchmarkWhoPushed measures what a look at a ref asks of the deliveries, in a repository that has had a busy month.
func BenchmarkWhoPushed(b *testing.B) {
	const month = 20_000
	db, err := store.Open(b.Context(), store.Options{URL: filepath.Join(b.TempDir(), "waybill.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	now := time.Now()
	list := make([]waybill.Delivery, month)
	for i := range list {
		at := now.Add(time.Duration(i-month) * time.Minute)
		list[i] = waybill.Delivery{ID: store.NewID(at), Repository: "R", Forge: "hub", Hook: "H", Received: at, Event: waybill.Event{
			Key: fmt.Sprint(i), Kind: waybill.EventPush, Actor: "ann", Refs: []waybill.RefUpdate{{Name: fmt.Sprint("refs/heads/b", i%100), New: fmt.Sprintf("%040d", i)}},
		}}
	}
	err = db.Write(b.Context(), "bench", func(tx *store.Tx) error {
		_, err := git.AcceptDeliveries(b.Context(), tx, list)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		who, err := git.Pusher(b.Context(), db.Query(), "R", "refs/heads/b95", fmt.Sprintf("%040d", month-5))
		if err != nil || who != "ann" {
			b.Fatalf("%q pushed, %v", who, err)
		}
		if _, err := git.Passed(b.Context(), db.Query(), "R", "refs/heads/new", "", time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/1000, "ms/look")
	b.ReportMetric(5, "target-ms/look")
}
