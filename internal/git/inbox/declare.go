package inbox

import (
	"context"

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

// declared returns the repository that a declaration means: the one that is watched already, or a new one.
func (w *Watcher) declared(ctx context.Context, q store.Querier, name string, spec waybill.RepositorySpec) (r waybill.Repository, known bool, err error) {
	r = w.fresh(Request{URL: spec.URL, Name: name, Owner: spec.Owner})
	if err := normalise(&r); err != nil {
		return r, false, err
	}
	have, err := gitstore.RepositoryByName(ctx, q, r.FullName())
	switch {
	case waybill.IsCode(err, waybill.NotFound):
		return r, false, nil
	case err != nil:
		return r, false, err
	case have.URL != r.URL:
		return r, false, waybill.Errorf(waybill.Conflict, "repository %s is watched at %s; remove it before it is declared at %s",
			r.FullName(), have.URL, r.URL)
	}
	return have, true, nil
}

// Withdraw stops watching a repository that is no longer declared. Its hook stays and is told that nobody listens.
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

// WatchKind is the kind of work that begins to watch a repository.
const WatchKind = "watch"

// Handle installs the hook of a repository and looks at its refs; it is the queue's handler for WatchKind.
func (w *Watcher) Handle(ctx context.Context, item queue.Item) queue.Result {
	r, err := gitstore.Repository(ctx, w.Inbox.DB.Query(), item.Key)
	if waybill.IsCode(err, waybill.NotFound) {
		return queue.Done()
	}
	if err != nil {
		return queue.Retry(err)
	}
	w.install(ctx, r)
	return queue.Of(w.Poller.poll(ctx, r))
}

// install makes a local repository tell of its pushes, and reports whether it does.
func (w *Watcher) install(ctx context.Context, r waybill.Repository) bool {
	if !r.Local() {
		return false
	}
	if err := w.Hooks.Install(ctx, r); err != nil {
		w.Inbox.Log.WarnContext(ctx, "hook cannot be installed; polling finds pushes", "repository", r.FullName(), "error", err)
		return false
	}
	return true
}

// Renew installs the hooks of all local repositories again: the server's address or its program may have changed since
// it ran last.
func (w *Watcher) Renew(ctx context.Context) error {
	repositories, err := gitstore.Repositories(ctx, w.Inbox.DB.Query())
	if err != nil {
		return err
	}
	for _, r := range repositories {
		w.install(ctx, r)
	}
	return nil
}
