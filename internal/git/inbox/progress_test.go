package inbox

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// TestProgressOfATagThatThePollerFoundFirst follows the push of an annotated tag whose commit was examined before the
// hook told of it.
func TestProgressOfATagThatThePollerFoundFirst(t *testing.T) {
	t.Parallel()
	const tag, tagObject = "refs/tags/v1.0.0", commitB
	p := newPost(t)
	now := time.Now()
	check := waybill.Check{
		ID: store.NewID(now), Repository: "R", Ref: tag, Commit: commitA, Phase: waybill.Planned,
		State: waybill.StateSuccess, Summary: "1 connector released", Opened: now,
	}
	err := p.DB.Write(t.Context(), "test", func(tx *store.Tx) error {
		ref := waybill.Ref{Repository: "R", Name: tag, Tip: commitA, Observed: now}
		if err := gitstore.PutRef(t.Context(), tx, ref); err != nil {
			return err
		}
		if err := gitstore.PutCheck(t.Context(), tx, check); err != nil {
			return err
		}
		return gitstore.SetStatuses(t.Context(), tx, "R", commitA, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	p.push("/hooks/plain/hook", secret, "key-1", waybill.RefUpdate{Name: tag, Old: zero, New: tagObject})
	p.lookAtRefs()

	got := p.follow("key-1")
	if !strings.Contains(got, commitA) || !strings.Contains(got, "event: done") || strings.Contains(got, "nothing to do") {
		t.Errorf("the pusher is told\n%s", got)
	}
}

// lookAtRefs lets a worker find that no ref has moved.
func (p *post) lookAtRefs() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	defer cancel()
	stopped, stop := context.WithCancel(ctx)
	q := queue.New(p.DB, queue.Options{Owner: "test", Observe: queue.Observe{
		Finished: func(string, string, time.Duration) { stop() }, // the result is stored before Run returns
	}})
	q.Handle(refWork, 1, 0, func(context.Context, queue.Item) queue.Result { return queue.Done() })
	if err := q.Run(stopped); err != nil || ctx.Err() != nil {
		p.t.Fatal(err, ctx.Err())
	}
}

// follow returns the whole progress of a delivery.
func (p *post) follow(key string) string { return p.followWith(key, secret) }

func (p *post) followWith(key string, secret webhooks.Secret) string {
	p.t.Helper()
	var id string
	row := p.DB.Query().QueryRowContext(p.t.Context(), `SELECT id FROM deliveries WHERE event_key = $1`, key)
	if err := row.Scan(&id); err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/hooks/plain/hook/deliveries/"+id, nil)
	webhooks.SignGet(req, secret, time.Now())
	rec := httptest.NewRecorder()
	p.mux.ServeHTTP(rec, req)
	return rec.Body.String()
}

// TestProgressAfterRotation: a pusher with a secret that is new sees progress before the old one is forgotten.
func TestProgressAfterRotation(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	now := time.Now()
	p.Now = func() time.Time { return now }
	for _, key := range []string{"key-1", "key-2"} { // after the first it is noted that the hook works
		p.push("/hooks/plain/hook", secret, key, waybill.RefUpdate{Name: mainRef, Old: zero, New: commitA})
	}
	p.lookAtRefs()
	p.write(func(tx *store.Tx) error { return gitstore.SetHookSecret(t.Context(), tx, "R", "another", time.Time{}) })
	if got := p.followWith("key-1", "another"); !strings.Contains(got, "event: done") {
		t.Errorf("the pusher is told %q", got)
	}
	if got := p.follow("key-1"); got != "" {
		t.Errorf("with a secret that was taken back, one is told %q", got)
	}
}
