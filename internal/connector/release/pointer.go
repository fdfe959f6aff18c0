package release

import (
	"context"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Promote makes a finished release the live one of its environment. Running runs finish on the old version.
// NotFound: no such release. Conflict: it did not succeed, or its image is gone.
func (e *Engine) Promote(ctx context.Context, releaseID string, by waybill.Actor) (waybill.Live, error) {
	r, err := connectorstore.Release(ctx, e.DB.Query(), releaseID)
	if err != nil {
		return waybill.Live{}, err
	}
	return e.switchTo(ctx, r, by)
}

// Rollback makes the release live that was live before the present one.
// NotFound: nothing is live. Conflict: nothing was live before, its image is gone, or the pointer has just moved.
func (e *Engine) Rollback(ctx context.Context, connector string, major int, env waybill.Environment, by waybill.Actor) (waybill.Live, error) {
	id := waybill.Identity{Kind: "Connector", Name: connector, Major: major}
	live, found, err := connectorstore.FindLive(ctx, e.DB.Query(), connector, major, env)
	if err != nil {
		return waybill.Live{}, err
	}
	if !found {
		return waybill.Live{}, waybill.Errorf(waybill.NotFound, "nothing of %s is live in %s", id, env)
	}
	previous, err := e.before(ctx, id, env, live.Release)
	if err != nil {
		return waybill.Live{}, err
	}
	return e.switchTo(ctx, previous, by, func(tx *store.Tx) error { return unmoved(ctx, tx, previous, live.Release) })
}

// before finds in the history which release the pointer left when it moved to current.
func (e *Engine) before(ctx context.Context, id waybill.Identity, env waybill.Environment, current string) (waybill.Release, error) {
	entries, err := store.History(ctx, e.DB.Query(), store.HistoryFilter{
		Subject: "connector:" + id.String(), Action: "live." + string(env), Limit: 1000,
	})
	if err != nil {
		return waybill.Release{}, err
	}
	for _, entry := range entries {
		if entry.After == current && entry.Before != "" {
			return connectorstore.Release(ctx, e.DB.Query(), entry.Before)
		}
	}
	return waybill.Release{}, waybill.Errorf(waybill.Conflict, "%s has no earlier version in %s to go back to", id, env)
}

// switchTo moves the live pointer by hand, if the checks allow it in the same transaction.
func (e *Engine) switchTo(ctx context.Context, r waybill.Release, by waybill.Actor, checks ...func(*store.Tx) error) (waybill.Live, error) {
	if r.Environment == waybill.Try {
		return waybill.Live{}, waybill.Errorf(waybill.Conflict, "release %s was built for a pull request and is never live; merge it", r.ID)
	}
	if r.Outcome != waybill.OK {
		return waybill.Live{}, waybill.Errorf(waybill.Conflict, "release %s of %s is %s; only one that succeeded can be live", r.ID, r.Declaration.Identity, r.Outcome)
	}
	present, err := e.Images.Exists(ctx, r.Image)
	if err != nil {
		return waybill.Live{}, err
	}
	if !present {
		return waybill.Live{}, waybill.Errorf(waybill.Conflict, "the image of release %s was removed; push its commit again to rebuild it", r.ID)
	}
	var live waybill.Live
	err = e.DB.Write(ctx, "release.switch", func(tx *store.Tx) (err error) {
		for _, check := range checks {
			if err := check(tx); err != nil {
				return err
			}
		}
		live, err = e.repoint(ctx, tx, r, waybill.Entry{Actor: by.Name, Channel: by.Channel, Commit: r.Commit})
		return err
	})
	return live, err
}
