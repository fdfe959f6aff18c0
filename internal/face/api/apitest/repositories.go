package apitest

import (
	"context"
	"path"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/inbox"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// forgeURL is where the only forge lives, called gitea. Its token may install no hooks.
const forgeURL = "https://git.example.test"

// AddRepository stores a repository. One that is neither an absolute path nor at the forge is refused.
func (e *engines) AddRepository(ctx context.Context, q inbox.Request, _ waybill.Actor) (inbox.Added, error) {
	atForge := strings.HasPrefix(q.URL, forgeURL+"/")
	if !path.IsAbs(q.URL) && !atForge {
		return inbox.Added{}, waybill.Errorf(waybill.Invalid, "%s is not a bare repository", q.URL)
	}
	if q.Name == "" {
		q.Name = strings.TrimSuffix(path.Base(q.URL), ".git")
	}
	r := waybill.Repository{
		ID: store.NewID(Now()), Name: q.Name, URL: q.URL, Forge: "plain", Owner: q.Owner, Hook: q.Name, HookSecret: "s", Added: Now(),
	}
	if atForge {
		r.Forge, r.ForgeID, r.Path = "gitea", "7", strings.TrimPrefix(q.URL, forgeURL+"/")
	}
	err := e.s.DB.Write(ctx, "repository.add", func(tx *store.Tx) error { return gitstore.AddRepository(ctx, tx, r) })
	return e.hooked(r), err
}

// hooked says what comes of installing a hook.
func (e *engines) hooked(r waybill.Repository) inbox.Added {
	if r.Forge == "plain" {
		return inbox.Added{Repository: r, Hooked: true}
	}
	return inbox.Added{
		Repository: r, Hint: "the hook cannot be installed: the token may not",
		Form: &inbox.HookForm{
			Page: r.URL + "/settings/hooks/gitea/new", Address: "https://waybill.example.test/hooks/gitea/" + r.Hook, Secret: r.HookSecret,
			ContentType: "application/json", Events: []string{"Push", "Create"},
		},
	}
}

// RemoveRepository removes a repository.
func (e *engines) RemoveRepository(ctx context.Context, id string, _ waybill.Actor) error {
	return e.s.DB.Write(ctx, "repository.remove", func(tx *store.Tx) error { return gitstore.RemoveRepository(ctx, tx, id) })
}

// InstallHook does as AddRepository did.
func (e *engines) InstallHook(ctx context.Context, id string) (inbox.Added, error) {
	r, err := gitstore.Repository(ctx, e.s.DB.Query(), id)
	return e.hooked(r), err
}

// RotateSecret makes the secret "new".
func (e *engines) RotateSecret(ctx context.Context, id string, _ waybill.Actor) (inbox.Rotated, error) {
	r, err := gitstore.Repository(ctx, e.s.DB.Query(), id)
	r.HookSecret = "new"
	return inbox.Rotated{Added: e.hooked(r), OldEnds: Now().Add(time.Hour)}, err
}

// Configured lists the only forge, and plain Git.
func (e *engines) Configured(context.Context) ([]inbox.Configured, error) {
	return []inbox.Configured{{Name: "gitea", Kind: "gitea", URL: forgeURL}, {Name: "plain", Kind: "plain", Repositories: 1}}, nil
}

// CheckForge finds that the token is good, and that a repository has no hook.
func (e *engines) CheckForge(_ context.Context, name, repository string) ([]inbox.Finding, error) {
	if name != "gitea" {
		return nil, waybill.Errorf(waybill.NotFound, "no forge is configured as %q (there is: gitea)", name)
	}
	found := []inbox.Finding{{OK: true, What: "token", Says: "it is that of waybill-bot"}}
	if repository != "" {
		found = append(found, inbox.Finding{What: "hook of " + repository, Says: "there is none"})
	}
	return found, nil
}
