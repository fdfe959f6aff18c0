package inbox

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// How long the secret before stays good: what was signed with it may be on its way, or a person has to paste the new one.
const (
	overlapKnown = time.Hour
	overlapTyped = 7 * 24 * time.Hour
)

// Rotated is what came of a new secret.
type Rotated struct {
	Added

	OldEnds time.Time // until when the secret before is good too
}

// RotateSecret gives the hook of a repository a new secret. The one before stays good until the forge surely knows the
// new one. Invalid: the repository has no hook of its own.
func (w *Watcher) RotateSecret(ctx context.Context, id string, by waybill.Actor) (Rotated, error) {
	r, err := gitstore.Repository(ctx, w.Inbox.DB.Query(), id)
	if err != nil {
		return Rotated{}, err
	}
	if !w.tells(r) {
		return Rotated{}, waybill.Errorf(waybill.Invalid, "%s has no hook: it is polled", r.FullName())
	}
	if w.Forges[r.Forge].App {
		return Rotated{}, waybill.Errorf(waybill.Invalid,
			"pushes to %s come through the App's hook: put a second secret into hookSecretFile, the one before into oldHookSecretFile", r.FullName())
	}
	now := w.Inbox.Now()
	r.OldHookSecret, r.HookSecret, r.OldSecretEnds = r.HookSecret, newSecret(), now.Add(overlapTyped)
	err = w.Inbox.DB.Write(ctx, "repository.rotate", func(tx *store.Tx) error {
		if err := gitstore.SetHookSecret(ctx, tx, id, r.HookSecret, r.OldSecretEnds); err != nil {
			return err
		}
		// A server killed before the forge knows the secret goes on with it.
		entry := queue.Entry{Kind: WatchKind, Key: id, Tenant: r.Owner, Due: now.Add(clearLater)}
		if _, err := queue.Enqueue(ctx, tx, entry); err != nil {
			return err
		}
		return store.Record(ctx, tx, waybill.Entry{
			At: now, Actor: by.Name, Channel: by.Channel, Repository: id, Subject: "repository:" + r.FullName(), Action: "repository.rotate",
		})
	})
	if err != nil {
		return Rotated{}, err
	}
	done := Rotated{Added: w.hookUp(ctx, r), OldEnds: r.OldSecretEnds}
	if !done.Hooked {
		return done, nil
	}
	done.OldEnds = now.Add(overlapKnown)
	return done, w.Inbox.DB.Write(ctx, "repository.rotated", func(tx *store.Tx) error {
		return gitstore.SetOldSecretEnd(ctx, tx, id, done.OldEnds)
	})
}

// InstallHook installs the hook of a repository again, or says what a person has to do.
func (w *Watcher) InstallHook(ctx context.Context, id string) (Added, error) {
	r, err := gitstore.Repository(ctx, w.Inbox.DB.Query(), id)
	if err != nil {
		return Added{}, err
	}
	return w.hookUp(ctx, r), nil
}

// EndSecrets ends the old secrets of hooks whose time is over.
func (in *Inbox) EndSecrets(ctx context.Context) error {
	return in.DB.WriteStatements(ctx, "repository.secrets", func(tx *store.Tx) error {
		_, err := gitstore.EndOldSecrets(ctx, tx, in.Now())
		return err
	})
}
