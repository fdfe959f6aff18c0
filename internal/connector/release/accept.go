package release

import (
	"context"
	"slices"

	"github.com/waybill-dev/waybill/internal/connector/build"
	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Observe returns what is stored of the named connectors, for the plan, and of what else dev serves from the repository.
// Unknown ones are left out.
func (e *Engine) Observe(ctx context.Context, q store.Querier, repository string, ids []waybill.Identity) ([]waybill.Observed, error) {
	lives, err := connectorstore.LivesOf(ctx, q, repository, waybill.Dev)
	if err != nil {
		return nil, err
	}
	ids = slices.Clone(ids)
	for _, l := range lives {
		if id := (waybill.Identity{Kind: waybill.KindConnector, Name: l.Connector, Major: l.Major}); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	var observed []waybill.Observed
	for _, id := range ids {
		if id.Kind != "Connector" {
			continue
		}
		c, err := connectorstore.GetConnector(ctx, q, id.Name)
		if waybill.IsCode(err, waybill.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		o := waybill.Observed{Identity: id, Owner: c.Owner, Repository: c.Repository}
		_, err = gitstore.Repository(ctx, q, c.Repository)
		if waybill.IsCode(err, waybill.NotFound) {
			o.Repository, err = "", nil // its team may go on elsewhere
		}
		if err != nil {
			return nil, err
		}
		newest, err := connectorstore.Releases(ctx, q, connectorstore.ReleaseFilter{
			Connector: id.Name, Major: id.Major, Environment: waybill.Dev, Limit: 1,
		})
		if err != nil {
			return nil, err
		}
		if len(newest) > 0 {
			o.Newest = &newest[0]
		}
		if o.Live, err = e.live(ctx, q, id, waybill.Dev); err != nil {
			return nil, err
		}
		o.Withdrawn = o.Live == nil && o.Newest != nil && o.Newest.Outcome == waybill.OK
		observed = append(observed, o)
	}
	return observed, nil
}

// live returns the release that env serves, or nil.
func (e *Engine) live(ctx context.Context, q store.Querier, id waybill.Identity, env waybill.Environment) (*waybill.Release, error) {
	l, ok, err := connectorstore.FindLive(ctx, q, id.Name, id.Major, env)
	if err != nil || !ok {
		return nil, err
	}
	r, err := connectorstore.Release(ctx, q, l.Release)
	return &r, err
}

// Content identifies what would go into the image of d, without asking an engine: base images count by their names.
func (e *Engine) Content(ctx context.Context, t waybill.Tree, d waybill.Declaration) (string, error) {
	content, err := build.StaticDigest(ctx, build.Request{Tree: t, Folder: d.Folder, Spec: d.Connector.Build})
	return content.Key(), err
}

// Accept turns the changes of a check into releases and their work, in the transaction that closes the check.
// Names are claimed here: the plan has refused those of other repositories, and a race ends in Conflict.
func (e *Engine) Accept(ctx context.Context, tx *store.Tx, c waybill.Check, changes []waybill.Change) error {
	for _, change := range changes {
		if change.Class == waybill.Remove && change.Identity.Kind == waybill.KindConnector {
			if err := e.miss(ctx, tx, c, change.Identity); err != nil {
				return err
			}
		}
		if change.Wanted == nil || change.Wanted.Connector == nil || change.Environment == "" {
			continue
		}
		if err := e.claim(ctx, tx, c, change); err != nil {
			return err
		}
		if err := e.open(ctx, tx, c, change); err != nil {
			return err
		}
	}
	return nil
}

// claim makes the name of a connector that of the repository of a check: a name that is new, or that its team had in a
// repository which is not watched any more.
func (e *Engine) claim(ctx context.Context, tx *store.Tx, c waybill.Check, change waybill.Change) error {
	name, owner := change.Identity.Name, change.Wanted.Connector.Owner
	holder, err := connectorstore.ClaimName(ctx, tx, connectorstore.Connector{
		Name: name, Owner: owner, Repository: c.Repository, Created: e.Now(),
	})
	if err != nil || holder.Repository == c.Repository {
		return err
	}
	inherited, err := connectorstore.InheritName(ctx, tx, name, owner, c.Repository)
	if err == nil && !inherited {
		err = waybill.Errorf(waybill.Conflict, "connector %s belongs to another repository", name)
	}
	if err != nil {
		return err
	}
	return store.Record(ctx, tx, waybill.Entry{
		At: e.Now(), Actor: c.Actor, Channel: waybill.ChannelGit, Repository: c.Repository, Commit: c.Commit,
		Subject: "connector:" + name, Action: "connector.move", Before: holder.Repository, After: c.Repository,
	})
}

// open inserts the release of one change and wakes its lane. A version that this commit has released already is not
// released again, whoever asks.
func (e *Engine) open(ctx context.Context, tx *store.Tx, c waybill.Check, change waybill.Change) error {
	if change.Environment == waybill.Prod {
		done, err := released(ctx, tx, c, change)
		if err != nil || done {
			return err
		}
	}
	now := e.Now()
	r := waybill.Release{
		ID: store.NewID(now), Declaration: *change.Wanted, Environment: change.Environment,
		Repository: c.Repository, Ref: c.Ref, Commit: c.Commit, Check: c.ID, Semver: change.Semver, Actor: c.Actor,
		Context: change.Content, Steps: waybill.NewSteps(change.Environment), Outcome: waybill.Waiting, Created: now,
	}
	if err := connectorstore.InsertRelease(ctx, tx, r); err != nil {
		return err
	}
	entry := waybill.Entry{
		At: now, Actor: c.Actor, Channel: waybill.ChannelGit, Repository: c.Repository, Commit: c.Commit,
		Subject: subject(r), Action: "release.open", After: r.ID,
		Message: string(change.Class) + " to " + string(change.Environment) + " from " + waybill.ShortRef(c.Ref),
	}
	if err := store.Record(ctx, tx, entry); err != nil {
		return err
	}
	if err := e.report(ctx, tx, r); err != nil {
		return err
	}
	return wake(ctx, tx, r)
}

// released reports whether the commit of c went to prod under the version of change.
func released(ctx context.Context, q store.Querier, c waybill.Check, change waybill.Change) (bool, error) {
	earlier, err := connectorstore.Releases(ctx, q, connectorstore.ReleaseFilter{
		Connector: change.Identity.Name, Major: change.Identity.Major, Environment: waybill.Prod,
		Repository: c.Repository, Commit: c.Commit,
	})
	return slices.ContainsFunc(earlier, func(r waybill.Release) bool {
		return r.Semver == change.Semver && r.Outcome == waybill.OK
	}), err
}

// wake makes a worker look at the lane of r. A worker that is busy there hears of it too.
func wake(ctx context.Context, tx *store.Tx, r waybill.Release) error {
	key := laneOf(r)
	tx.Notify(laneTopic(key))
	_, err := queue.Enqueue(ctx, tx, queue.Entry{Kind: Kind, Key: key, Tenant: r.Declaration.Connector.Owner})
	return err
}

// laneOf names the work that r is part of.
func laneOf(r waybill.Release) string {
	if r.Environment == waybill.Try {
		return tryKey(r)
	}
	return LaneKey(r.Declaration.Identity, r.Environment)
}

func laneTopic(key string) string { return "lane:" + key }

func subject(r waybill.Release) string { return "connector:" + r.Declaration.Identity.String() }
