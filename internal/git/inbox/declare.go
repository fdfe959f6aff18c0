package inbox

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Acceptable reports why a repository that the platform repository names cannot be watched. Invalid: its address is not
// one of a repository. Conflict: it is watched at another address.
func (w *Watcher) Acceptable(ctx context.Context, q store.Querier, name string, spec waybill.RepositorySpec) error {
	_, _, err := w.declared(ctx, q, name, spec)
	return err
}

// Declare watches a repository that the platform repository names, unless it is watched already. Its hook is installed,
// and its refs are looked at, by work that the transaction wants. It reports what Acceptable reports.
func (w *Watcher) Declare(ctx context.Context, tx *store.Tx, name string, spec waybill.RepositorySpec, by waybill.Actor) error {
	r, known, err := w.declared(ctx, tx, name, spec)
	if err == nil && !known {
		err = w.insert(ctx, tx, r, by)
	}
	if err != nil {
		return err
	}
	_, err = queue.Enqueue(ctx, tx, queue.Entry{Kind: WatchKind, Key: r.ID, Tenant: r.Owner})
	return err
}

// declared returns the repository that a declaration means: the one that is watched already, or a new one. One at a forge
// may have been renamed there since it was declared; whether it has is found out when its forge is asked.
func (w *Watcher) declared(ctx context.Context, q store.Querier, name string, spec waybill.RepositorySpec) (r waybill.Repository, known bool, err error) {
	r, err = w.fresh(Request{URL: spec.URL, Forge: cmp.Or(spec.Forge, plain), Name: name, Owner: spec.Owner})
	if err != nil {
		return r, false, err
	}
	if err := normalise(&r); err != nil {
		return r, false, err
	}
	have, err := gitstore.RepositoryByName(ctx, q, r.FullName())
	switch {
	case waybill.IsCode(err, waybill.NotFound):
		return r, false, nil
	case err != nil:
		return r, false, err
	case have.Forge != r.Forge, have.URL != r.URL && have.Forge == plain:
		return r, false, waybill.Errorf(waybill.Conflict, "repository %s is watched at %s; remove it before it is declared at %s",
			r.FullName(), have.URL, r.URL)
	}
	return have, true, nil
}

// Withdraw stops watching a repository that is no longer declared. Its hook and its mirror are cleared away by work that
// the transaction wants.
func (w *Watcher) Withdraw(ctx context.Context, tx *store.Tx, name string, spec waybill.RepositorySpec, by waybill.Actor) error {
	r, err := gitstore.RepositoryByName(ctx, tx, spec.Owner+"/"+name)
	if waybill.IsCode(err, waybill.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return w.forget(ctx, tx, r, by)
}

// WatchKind is the kind of work that begins to watch a repository, looks at its place again, or clears it away.
const WatchKind = "watch"

// Handle asks where a repository is today, installs its hook and looks at its refs; it is the queue's handler for
// WatchKind. Of one that is no longer watched, which the payload then describes, it clears away what is left.
func (w *Watcher) Handle(ctx context.Context, item queue.Item) queue.Result {
	r, err := gitstore.Repository(ctx, w.Inbox.DB.Query(), item.Key)
	if waybill.IsCode(err, waybill.NotFound) {
		if json.Unmarshal([]byte(item.Payload), &r) != nil || r.ID != item.Key {
			return queue.Done()
		}
		return queue.Of(w.clear(ctx, r))
	}
	if err != nil {
		return queue.Retry(err)
	}
	if r, err = w.refresh(ctx, r); err != nil {
		return queue.Of(err)
	}
	w.tryInstall(ctx, r)
	return queue.Of(w.Poller.poll(ctx, r))
}

// refresh stores what the forge of r calls it today, and returns it.
func (w *Watcher) refresh(ctx context.Context, r waybill.Repository) (waybill.Repository, error) {
	now, err := w.identify(ctx, r)
	if err != nil || now == r {
		return now, err
	}
	err = w.Inbox.DB.Write(ctx, "repository.moved", func(tx *store.Tx) error {
		if err := gitstore.SetIdentity(ctx, tx, now); err != nil || now.URL == r.URL {
			return err
		}
		return store.Record(ctx, tx, waybill.Entry{
			At: w.Inbox.Now(), Actor: r.Forge, Channel: waybill.ChannelSystem, Repository: r.ID, Subject: "repository:" + r.FullName(),
			Action: "repository.moved", Before: r.URL, After: now.URL,
		})
	})
	if err == nil && now.URL != r.URL && r.ForgeID != "" {
		w.Inbox.Log.InfoContext(ctx, "repository was renamed at its forge", "component", "inbox", "repository", r.FullName(), "path", now.Path)
	}
	return now, err
}

// tells reports whether there is a way to make r tell of its pushes.
func (w *Watcher) tells(r waybill.Repository) bool {
	_, ok := w.Forges[r.Forge]
	return ok || r.Local()
}

// tryInstall installs the hook of r, without which polling finds pushes.
func (w *Watcher) tryInstall(ctx context.Context, r waybill.Repository) {
	if err := w.install(ctx, r); err != nil && ctx.Err() == nil {
		w.Inbox.Log.WarnContext(ctx, "hook cannot be installed; polling finds pushes", "component", "inbox", "repository", r.FullName(), "error", err)
	}
}

// install makes a repository that tells of its pushes do so; any other stays as it is.
func (w *Watcher) install(ctx context.Context, r waybill.Repository) error {
	f, ok := w.Forges[r.Forge]
	switch {
	case ok && f.App:
		return nil
	case ok:
		ctx, cancel := context.WithTimeout(ctx, forgeTimeout)
		defer cancel()
		return f.InstallHook(ctx, r, w.Inbox.hookAddress(r))
	case r.Local():
		return w.Hooks.Install(ctx, r)
	default:
		return nil
	}
}

// Renew installs the hooks of all local repositories again: the server's address or its program may have changed since
// it ran last.
func (w *Watcher) Renew(ctx context.Context) error {
	repositories, err := gitstore.Repositories(ctx, w.Inbox.DB.Query())
	if err != nil {
		return err
	}
	for _, r := range repositories {
		if r.Local() {
			w.tryInstall(ctx, r)
		}
	}
	return nil
}
