package inbox

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// hooks installs and removes what makes a repository tell of its pushes.
type hooks interface {
	Install(ctx context.Context, r waybill.Repository) error
	Remove(ctx context.Context, r waybill.Repository) error
}

// mirrors forgets what was fetched of a repository.
type mirrors interface {
	Remove(ctx context.Context, r waybill.Repository) error
}

// Watcher adds and removes repositories.
type Watcher struct {
	Inbox   *Inbox
	Poller  *Poller
	Hooks   hooks
	Mirrors mirrors
	Forges  map[string]Forge // by configured name; plain Git is not among them
}

// Forge is a configured forge.
type Forge struct {
	forge.Host
	Kind string // github, gitea or gitlab
	URL  string // for people, without slash at the end
	App  bool   // whether it speaks as an App, which needs no hooks in repositories
}

// Request asks for a repository to be watched.
type Request struct {
	URL       string // absolute path of a bare repository, or https/ssh URL without credentials
	Name      string // empty: the last part of URL without .git
	Owner     string // team
	PushNotes bool
}

// AddRepository watches a repository from now on and looks at it at once. hooked says whether it tells of its pushes
// itself; otherwise polling finds them. Invalid: not a repository. Conflict: watched already.
func (w *Watcher) AddRepository(ctx context.Context, q Request, by waybill.Actor) (r waybill.Repository, hooked bool, err error) {
	r = w.fresh(q)
	if err := normalise(&r); err != nil {
		return r, false, err
	}
	_, r.DefaultBranch, err = w.Poller.Lister.Tips(ctx, r)
	if err != nil {
		return r, false, err
	}
	err = w.Inbox.DB.Write(ctx, "repository.add", func(tx *store.Tx) error { return w.insert(ctx, tx, r, by) })
	if err != nil {
		return r, false, err
	}
	return r, w.install(ctx, r), w.Poller.poll(ctx, r)
}

// fresh returns the repository that q asks for, with an id and a hook address of its own.
func (w *Watcher) fresh(q Request) waybill.Repository {
	now := w.Inbox.Now()
	return waybill.Repository{
		ID: store.NewID(now), Name: q.Name, URL: q.URL, Forge: "plain", Owner: q.Owner,
		Hook: strings.ToLower(rand.Text()), HookSecret: rand.Text() + rand.Text(), PushNotes: q.PushNotes, Added: now,
	}
}

func (w *Watcher) insert(ctx context.Context, tx *store.Tx, r waybill.Repository, by waybill.Actor) error {
	if err := gitstore.AddRepository(ctx, tx, r); err != nil {
		return err
	}
	return store.Record(ctx, tx, waybill.Entry{
		At: r.Added, Actor: by.Name, Channel: by.Channel, Repository: r.ID, Subject: "repository:" + r.FullName(),
		Action: "repository.add", After: r.URL,
	})
}

// RemoveRepository stops watching. What was deployed from it stays.
func (w *Watcher) RemoveRepository(ctx context.Context, id string, by waybill.Actor) error {
	r, err := gitstore.Repository(ctx, w.Inbox.DB.Query(), id)
	if err != nil {
		return err
	}
	if r.Local() {
		if err := w.Hooks.Remove(ctx, r); err != nil {
			w.Inbox.Log.WarnContext(ctx, "hook cannot be removed", "repository", r.FullName(), "error", err)
		}
	}
	err = w.Inbox.DB.Write(ctx, "repository.remove", func(tx *store.Tx) error { return w.forget(ctx, tx, r, by) })
	if err != nil {
		return err
	}
	return w.Mirrors.Remove(ctx, r)
}

func (w *Watcher) forget(ctx context.Context, tx *store.Tx, r waybill.Repository, by waybill.Actor) error {
	if err := gitstore.RemoveRepository(ctx, tx, r.ID); err != nil {
		return err
	}
	return store.Record(ctx, tx, waybill.Entry{
		At: w.Inbox.Now(), Actor: by.Name, Channel: by.Channel, Repository: r.ID, Subject: "repository:" + r.FullName(),
		Action: "repository.remove", Before: r.URL,
	})
}
