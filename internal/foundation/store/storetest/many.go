package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// deliveriesAtOnce: of deliveries that come together each is stored once, the first of those that are equal.
func deliveriesAtOnce(t *testing.T, db *store.DB) {
	ctx := t.Context()
	delivery := func(id, hook, key string) waybill.Delivery {
		return waybill.Delivery{ID: id, Repository: "r", Forge: "plain", Hook: hook, Received: now(), Event: waybill.Event{
			Kind: "push", Key: key, Actor: "ann \x00 \xff", Refs: []waybill.RefUpdate{{Name: "refs/heads/{a,\"b\"}", New: "1"}},
		}}
	}
	accept := func(list ...waybill.Delivery) []string {
		t.Helper()
		var texts []string
		write(t, db, func(tx *store.Tx) error {
			accepted, err := git.AcceptDeliveries(ctx, tx, list)
			texts = nil
			for _, a := range accepted {
				texts = append(texts, a.ID+map[bool]string{true: " stored", false: " known"}[a.Fresh])
			}
			return err
		})
		return texts
	}
	wantGot(t, []string{"5 stored"}, accept(delivery("5", "h", "known")), nil)
	got := accept(delivery("9", "h", "z"), delivery("8", "h", "a"), delivery("7", "h", "z"), delivery("6", "h", "known"),
		delivery("4", "other", "z"), delivery("3", "h", "{NULL,\xff}"), delivery("2", "h", "{NULL,\xff}"))
	wantGot(t, []string{"9 stored", "8 stored", "9 known", "5 known", "4 stored", "3 stored", "3 known"}, got, nil)
	wantGot(t, []string{"9 known", "8 known"}, accept(delivery("1", "h", "z"), delivery("0", "h", "a")), nil)
	for id, key := range map[string]string{"9": "z", "8": "a", "4": "z", "3": "{NULL,\ufffd}"} {
		d, err := git.Delivery(ctx, db.Query(), id)
		wantCode(t, err, "")
		if d.Event.Key != key || d.Event.Refs[0].Name != "refs/heads/{a,\"b\"}" || d.Repository != "r" || d.Received.IsZero() {
			t.Errorf("delivery %s: %+v", id, d)
		}
	}
	if accepted := accept(); len(accepted) != 0 {
		t.Errorf("nothing was accepted as %v", accepted)
	}
}

// enqueueingAll: to want many is to want one after the other, whatever the state of the work.
func enqueueingAll(t *testing.T, db *store.DB) {
	ctx := t.Context()
	hour := now().Add(time.Hour)
	for state, set := range map[string]string{
		"new": "", "waiting": "wanted = 1", "done": "wanted = 4, done = 4, claimed = 4", "failed": "wanted = 2, attempt = 3, error = 'oh'",
		"running":       "wanted = 2, claimed = 2, attempt = 1, lease_owner = 'o', lease_end = 1",
		"running again": "wanted = 3, claimed = 2, attempt = 1, lease_owner = 'o', lease_end = 1", "discarded": "wanted = 2, done = 2, discarded = 5, attempt = 9",
	} {
		list := func(prefix string) []queue.Entry {
			key := prefix + " " + state
			return []queue.Entry{
				{Kind: "x", Key: key, Tenant: "a", Due: hour.Add(time.Minute), Payload: "1"},
				{Kind: "y", Key: key, Tenant: "a", Due: hour},
				{Kind: "x", Key: key, Tenant: "b", Due: hour, Priority: 3, Payload: "2"},
				{Kind: "x", Key: key + " more", Due: hour},
				{Kind: "x", Key: key, Tenant: "c", Due: hour.Add(2 * time.Minute), Priority: 2, Payload: "{3}"},
			}
		}
		write(t, db, func(tx *store.Tx) error {
			if set != "" {
				for _, prefix := range []string{"one", "all"} {
					if _, err := queue.Enqueue(ctx, tx, queue.Entry{Kind: "x", Key: prefix + " " + state, Due: hour.Add(time.Second)}); err != nil {
						return err
					}
					if _, err := tx.ExecContext(ctx, `UPDATE work SET `+set+` WHERE key = $1`, prefix+" "+state); err != nil {
						return err
					}
				}
			}
			for _, e := range list("one") {
				if _, err := queue.Enqueue(ctx, tx, e); err != nil {
					return err
				}
			}
			return queue.EnqueueAll(ctx, tx, list("all"))
		})
		one, all := workBelow(ctx, t, db, "one "+state), workBelow(ctx, t, db, "all "+state)
		if len(one) != 3 {
			t.Errorf("%s: %v, want three", state, one)
		}
		wantGot(t, one, all, nil)
	}
	write(t, db, func(tx *store.Tx) error { return queue.EnqueueAll(ctx, tx, nil) })
}

// workBelow returns what the database holds of the work whose keys begin with prefix, in the order of its kinds and keys.
func workBelow(ctx context.Context, t *testing.T, db *store.DB, prefix string) []string {
	t.Helper()
	type row struct {
		kind, key, owner, tenant, payload, failed                        string
		wanted, claimed, done, due, attempt, end, priority, lost, update int64
	}
	dest := func(r *row) []any {
		return []any{
			&r.kind, &r.key, &r.owner, &r.tenant, &r.payload, &r.failed,
			&r.wanted, &r.claimed, &r.done, &r.due, &r.attempt, &r.end, &r.priority, &r.lost, &r.update,
		}
	}
	rows, err := store.List(ctx, db.Query(), dest, `SELECT kind, substr(key, length($1) + 1), lease_owner, tenant, payload, error,
			wanted, claimed, done, due, attempt, lease_end, priority, discarded, updated
		FROM work WHERE key IN ($1, $2) ORDER BY kind, key`, prefix, prefix+" more")
	wantCode(t, err, "")
	list := make([]string, len(rows))
	for i, r := range rows {
		list[i] = fmt.Sprint(r)
	}
	return list
}
