package queue_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
)

func TestSmoke(t *testing.T) {
	db, err := store.Open(t.Context(), store.Options{URL: filepath.Join(t.TempDir(), "a.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	q := queue.New(db, queue.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	q.Handle("x", 2, 1, func(ctx context.Context, i queue.Item) queue.Result {
		t.Log(i.Key, i.Attempt, i.Wanted)
		if err := db.Write(ctx, "f", func(tx *store.Tx) error { return i.Fence(ctx, tx) }); err != nil {
			t.Error(err)
		}
		cancel()
		return queue.Done()
	})
	err = db.Write(ctx, "x", func(tx *store.Tx) error {
		if _, err := queue.Enqueue(ctx, tx, queue.Entry{Kind: "x", Key: "a"}); err != nil {
			return err
		}
		n, err := queue.Enqueue(ctx, tx, queue.Entry{Kind: "x", Key: "a"})
		t.Log(n)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Run(ctx); err != nil {
		t.Fatal(err)
	}
	p, err := queue.Pending(t.Context(), db.Query(), "x", "a")
	t.Log(p, err)
}
