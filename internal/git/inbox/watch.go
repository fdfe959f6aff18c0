package inbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
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
	Intervals
}

// Request asks for a repository to be watched.
type Request struct {
	URL       string // absolute path of a bare repository, or https/ssh URL without credentials
	Forge     string // configured name; empty: the one whose address URL begins with, plain Git when there is none
	Name      string // empty: what its forge calls it, or the last part of URL without .git
	Owner     string // team
	PushNotes bool
}

// Added is what came of a request.
type Added struct {
	Repository waybill.Repository
	Hooked     bool      // whether it tells of its pushes itself; otherwise polling finds them
	Hint       string    // a sentence about what a person can do better; may be empty
	Form       *HookForm // what to fill in at the forge, when Waybill may not do it; nil otherwise
}

// AddRepository watches a repository from now on and looks at it at once. Invalid: not a repository. Conflict: watched
// already. NotFound, Denied: its forge does not show it.
func (w *Watcher) AddRepository(ctx context.Context, q Request, by waybill.Actor) (Added, error) {
	r, err := w.fresh(q)
	if err != nil {
		return Added{}, err
	}
	if err := wellFormed(r); err != nil { // before anybody is asked
		return Added{}, err
	}
	if r, err = w.identify(ctx, r); err != nil {
		return Added{}, err
	}
	if err := normalise(&r); err != nil {
		return Added{}, err
	}
	_, head, err := w.Poller.Lister.Tips(ctx, r)
	if err != nil {
		return Added{}, err
	}
	if r.Forge == plain || r.DefaultBranch == "" {
		r.DefaultBranch = head
	}
	err = w.Inbox.DB.Write(ctx, "repository.add", func(tx *store.Tx) error { return w.insert(ctx, tx, r, by) })
	if err != nil {
		return Added{}, err
	}
	added := w.hookUp(ctx, r)
	return added, w.Poller.poll(ctx, r)
}

// hookUp installs the hook of r, or says what a person has to do.
func (w *Watcher) hookUp(ctx context.Context, r waybill.Repository) Added {
	added := Added{Repository: r}
	if !w.tells(r) {
		added.Hint = "its address is that of no configured forge; list the forge in the server's configuration to get hooks and statuses"
		return added
	}
	err := w.install(ctx, r)
	if added.Hooked = err == nil; err != nil {
		added.Form, added.Hint = w.form(r), "the hook cannot be installed: "+err.Error()
	}
	return added
}

// fresh returns the repository that q asks for, with an id and a hook address of its own.
func (w *Watcher) fresh(q Request) (waybill.Repository, error) {
	now := w.Inbox.Now()
	name, err := w.forgeOf(q.Forge, q.URL)
	return waybill.Repository{
		ID: store.NewID(now), Name: q.Name, URL: q.URL, Forge: name, Owner: q.Owner,
		Hook: strings.ToLower(rand.Text()), HookSecret: newSecret(), PushNotes: q.PushNotes, Added: now,
	}, err
}

// newSecret returns a secret for a hook: letters and digits, so that it survives every form it is pasted into.
func newSecret() string { return rand.Text() + rand.Text() }

func (w *Watcher) insert(ctx context.Context, tx *store.Tx, r waybill.Repository, by waybill.Actor) error {
	if err := gitstore.AddRepository(ctx, tx, r); err != nil {
		return err
	}
	return store.Record(ctx, tx, waybill.Entry{
		At: r.Added, Actor: by.Name, Channel: by.Channel, Repository: r.ID, Subject: "repository:" + r.FullName(),
		Action: "repository.add", After: r.URL,
	})
}

// RemoveRepository stops watching, and takes its hook and its mirror away. What was deployed from it stays.
func (w *Watcher) RemoveRepository(ctx context.Context, id string, by waybill.Actor) error {
	r, err := gitstore.Repository(ctx, w.Inbox.DB.Query(), id)
	if err != nil {
		return err
	}
	err = w.Inbox.DB.Write(ctx, "repository.remove", func(tx *store.Tx) error { return w.forget(ctx, tx, r, by) })
	if err != nil {
		return err
	}
	if err := w.clear(ctx, r); err != nil { // the work that forget wants tries again
		w.Inbox.Log.WarnContext(ctx, "hook cannot be removed", "repository", r.FullName(), "error", err)
	}
	return nil
}

// forget removes r from the store and wants the rest of it cleared away.
func (w *Watcher) forget(ctx context.Context, tx *store.Tx, r waybill.Repository, by waybill.Actor) error {
	if err := gitstore.RemoveRepository(ctx, tx, r.ID); err != nil {
		return err
	}
	left := r
	left.HookSecret, left.OldHookSecret = "", ""
	payload, err := json.Marshal(left)
	if err != nil {
		return waybill.Wrap(waybill.Internal, err, "a repository cannot be written down")
	}
	entry := queue.Entry{Kind: WatchKind, Key: r.ID, Tenant: r.Owner, Payload: string(payload), Due: w.Inbox.Now().Add(clearLater)}
	if _, err := queue.Enqueue(ctx, tx, entry); err != nil {
		return err
	}
	return store.Record(ctx, tx, waybill.Entry{
		At: w.Inbox.Now(), Actor: by.Name, Channel: by.Channel, Repository: r.ID, Subject: "repository:" + r.FullName(),
		Action: "repository.remove", Before: r.URL,
	})
}

// clearLater leaves time to whoever removes a repository to clear it away at once.
const clearLater = 10 * time.Second

// clear takes away what is left outside the store of a repository that is no longer watched. Doing it again changes
// nothing, also when the same place is watched again meanwhile.
func (w *Watcher) clear(ctx context.Context, r waybill.Repository) error {
	if err := w.Mirrors.Remove(ctx, r); err != nil {
		return err
	}
	if f, ok := w.Forges[r.Forge]; ok && !f.App {
		ctx, cancel := context.WithTimeout(ctx, forgeTimeout)
		defer cancel()
		err := f.RemoveHook(ctx, r, w.Inbox.hookAddress(r))
		if waybill.IsCode(err, waybill.NotFound) || waybill.IsCode(err, waybill.Denied) {
			return nil // it is gone, or a person put it there
		}
		return err
	}
	if !r.Local() {
		return nil
	}
	again, err := gitstore.RepositoryByName(ctx, w.Inbox.DB.Query(), r.URL)
	if err == nil && again.URL == r.URL {
		return nil
	}
	return w.Hooks.Remove(ctx, r)
}
