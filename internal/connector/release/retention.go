package release

import (
	"context"
	"errors"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Sweep removes images that are neither live nor among the newest successful releases of their connector major nor of an
// open pull request, and old logs of failed builds and of pull requests. An image that cannot be removed now is tried again at the next sweep.
func (e *Engine) Sweep(ctx context.Context) error {
	images, err := connectorstore.Images(ctx, e.DB.Query()) // first: what is built meanwhile is not among them
	if err != nil {
		return err
	}
	kept, err := e.keptImages(ctx, images)
	if err != nil {
		return err
	}
	for _, image := range images {
		if kept[image.Image] {
			continue
		}
		if err := e.forget(ctx, image); err != nil {
			e.Log.WarnContext(ctx, "image cannot be removed", "component", "release", "image", image.Image, "error", err)
		}
	}
	return e.sweepLogs(ctx)
}

// keptImages lists which of the images something still needs, and maybe more.
func (e *Engine) keptImages(ctx context.Context, images []connectorstore.Image) (map[string]bool, error) {
	kept := map[string]bool{}
	lives, err := connectorstore.Lives(ctx, e.DB.Query())
	if err != nil {
		return nil, err
	}
	for _, l := range lives {
		r, err := connectorstore.Release(ctx, e.DB.Query(), l.Release)
		if err != nil {
			return nil, err
		}
		kept[r.Image] = true
	}
	recent := map[string]int{}
	err = e.eachRelease(ctx, "", func(r waybill.Release) error {
		id := r.Declaration.Identity.String()
		if !r.Outcome.Final() || recent[id] < e.KeptImages {
			kept[r.Image] = true
		}
		if r.Outcome == waybill.OK {
			recent[id]++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return kept, e.keptTries(ctx, images, kept)
}

// forget removes an image from the engine and then from the store, so that a crash between leaves a record to retry.
func (e *Engine) forget(ctx context.Context, image connectorstore.Image) error {
	if err := e.Images.Remove(ctx, image.Image); err != nil && !waybill.IsCode(err, waybill.NotFound) {
		return err
	}
	return e.DB.Write(ctx, "release.image.forget", func(tx *store.Tx) error {
		return connectorstore.RemoveImage(ctx, tx, image.Context, image.Recipe)
	})
}

// sweepLogs removes the logs of builds that failed long ago.
func (e *Engine) sweepLogs(ctx context.Context) error {
	limit := e.Now().Add(-e.FailedLogs)
	old := func(r waybill.Release) error {
		if r.Outcome == waybill.OK && r.Environment != waybill.Try || !r.Outcome.Final() || r.Created.After(limit) {
			return nil
		}
		return e.Logs.Remove(buildLog(r))
	}
	return errors.Join(e.eachRelease(ctx, "", old), e.eachRelease(ctx, waybill.Try, old))
}

// eachRelease calls fn for every release to an environment, newest first; without one, for all but those of pull requests.
func (e *Engine) eachRelease(ctx context.Context, env waybill.Environment, fn func(waybill.Release) error) error {
	before := ""
	for {
		page, err := connectorstore.Releases(ctx, e.DB.Query(), connectorstore.ReleaseFilter{Environment: env, Before: before, Limit: 200})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, r := range page {
			if err := fn(r); err != nil {
				return err
			}
		}
		before = page[len(page)-1].ID
	}
}
