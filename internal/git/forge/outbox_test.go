package forge

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// mailbox is a forge that remembers what it was told: take statuses at a time, each time with an error from errs.
type mailbox struct {
	take  int
	errs  []error
	told  []string
	again []bool
	first []bool
	found waybill.Findings
}

func (m *mailbox) Write(_ context.Context, _ waybill.Repository, said Message) (int, error) {
	m.again, m.first, m.found = append(m.again, said.Again), append(m.first, said.First), said.Findings
	n, err := len(said.Statuses), error(nil)
	if len(m.errs) > 0 {
		n, err = min(m.take, n), m.errs[0]
		m.errs = m.errs[1:]
	}
	for _, s := range said.Statuses[:n] {
		m.told = append(m.told, strings.TrimSpace(s.Context+" "+string(s.State)+" "+s.URL))
	}
	return n, err
}

// office is an outbox with a mailbox, and a commit whose check was opened at the given time.
type office struct {
	*testing.T
	*Outbox
	box            *mailbox
	firsts, finals int
}

func openOffice(t *testing.T, opened time.Time) *office {
	t.Helper()
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, store.Options{URL: filepath.Join(t.TempDir(), "waybill.db"), Log: log, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	o := &office{T: t, box: &mailbox{}}
	o.Outbox = &Outbox{
		DB: db, Forges: map[string]Forge{"plain": o.box}, PublicURL: "http://waybill.test", Log: log, Now: time.Now,
		Observer: Observer{
			Request: func(string, string, error) {},
			First:   func(time.Duration) { o.firsts++ }, Final: func(time.Duration) { o.finals++ },
		},
	}
	o.write(func(tx *store.Tx) error {
		r := waybill.Repository{ID: "R", Name: "a", URL: "/a", Forge: "plain", Owner: "o", Hook: "h"}
		return errors.Join(gitstore.AddRepository(ctx, tx, r), gitstore.PutCheck(ctx, tx, waybill.Check{
			ID: "1", Repository: "R", Commit: "c", Phase: waybill.Planned, Opened: opened,
			Findings: waybill.Findings{{Code: "WB001"}},
		}))
	})
	return o
}

func (o *office) write(fn func(tx *store.Tx) error) {
	o.Helper()
	if err := o.DB.Write(o.Context(), "test", fn); err != nil {
		o.Fatal(err)
	}
}

// set gives the step of connector a a state.
func (o *office) set(step string, s waybill.State) {
	o.Helper()
	o.write(func(tx *store.Tx) error {
		return gitstore.SetStatuses(o.Context(), tx, "R", "c", []waybill.Status{{Context: "waybill/a/" + step, State: s, URL: "/x"}})
	})
}

// send makes one attempt and returns how it ended and what the mailbox was told.
func (o *office) send(attempt int) (result string, told []string) {
	o.box.told, o.box.again = nil, nil
	item := queue.Item{Kind: Kind, Key: gitstore.CommitKey("R", "c"), Attempt: attempt}
	return o.Handle(o.Context(), item).String(), o.box.told
}

// expect is send, compared.
func (o *office) expect(attempt int, result string, told ...string) {
	o.Helper()
	got, saw := o.send(attempt)
	if got != result {
		o.Errorf("attempt %d: %s, want %s", attempt, got, result)
	}
	if diff := cmp.Diff(told, saw); diff != "" {
		o.Errorf("attempt %d (-want +got):\n%s", attempt, diff)
	}
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	o := openOffice(t, time.Now())
	o.set("build", waybill.StatePending)
	o.box.errs = []error{waybill.Errorf(waybill.Unavailable, "the forge is away")}
	o.expect(1, "retry")
	o.expect(2, "done", "waybill pending", "waybill/a/build pending http://waybill.test/x")
	if o.firsts != 1 || o.finals != 0 {
		t.Errorf("%d first, %d final", o.firsts, o.finals)
	}
	o.expect(1, "done")
	o.set("build", waybill.StateSuccess)
	o.set("dev", waybill.StateSuccess)
	o.expect(1, "done", "waybill success", "waybill/a/build success http://waybill.test/x", "waybill/a/dev success http://waybill.test/x")
	if o.firsts != 1 || o.finals != 1 || len(o.box.found) != 1 {
		t.Errorf("%d first, %d final, findings %v", o.firsts, o.finals, o.box.found)
	}
	o.set("dev", waybill.StatePending) // and back, before anybody was told
	o.set("dev", waybill.StateSuccess)
	o.expect(1, "done")
	if out, err := gitstore.Outbox(t.Context(), o.DB.Query(), "R", "c"); err != nil || out.Pending {
		t.Errorf("%+v is left (%v)", out.Unsent, err)
	}
	if diff := cmp.Diff([]bool{true, true, false}, o.box.first); diff != "" {
		t.Errorf("told for the first time (-want +got):\n%s", diff)
	}
}

// TestOutboxTakesUpWhereItStopped: results go first, and what arrived is not sent again.
func TestOutboxTakesUpWhereItStopped(t *testing.T) {
	t.Parallel()
	o := openOffice(t, time.Now())
	o.set("build", waybill.StateSuccess)
	o.set("dev", waybill.StatePending)
	o.box.take, o.box.errs = 1, []error{waybill.Wrap(waybill.Limited, &RetryAfter{Until: time.Now().Add(time.Hour)}, "slow down")}
	o.expect(1, "snooze", "waybill/a/build success http://waybill.test/x")
	o.set("dev", waybill.StateFailure) // the pending one is not wanted any more
	o.box.errs = []error{waybill.Errorf(waybill.Limited, "slow down")}
	o.expect(1, "snooze", "waybill failure")
	o.expect(1, "done", "waybill/a/dev failure http://waybill.test/x")
	if o.box.again[0] {
		t.Error("nobody doubts what a limit kept from being sent")
	}
}

// TestOutboxDoubts: after an answer that was lost, by a crash or by the network, the forge is asked to look first, also
// when other work came between.
func TestOutboxDoubts(t *testing.T) {
	t.Parallel()
	o := openOffice(t, time.Now())
	o.set("build", waybill.StatePending)
	o.box.take, o.box.errs = 1, []error{waybill.Errorf(waybill.Unavailable, "no answer")}
	o.expect(1, "retry", "waybill pending")
	o.set("dev", waybill.StatePending) // begins the attempts again
	o.expect(1, "done", "waybill/a/build pending http://waybill.test/x", "waybill/a/dev pending http://waybill.test/x")
	if !o.box.again[0] {
		t.Error("the lost answer is forgotten")
	}
	o.set("dev", waybill.StateSuccess)
	o.expect(2, "done", "waybill/a/dev success http://waybill.test/x")
	if !o.box.again[0] {
		t.Error("the crash is forgotten")
	}
	o.set("dev", waybill.StateFailure)
	o.expect(1, "done", "waybill/a/dev failure http://waybill.test/x")
	if o.box.again[0] {
		t.Error("there is nothing to doubt")
	}
}

func TestOutboxGivesUp(t *testing.T) {
	t.Parallel()
	fresh, old := time.Now(), time.Now().Add(-time.Hour)
	for _, c := range []struct {
		code    waybill.Code
		opened  time.Time
		attempt int
		want    string
	}{
		{waybill.NotFound, fresh, 1, "retry"}, // the forge may be slow to show what was just pushed
		{waybill.NotFound, fresh, 6, "discard"},
		{waybill.NotFound, old, 1, "discard"},
		{waybill.Denied, fresh, 1, "discard"},
		{waybill.TooLarge, fresh, 1, "discard"},
		{waybill.Unauthenticated, old, 9, "retry"}, // credentials that expired come back
		{waybill.Unavailable, old, 99, "retry"},
		{waybill.Internal, old, 1, "retry"},
	} {
		o := openOffice(t, c.opened)
		o.set("build", waybill.StateSuccess)
		o.box.errs = []error{waybill.Errorf(c.code, "no")}
		if got, _ := o.send(c.attempt); got != c.want {
			t.Errorf("%s at attempt %d: %s, want %s", c.code, c.attempt, got, c.want)
		}
	}
}

// TestOutboxPassesWhatIsRefused: one status that the forge will never take does not keep the others.
func TestOutboxPassesWhatIsRefused(t *testing.T) {
	t.Parallel()
	o := openOffice(t, time.Now())
	o.set("build", waybill.StateSuccess)
	o.set("dev", waybill.StateSuccess)
	o.box.take, o.box.errs = 1, []error{waybill.Errorf(waybill.Invalid, "1000 statuses")}
	o.expect(1, "done", "waybill success", "waybill/a/dev success http://waybill.test/x")
	o.expect(1, "done")
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
	gone := waybill.Errorf(waybill.NotFound, "no such commit")
	box := &mailbox{errs: []error{gone, gone}}
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
