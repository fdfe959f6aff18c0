package inbox

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

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
}

// Request asks for a repository to be watched.
type Request struct {
	URL       string // absolute path of a bare repository, or https/ssh URL without credentials
	Name      string // empty: the last part of URL without .git
	Owner     string // team
	PushNotes bool
}

var nameRule = regexp.MustCompile(`^[a-z][a-z0-9]*([-._][a-z0-9]+)*$`)

// AddRepository watches a repository from now on and looks at it at once. hooked says whether it tells of its pushes
// itself; otherwise polling finds them. Invalid: not a repository. Conflict: watched already.
func (w *Watcher) AddRepository(ctx context.Context, q Request, by waybill.Actor) (r waybill.Repository, hooked bool, err error) {
	now := w.Inbox.Now()
	r = waybill.Repository{
		ID: store.NewID(now), Name: q.Name, URL: q.URL, Forge: "plain", Owner: q.Owner,
		Hook: strings.ToLower(rand.Text()), HookSecret: rand.Text() + rand.Text(), PushNotes: q.PushNotes, Added: now,
	}
	if err := normalise(&r); err != nil {
		return r, false, err
	}
	_, r.DefaultBranch, err = w.Poller.Lister.Tips(ctx, r)
	if err != nil {
		return r, false, err
	}
	err = w.Inbox.DB.Write(ctx, "repository.add", func(tx *store.Tx) error {
		if err := gitstore.AddRepository(ctx, tx, r); err != nil {
			return err
		}
		return store.Record(ctx, tx, waybill.Entry{
			At: now, Actor: by.Name, Channel: by.Channel, Repository: r.ID, Subject: "repository:" + r.FullName(),
			Action: "repository.add", After: r.URL,
		})
	})
	if err != nil {
		return r, false, err
	}
	if r.Local() {
		if err := w.Hooks.Install(ctx, r); err != nil {
			w.Inbox.Log.WarnContext(ctx, "hook cannot be installed; polling finds pushes", "repository", r.FullName(), "error", err)
		} else {
			hooked = true
		}
	}
	return r, hooked, w.Poller.poll(ctx, r)
}

// Renew installs the hooks of all local repositories again: the server's address or its program may have changed since
// it ran last. One that cannot be installed leaves its repository to the poller.
func (w *Watcher) Renew(ctx context.Context) error {
	repositories, err := gitstore.Repositories(ctx, w.Inbox.DB.Query())
	if err != nil {
		return err
	}
	for _, r := range repositories {
		if !r.Local() {
			continue
		}
		if err := w.Hooks.Install(ctx, r); err != nil && ctx.Err() == nil {
			w.Inbox.Log.WarnContext(ctx, "hook cannot be renewed; polling finds pushes", "repository", r.FullName(), "error", err)
		}
	}
	return nil
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
	err = w.Inbox.DB.Write(ctx, "repository.remove", func(tx *store.Tx) error {
		if err := gitstore.RemoveRepository(ctx, tx, id); err != nil {
			return err
		}
		return store.Record(ctx, tx, waybill.Entry{
			At: w.Inbox.Now(), Actor: by.Name, Channel: by.Channel, Repository: id, Subject: "repository:" + r.FullName(),
			Action: "repository.remove", Before: r.URL,
		})
	})
	if err != nil {
		return err
	}
	return w.Mirrors.Remove(ctx, r)
}

// normalise checks what a person asked for and fills in what follows from it.
func normalise(r *waybill.Repository) error {
	if r.Owner == "" {
		return waybill.Errorf(waybill.Invalid, "a repository needs an owner: pass --owner <team>")
	}
	if !nameRule.MatchString(r.Owner) {
		return waybill.Errorf(waybill.Invalid, "owner %q is no team name: use lower-case letters, digits and single dashes", r.Owner)
	}
	if r.Local() {
		if err := normaliseLocal(r); err != nil {
			return err
		}
	} else if err := checkURL(r.URL); err != nil {
		return err
	}
	if r.Name == "" {
		r.Name = strings.ToLower(strings.TrimSuffix(path.Base(strings.TrimRight(r.URL, "/")), ".git"))
	}
	if !nameRule.MatchString(r.Name) {
		return waybill.Errorf(waybill.Invalid, "%q is no repository name: pass --name with lower-case letters, digits and single dashes", r.Name)
	}
	return nil
}

// normaliseLocal resolves links, so that one folder has one URL, and accepts the bare repository of a work tree.
func normaliseLocal(r *waybill.Repository) error {
	resolved, err := filepath.EvalSymlinks(filepath.Clean(r.URL))
	if err != nil {
		return waybill.Wrap(waybill.Invalid, err, "there is no folder "+r.URL)
	}
	r.URL = resolved
	if info, err := os.Stat(filepath.Join(resolved, "HEAD")); err != nil || info.IsDir() {
		return waybill.Errorf(waybill.Invalid, "%s is no bare Git repository: make one with `git init --bare`, or pass the URL of a server", r.URL)
	}
	return nil
}

// checkURL refuses what cannot be fetched safely: other schemes, and credentials that would end up in logs.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "ssh" {
		return waybill.Errorf(waybill.Invalid, "repository must be an absolute path of a bare repository, or an https:// or ssh:// URL")
	}
	if _, hasPassword := u.User.Password(); hasPassword || u.User != nil && u.Scheme != "ssh" { // a token may stand as the user
		return waybill.Errorf(waybill.Invalid, "repository URL must not hold a password or token: it is shown to people and programs")
	}
	return nil
}
