package release

import (
	"context"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// register makes the version executable: it is recorded once its image is on the engine, where the tag that it was built
// under spares it from pruning. It may report ok and error.
func (e *Engine) register(ctx context.Context, j *job) error {
	present, err := e.Images.Exists(ctx, j.release.Image)
	if err != nil {
		return err
	}
	if !present {
		return waybill.Errorf(waybill.Unavailable, "image %s is not on this engine", shortDigest(j.release.Image))
	}
	return e.record(ctx, j, "release.runtime.ok", outcome{waybill.StepRuntime, waybill.OK, "registered"})
}

// dev deploys to the dev site in three recorded parts: the site exists, the live pointer has moved, the connector is
// assigned. It may report running, ok and superseded; once it runs it is finished, whatever is pushed meanwhile.
func (e *Engine) dev(ctx context.Context, j *job) error {
	d := j.release.Declaration
	if st, _ := j.release.Step(waybill.StepDev); st.Outcome == waybill.Waiting {
		if err := e.overtaken(ctx, j.release); err != nil {
			return err
		}
	}
	ctx = context.WithoutCancel(ctx)
	site := waybill.Site{Name: d.DevSite(), Owner: d.Connector.Owner, Environment: waybill.Dev}
	running := outcome{waybill.StepDev, waybill.Running, ""}
	err := e.record(ctx, j, "release.dev.site", running, func(tx *store.Tx) error { return e.ensureSite(ctx, tx, j.release, site) })
	if err != nil {
		return err
	}
	err = e.record(ctx, j, "release.dev.deploy", running, func(tx *store.Tx) error { return e.point(ctx, tx, j.release) })
	if err != nil {
		return err
	}
	done := outcome{waybill.StepDev, waybill.OK, "site " + site.Name}
	return e.record(ctx, j, "release.dev.assign", done, func(tx *store.Tx) error {
		if err := e.assign(ctx, tx, j.release, site.Name, d.Connector.Release.DevConfig); err != nil {
			return err
		}
		return e.wakeProd(ctx, tx, j.release)
	})
}

// ranOnDev says, in a release to prod, whether dev has run these bytes. It may report ok and skipped.
func (e *Engine) ranOnDev(ctx context.Context, j *job) error {
	d := j.release.Declaration
	earlier, err := connectorstore.Releases(ctx, e.DB.Query(), connectorstore.ReleaseFilter{
		Connector: d.Name, Major: d.Major, Environment: waybill.Dev, Limit: 100,
	})
	if err != nil {
		return err
	}
	o := outcome{waybill.StepDev, waybill.Skipped, "checked only"}
	for _, r := range earlier {
		st, _ := r.Step(waybill.StepDev)
		if r.Image != j.release.Image || st.Outcome != waybill.OK {
			continue
		}
		o = outcome{waybill.StepDev, waybill.OK, st.Detail}
		if r.Commit == j.release.Commit {
			break
		}
	}
	return e.record(ctx, j, "release.prod.dev", o)
}

// prod promotes the image to the prod site: the old version serves until the pointer moves. A version lower than the
// live one is recorded only. It may report ok and failed.
func (e *Engine) prod(ctx context.Context, j *job) error {
	d := j.release.Declaration
	live, err := e.live(ctx, e.DB.Query(), d.Identity, waybill.Prod)
	if err != nil {
		return err
	}
	if err := e.moved(ctx, j.release); err != nil {
		return err
	}
	if live != nil && live.ID != j.release.ID && compareSemver(j.release.Semver, live.Semver) < 0 {
		detail := "recorded; v" + live.Semver + " is newer"
		return e.record(ctx, j, "release.prod.recorded", outcome{waybill.StepProd, waybill.OK, detail})
	}
	seen := ""
	if live != nil {
		seen = live.ID
	}
	site := waybill.Site{Name: d.ProdSite(), Owner: d.Connector.Owner, Environment: waybill.Prod}
	done := outcome{waybill.StepProd, waybill.OK, "v" + j.release.Semver + " on site " + site.Name}
	return e.record(ctx, j, "release.prod.ok", done, func(tx *store.Tx) error {
		if err := unmoved(ctx, tx, j.release, seen); err != nil {
			return err
		}
		if err := e.ensureSite(ctx, tx, j.release, site); err != nil {
			return err
		}
		if err := e.point(ctx, tx, j.release); err != nil {
			return err
		}
		return e.assign(ctx, tx, j.release, site.Name, nil)
	})
}

// moved reports, as Invalid, that the version of r was released from another commit: a released tag does not move.
func (e *Engine) moved(ctx context.Context, r waybill.Release) error {
	earlier, err := connectorstore.Releases(ctx, e.DB.Query(), connectorstore.ReleaseFilter{
		Connector: r.Declaration.Name, Major: r.Declaration.Major, Environment: waybill.Prod, Semver: r.Semver, Limit: maxTagged,
	})
	for _, o := range earlier {
		if o.Outcome == waybill.OK && o.Commit != r.Commit {
			return waybill.Errorf(waybill.Invalid, "v%s was released from %s; a released tag does not move, push a new one",
				o.Semver, waybill.ShortCommit(o.Commit))
		}
	}
	return err
}

// maxTagged is how many releases of one version are looked at.
const maxTagged = 1000

// ensureSite creates team and site when they are not there.
func (e *Engine) ensureSite(ctx context.Context, tx *store.Tx, r waybill.Release, site waybill.Site) error {
	site.Created = e.Now()
	if err := connectorstore.EnsureTeam(ctx, tx, site.Owner, site.Created); err != nil {
		return err
	}
	created, err := connectorstore.EnsureSite(ctx, tx, site)
	if err != nil || !created {
		return err
	}
	return store.Record(ctx, tx, waybill.Entry{
		At: site.Created, Actor: r.Actor, Channel: waybill.ChannelGit, Repository: r.Repository, Commit: r.Commit,
		Subject: "site:" + site.Name, Action: "site.create", After: string(site.Environment),
	})
}

// point moves the live pointer of the release's lane to it. Moving it twice is moving it once.
func (e *Engine) point(ctx context.Context, tx *store.Tx, r waybill.Release) error {
	_, err := e.repoint(ctx, tx, r, waybill.Entry{Actor: r.Actor, Channel: waybill.ChannelGit, Commit: r.Commit})
	return err
}

// unmoved reports Conflict when the lane of r serves another release than the one that was seen there, empty for none:
// what was decided by it has to be decided again.
func unmoved(ctx context.Context, q store.Querier, r waybill.Release, seen string) error {
	id := r.Declaration.Identity
	live, _, err := connectorstore.FindLive(ctx, q, id.Name, id.Major, r.Environment)
	if err == nil && live.Release != seen {
		err = waybill.Errorf(waybill.Conflict, "somebody else has changed what is live of %s in %s", id, r.Environment)
	}
	return err
}

// repoint moves the live pointer and records who did it, from what to what.
func (e *Engine) repoint(ctx context.Context, tx *store.Tx, r waybill.Release, entry waybill.Entry) (waybill.Live, error) {
	id := r.Declaration.Identity
	live, found, err := connectorstore.FindLive(ctx, tx, id.Name, id.Major, r.Environment)
	if err != nil || found && live.Release == r.ID {
		return live, err
	}
	entry.At, entry.Repository, entry.Subject = e.Now(), r.Repository, subject(r)
	entry.Action, entry.Before, entry.After = "live."+string(r.Environment), live.Release, r.ID
	next := waybill.Live{
		Connector: id.Name, Major: id.Major, Environment: r.Environment, Release: r.ID, Seq: live.Seq, Since: entry.At,
	}
	if err := connectorstore.SetLive(ctx, tx, next); err != nil {
		return live, err
	}
	tx.Notify("connector:" + id.Name)
	tx.Notify("schedules")
	return next, store.Record(ctx, tx, entry)
}

// assign puts the connector on a site and tells the runs. An assignment that is there keeps its schedule, whether it is
// enabled, and its values unless the manifest gives others.
func (e *Engine) assign(ctx context.Context, tx *store.Tx, r waybill.Release, site string, config map[string]string) error {
	id := r.Declaration.Identity
	a, found, err := connectorstore.FindAssignment(ctx, tx, site, id.Name, id.Major)
	if err != nil {
		return err
	}
	if !found {
		a = waybill.Assignment{Site: site, Connector: id.Name, Major: id.Major, Enabled: true}
	}
	if config != nil {
		a.Config = config
	}
	a.Updated = e.Now()
	if err := connectorstore.PutAssignment(ctx, tx, a); err != nil {
		return err
	}
	tx.After(func() { e.Observer.Deployed(r.Environment, e.Now().Sub(r.Created)) })
	return e.Runs.Deployed(ctx, tx, r, site)
}

// repository returns the repository that r came from.
func (e *Engine) repository(ctx context.Context, r waybill.Release) (waybill.Repository, error) {
	return gitstore.Repository(ctx, e.DB.Query(), r.Repository)
}
