package git

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Delivery returns a delivery by id, or NotFound.
func Delivery(ctx context.Context, q store.Querier, id string) (waybill.Delivery, error) {
	return store.Get(ctx, q, "delivery "+id, deliveryRow,
		`SELECT `+deliveryColumns+` FROM deliveries WHERE id = $1`, id)
}

// speaking lists which of the latest deliveries of a repository, at most limit since a time, name a ref, newest first.
// The database reads over the others: most speak of other refs, and their events need no decoding. The ids of deliveries
// begin with the time they came.
func speaking(ctx context.Context, q store.Querier, repository, ref string, since time.Time, limit int) ([]waybill.Delivery, error) {
	name, err := json.Marshal(ref)
	if err != nil {
		return nil, err
	}
	return store.List(ctx, q, deliveryRow, `SELECT `+deliveryColumns+` FROM (
			SELECT `+deliveryColumns+` FROM deliveries WHERE repository = $1 AND id >= $2 AND received >= $3 ORDER BY id DESC LIMIT $4
		) AS recent WHERE replace(event, $5, '') <> event ORDER BY id DESC`,
		repository, store.FirstID(since), store.Micros(since), limit, string(name))
}

// maxPushers bounds how many deliveries are searched for who moved a ref.
const maxPushers = 20

// Pusher returns who moved a ref to a commit, as the hook named them; empty when no hook told. Of a tag, which may be an
// object of its own, it is who moved it last.
func Pusher(ctx context.Context, q store.Querier, repository, ref, commit string) (string, error) {
	_, tag := waybill.Tag(ref)
	recent, err := speaking(ctx, q, repository, ref, time.Time{}, maxPushers)
	for _, d := range recent {
		if slices.ContainsFunc(d.Event.Refs, func(u waybill.RefUpdate) bool {
			return u.Name == ref && (tag || u.New == commit)
		}) {
			return d.Event.Actor, err
		}
	}
	return "", err
}

// maxTold bounds how many deliveries are searched for one that told of a ref.
const maxTold = 1000

// Told reports whether a hook has spoken of a ref since a time.
func Told(ctx context.Context, q store.Querier, repository, ref string, since time.Time) (bool, error) {
	recent, err := speaking(ctx, q, repository, ref, since, maxTold)
	return slices.ContainsFunc(recent, func(d waybill.Delivery) bool {
		return slices.ContainsFunc(d.Event.Refs, func(u waybill.RefUpdate) bool { return u.Name == ref })
	}), err
}

// maxPassed bounds how many deliveries are searched at once for commits that a branch has passed.
const maxPassed = 200

// Passed lists the commits to which deliveries since a time say that a branch moved, and that no check of it is about,
// in the order in which they were told; tip is left out.
func Passed(ctx context.Context, q store.Querier, repository, ref, tip string, since time.Time) ([]string, error) {
	recent, err := speaking(ctx, q, repository, ref, since, maxPassed)
	if err != nil {
		return nil, err
	}
	var told []string
	for _, d := range slices.Backward(recent) {
		for _, u := range d.Event.Refs {
			if u.Name == ref && u.New != tip && strings.Trim(u.New, "0") != "" && !slices.Contains(told, u.New) {
				told = append(told, u.New)
			}
		}
	}
	var passed []string
	for _, commit := range told {
		checks, err := Checks(ctx, q, repository, commit)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(checks, func(c waybill.Check) bool { return c.Ref == ref }) {
			passed = append(passed, commit)
		}
	}
	return passed, nil
}
