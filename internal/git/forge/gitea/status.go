package gitea

import (
	"context"
	"slices"
	"strings"
	"time"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Write writes one status after the other, as Gitea has no call for several. When some may have arrived before, it looks
// first: Gitea keeps every status that it is told, also an equal one.
func (g *Gitea) Write(ctx context.Context, r waybill.Repository, m forge.Message) (taken int, err error) {
	var there map[string]sdk.Status
	if m.Again {
		if there, err = g.settled(ctx, r, m); err != nil {
			return 0, err
		}
	}
	for n, s := range m.Statuses {
		if says(there[s.Context], s) {
			continue
		}
		if err := g.write(ctx, r, m.Commit, s); err != nil {
			return n, err
		}
	}
	return len(m.Statuses), nil
}

// settled returns what a commit says once nothing of what was told before can be on its way any more: Gitea finishes a
// request whose sender was killed, and may do so after the next one has looked.
func (g *Gitea) settled(ctx context.Context, r waybill.Repository, m forge.Message) (map[string]sdk.Status, error) {
	there, err := g.statuses(ctx, r, m.Commit)
	if err != nil || !slices.ContainsFunc(m.Statuses, func(s waybill.Status) bool { return !says(there[s.Context], s) }) {
		return there, err
	}
	pause := time.NewTimer(g.options.Grace)
	defer pause.Stop()
	select {
	case <-pause.C:
		return g.statuses(ctx, r, m.Commit)
	case <-ctx.Done():
		return nil, waybill.Wrap(waybill.Unavailable, ctx.Err(), "stopped while Gitea finishes")
	}
}

// write writes one status. Of a commit that it does not have Gitea says that the mistake is its own.
func (g *Gitea) write(ctx context.Context, r waybill.Repository, commit string, s waybill.Status) error {
	err := g.in(ctx, r, "status", func(c *sdk.Client, p place) error {
		_, _, err := c.CreateStatus(p.owner, p.name, commit, sdk.CreateStatusOption{
			State: sdk.StatusState(s.State), Context: s.Context, Description: s.Description, TargetURL: s.URL,
		})
		return err
	})
	return g.orGone(ctx, err, func() error {
		return g.in(ctx, r, "commit", func(c *sdk.Client, p place) error {
			_, _, err := c.GetSingleCommit(p.owner, p.name, commit)
			return err
		})
	})
}

// orGone looks, after Gitea called something its own mistake, whether it has what it was about at all.
func (g *Gitea) orGone(ctx context.Context, err error, look func() error) error {
	if !waybill.IsCode(err, waybill.Unavailable) || ctx.Err() != nil {
		return err
	}
	if gone := look(); waybill.IsCode(gone, waybill.NotFound) {
		return gone
	}
	return err
}

// says reports whether what is there says what we would.
func says(old sdk.Status, s waybill.Status) bool {
	return string(old.State) == string(s.State) && old.Description == strings.TrimSpace(s.Description) &&
		old.TargetURL == strings.TrimSpace(s.URL)
}

// statuses returns the newest status of each context of a commit.
func (g *Gitea) statuses(ctx context.Context, r waybill.Repository, commit string) (map[string]sdk.Status, error) {
	newest := map[string]sdk.Status{}
	for s, err := range listed(func(page sdk.ListOptions) (some []*sdk.Status, err error) {
		err = g.in(ctx, r, "statuses", func(c *sdk.Client, p place) error {
			some, _, err = c.ListStatuses(p.owner, p.name, commit, sdk.ListStatusesOption{ListOptions: page})
			return err
		})
		return some, err
	}) {
		if err != nil {
			return nil, err
		}
		if s.ID > newest[s.Context].ID {
			newest[s.Context] = *s
		}
	}
	return newest, nil
}
