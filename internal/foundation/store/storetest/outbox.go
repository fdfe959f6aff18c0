package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func outbox(t *testing.T, db *store.DB) {
	ctx := t.Context()
	wake, stop := db.Subscribe("commit:" + git.CommitKey("1", "c"))
	defer stop()
	unsent := func(want ...string) []git.Unsent {
		t.Helper()
		out, err := git.Outbox(ctx, db.Query(), "1", "c")
		var got []string
		for _, u := range out.Unsent {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", u.Context, u.State, map[bool]string{true: "known"}[u.Known])))
		}
		wantGot(t, want, got, err)
		wantGot(t, len(want) > 0, out.Pending, nil)
		return out.Unsent
	}
	build := status("waybill/a/build", waybill.StateSuccess, "ok")
	unsent()
	set(t, db, build)
	first := unsent("waybill success", "waybill/a/build success")
	<-wake
	n, oldest, err := git.OutboxPending(ctx, db.Query())
	wantGot(t, 2, n, err)
	if oldest.IsZero() {
		t.Error("nothing is old")
	}
	set(t, db, build) // equal
	wantGot(t, first, unsent("waybill success", "waybill/a/build success"), nil)
	if len(wake) != 0 {
		t.Error("equal content woke somebody")
	}
	build.Outcome = waybill.OK // for our own displays
	set(t, db, build)
	wantGot(t, first[1].Seq, unsent("waybill success", "waybill/a/build success")[1].Seq, nil)
	<-wake
	build.Description = "better"
	set(t, db, build)
	sent := func(list ...git.Unsent) {
		t.Helper()
		write(t, db, func(tx *store.Tx) error { return git.MarkSent(ctx, tx, "1", "c", list...) })
	}
	sent(first...)
	second := unsent("waybill/a/build success")
	sent(second...)
	sent(first...) // late
	unsent()
	outboxReturns(t, db, build, unsent, sent)
	var wanted []int64
	write(t, db, func(tx *store.Tx) error {
		n, err := queue.Enqueue(ctx, tx, queue.Entry{Kind: git.Kind, Key: git.CommitKey("1", "c")})
		wanted = append(wanted, n)
		return err
	})
	wantGot(t, []int64{6}, wanted, nil) // once by each change that a forge would see
}

// outboxReturns: what comes back to what the forge knows is not sent, unless nobody is sure what it knows.
func outboxReturns(t *testing.T, db *store.DB, build waybill.Status, unsent func(...string) []git.Unsent, sent func(...git.Unsent)) {
	t.Helper()
	ctx := t.Context()
	again := build
	again.State, again.Description = waybill.StatePending, "once more"
	set(t, db, again)
	begun := unsent("waybill pending", "waybill/a/build pending")
	set(t, db, build)
	unsent("waybill success known", "waybill/a/build success known")
	write(t, db, func(tx *store.Tx) error { return git.MarkDoubt(ctx, tx, "1", "c", begun...) })
	if !unsent("waybill success", "waybill/a/build success")[0].Doubt {
		t.Error("a doubt is forgotten")
	}
	sent(unsent("waybill success", "waybill/a/build success")...)
	unsent()
	build.Description = "best"
	set(t, db, build)
	refused := unsent("waybill/a/build success")
	write(t, db, func(tx *store.Tx) error { return git.MarkRefused(ctx, tx, "1", "c", refused[0]) })
	unsent()
}
