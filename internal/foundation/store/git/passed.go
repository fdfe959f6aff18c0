package git

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// maxPassed bounds how many deliveries are searched at once for commits that a branch has passed.
const maxPassed = 200

// Passed lists the commits to which deliveries since a time say that a branch moved, and that no check of it is about,
// in the order in which they were told; tip is left out.
func Passed(ctx context.Context, q store.Querier, repository, ref, tip string, since time.Time) ([]string, error) {
	recent, err := store.List(ctx, q, deliveryRow, `SELECT `+deliveryColumns+` FROM deliveries
		WHERE repository = $1 AND received >= $2 ORDER BY id DESC LIMIT $3`, repository, store.Micros(since), maxPassed)
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
