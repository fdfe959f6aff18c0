package github

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/waybill-dev/waybill/internal/git/forge"
)

// Redelivery, per delivery.
const (
	maxAttempts     = 5
	maxDeliveries   = 50 // pages
	redeliverySlack = time.Minute
)

// Redeliver asks GitHub to repeat the deliveries of the App's hook since a time that never arrived, and returns how
// many. One that was repeated a minute ago, or often, is left. Without an App there is no log and nothing to do.
func (f *Forge) Redeliver(ctx context.Context, since time.Time) (n int, err error) {
	if f.o.App == nil {
		return 0, nil
	}
	c, err := f.asApp("redeliver")
	if err != nil {
		return 0, err
	}
	lost, err := f.lost(ctx, c, since)
	if err != nil {
		return 0, err
	}
	for _, id := range lost {
		_, _, err := c.Apps.RedeliverHookDelivery(ctx, id)
		var accepted *github.AcceptedError
		if err != nil && !errors.As(err, &accepted) {
			return n, f.fault(ctx, err)
		}
		n++
	}
	return n, nil
}

// lost lists the newest attempts of deliveries that never arrived, oldest first.
func (f *Forge) lost(ctx context.Context, c *github.Client, since time.Time) ([]int64, error) {
	type delivery struct {
		newest   int64
		attempts int
		settled  bool
	}
	seen, order := map[string]*delivery{}, []*delivery{}
	o := &github.ListCursorOptions{PerPage: forge.PerPage}
	for range maxDeliveries {
		list, resp, err := c.Apps.ListHookDeliveries(ctx, o) // newest first
		if err != nil {
			return nil, f.fault(ctx, err)
		}
		for _, d := range list {
			if d.GetDeliveredAt().Before(since) {
				resp.Cursor = ""
				continue
			}
			one := seen[d.GetGUID()]
			if one == nil {
				one = &delivery{newest: d.GetID()}
				seen[d.GetGUID()] = one
				order = append(order, one)
			}
			one.attempts++
			ok := d.GetStatusCode() >= 200 && d.GetStatusCode() < 300
			recent := d.GetRedelivery() && f.o.Now().Sub(d.GetDeliveredAt().Time) < redeliverySlack
			one.settled = one.settled || ok || recent
		}
		if resp.Cursor == "" {
			break
		}
		o.Cursor = resp.Cursor
	}
	var lost []int64
	for _, one := range slices.Backward(order) {
		if !one.settled && one.attempts < maxAttempts {
			lost = append(lost, one.newest)
		}
	}
	return lost, nil
}
