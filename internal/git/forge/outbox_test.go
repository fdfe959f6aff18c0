package forge

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// mailbox is a forge that remembers what it was told, or answers with an error.
type mailbox struct {
	err  error
	told []string
}

func (m *mailbox) Write(_ context.Context, _ waybill.Repository, said Message) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	for _, s := range said.Statuses {
		m.told = append(m.told, s.Context+" "+string(s.State)+" "+s.URL)
	}
	return len(said.Statuses), nil
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, store.Options{URL: filepath.Join(t.TempDir(), "waybill.db"), Log: log, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	box, firsts, finals := &mailbox{}, 0, 0
	o := &Outbox{
		DB: db, Forges: map[string]Forge{"plain": box}, PublicURL: "http://waybill.test", Log: log, Now: time.Now,
		Observer: Observer{
			Request: func(string, string, error) {},
			First:   func(time.Duration) { firsts++ }, Final: func(time.Duration) { finals++ },
		},
	}
	write := func(fn func(tx *store.Tx) error) {
		t.Helper()
		if err := db.Write(ctx, "test", fn); err != nil {
			t.Fatal(err)
		}
	}
	set := func(s waybill.State) {
		write(func(tx *store.Tx) error {
			return gitstore.SetStatuses(ctx, tx, "R", "c", []waybill.Status{{Context: "waybill/a/build", State: s, URL: "/releases/1"}})
		})
	}
	send := func() string {
		return o.Handle(ctx, queue.Item{Kind: Kind, Key: gitstore.CommitKey("R", "c")}).String()
	}
	write(func(tx *store.Tx) error {
		if err := gitstore.AddRepository(ctx, tx, waybill.Repository{ID: "R", Name: "a", URL: "/a", Forge: "plain", Owner: "o", Hook: "h"}); err != nil {
			return err
		}
		return gitstore.PutCheck(ctx, tx, waybill.Check{ID: "1", Repository: "R", Commit: "c", Phase: waybill.Planned, Opened: time.Now()})
	})

	set(waybill.StatePending)
	box.err = waybill.Errorf(waybill.Unavailable, "the forge is away")
	if got := send(); got != "retry" {
		t.Errorf("forge away: %s", got)
	}
	box.err = nil
	if got := send(); got != "done" || firsts != 1 || finals != 0 {
		t.Errorf("pending: %s, %d first, %d final", got, firsts, finals)
	}
	send()
	set(waybill.StateSuccess)
	send()
	want := []string{
		"waybill pending ", "waybill/a/build pending http://waybill.test/releases/1",
		"waybill success ", "waybill/a/build success http://waybill.test/releases/1",
	}
	if diff := cmp.Diff(want, box.told); diff != "" {
		t.Errorf("sent once per change (-want +got):\n%s", diff)
	}
	if firsts != 1 || finals != 1 {
		t.Errorf("%d first, %d final", firsts, finals)
	}
	set(waybill.StateFailure)
	box.err = waybill.Errorf(waybill.NotFound, "no such commit")
	if got := send(); got != "discard" {
		t.Errorf("what can never succeed: %s", got)
	}
}

// TestOutboxIsEmptyInTheEnd: what will never be sent must not keep an alert ringing.
func TestOutboxIsEmptyInTheEnd(t *testing.T) {
	t.Parallel()
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, store.Options{URL: filepath.Join(t.TempDir(), "waybill.db"), Log: log, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	box := &mailbox{err: waybill.Errorf(waybill.NotFound, "no such commit")}
	o := &Outbox{
		DB: db, Forges: map[string]Forge{"plain": box}, Log: log, Now: time.Now,
		Observer: Observer{Request: func(string, string, error) {}, First: func(time.Duration) {}, Final: func(time.Duration) {}},
	}
	r := waybill.Repository{ID: "R", Name: "a", URL: "/a", Forge: "plain", Owner: "o", Hook: "h"}
	say := func(tx *store.Tx, repository string) error {
		return gitstore.SetStatuses(ctx, tx, repository, "c", []waybill.Status{{Context: "waybill/a/build", State: waybill.StateSuccess}})
	}
	err = db.Write(ctx, "test", func(tx *store.Tx) error {
		return errors.Join(gitstore.AddRepository(ctx, tx, r), say(tx, "R"), say(tx, "removed"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, _, err := gitstore.OutboxPending(ctx, db.Query()); err != nil || n != 4 {
		t.Errorf("%d to be sent, want 4 (%v)", n, err)
	}
	q := queue.New(db, queue.Options{Owner: "test", Now: time.Now, Log: log})
	running, stop := context.WithCancel(ctx)
	seen := make(chan struct{}, 2)
	q.Handle(Kind, 1, 1, func(ctx context.Context, i queue.Item) queue.Result {
		seen <- struct{}{}
		return o.Handle(ctx, i)
	})
	ended := make(chan error, 1)
	go func() { ended <- q.Run(running) }()
	<-seen
	<-seen
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n, _, err := gitstore.OutboxPending(ctx, db.Query()); err != nil || n != 0 {
		t.Errorf("%d still to be sent (%v)", n, err)
	}
}
