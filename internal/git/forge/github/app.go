package github

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// CheckKey reports whether key is the private key of an App: RSA, in PEM.
func CheckKey(key []byte) error {
	if _, err := ghinstallation.NewAppsTransport(nil, 1, key); err != nil {
		return waybill.Wrap(waybill.Invalid, err, "the key of the GitHub App is not a private RSA key in PEM")
	}
	return nil
}

// check reports whether the App can sign.
func (a *App) check() error {
	if a.ID <= 0 {
		return waybill.Errorf(waybill.Invalid, "a GitHub App needs its id, a number")
	}
	key, err := a.Key()
	if err != nil {
		return err
	}
	return CheckKey(key)
}

// key returns the key of the moment. Unauthenticated: it cannot be read, which may pass.
func (f *Forge) key() ([]byte, error) {
	key, err := f.o.App.Key()
	if err != nil {
		return nil, waybill.Wrap(waybill.Unauthenticated, err, err.Error())
	}
	return key, nil
}

// signer returns what signs requests by w as the App itself.
func (f *Forge) signer(w *forge.Wire, key []byte) (*ghinstallation.AppsTransport, error) {
	t, err := ghinstallation.NewAppsTransport(w, f.o.App.ID, key)
	if err != nil {
		return nil, waybill.Wrap(waybill.Unauthenticated, err, "the key of the GitHub App cannot be used")
	}
	t.BaseURL = strings.TrimSuffix(f.api.String(), "/")
	return t, nil
}

// asApp returns a client that speaks as the App itself.
func (f *Forge) asApp(operation string) (*github.Client, error) {
	w := f.wire.For(operation)
	w.Cache = nil // each request is signed anew
	key, err := f.key()
	if err != nil {
		return nil, err
	}
	signer, err := f.signer(w, key)
	if err != nil {
		return nil, err
	}
	c := w.Client()
	c.Transport = signer
	return f.speak(c), nil
}

// installation is the App in the repositories of one account.
type installation struct {
	app   *Forge
	id    int64
	found time.Time

	mu     sync.Mutex
	key    []byte // that tokens are made with
	tokens *ghinstallation.Transport
}

// tokenTimeout bounds the exchange of a token.
const tokenTimeout = 30 * time.Second

// token returns the token of the installation, a new one when it is about to end or the key was changed.
func (i *installation) token(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	tokens, err := i.maker()
	if err != nil {
		return "", err
	}
	token, err := tokens.Token(ctx)
	if err == nil && token == "" {
		i.forget()
		err = waybill.Errorf(waybill.Unavailable, "GitHub answers with an empty token")
	}
	return token, err
}

// maker returns what makes and keeps tokens, by the key of the moment.
func (i *installation) maker() (*ghinstallation.Transport, error) {
	key, err := i.app.key()
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.tokens != nil && bytes.Equal(key, i.key) {
		return i.tokens, nil
	}
	signer, err := i.app.signer(i.app.wire.For("token"), key)
	if err != nil {
		return nil, err
	}
	i.key, i.tokens = key, ghinstallation.NewFromAppsTransport(signer, i.id)
	i.tokens.InstallationTokenOptions = &github.InstallationTokenOptions{} // without it the body would be null
	return i.tokens, nil
}

// forget drops the token, so that the next is a new one: GitHub takes tokens back when permissions change.
func (i *installation) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.tokens = nil
}

// installed returns a client for one operation by the installation in r. A token that is refused is exchanged once.
func (f *Forge) installed(ctx context.Context, operation string, r waybill.Repository) (*github.Client, error) {
	i, err := f.installationOf(ctx, r)
	if err != nil {
		return nil, err
	}
	return f.through(operation, i), nil
}

func (f *Forge) through(operation string, i *installation) *github.Client {
	w := f.wire.For(operation)
	w.Authorize = func(req *http.Request) error {
		token, err := i.token(req.Context())
		if err != nil {
			return f.fault(req.Context(), err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	w.Renew = func() bool { i.forget(); return true }
	return f.dial(w)
}

// installationLife is how long the installation of a repository is remembered: it may move to another account.
const installationLife = 10 * time.Minute

// installationOf returns the App in the account of r, or Denied when it is not installed there.
func (f *Forge) installationOf(ctx context.Context, r waybill.Repository) (*installation, error) {
	f.mu.Lock()
	for _, key := range []string{r.ForgeID, r.Path} {
		if i := f.installations[key]; key != "" && i != nil && f.o.Now().Sub(i.found) < installationLife {
			f.mu.Unlock()
			return i, nil
		}
	}
	f.mu.Unlock()
	found, err := f.findInstallation(ctx, r)
	if err = f.fault(ctx, err); waybill.IsCode(err, waybill.NotFound) {
		what := cmp.Or(r.Path, "repository "+r.ForgeID)
		return nil, waybill.Wrap(waybill.NotFound, errors.Unwrap(err), "the GitHub App is not installed in "+what+", or there is no such repository")
	}
	if err != nil {
		return nil, err
	}
	return f.remember(found.GetID(), r.ForgeID, r.Path), nil
}

// findInstallation asks by number, which survives renames, else by path.
func (f *Forge) findInstallation(ctx context.Context, r waybill.Repository) (*github.Installation, error) {
	c, err := f.asApp("installation")
	if err != nil {
		return nil, err
	}
	if r.ForgeID != "" {
		id, err := number(r.ForgeID)
		if err != nil {
			return nil, err
		}
		found, _, err := c.Apps.FindRepositoryInstallationByID(ctx, id)
		return found, err
	}
	at, err := placeOf(r.Path)
	if err != nil {
		return nil, err
	}
	found, _, err := c.Apps.FindRepositoryInstallation(ctx, at.owner, at.name)
	return found, err
}

// remember keeps an installation for the names of a repository.
func (f *Forge) remember(id int64, names ...string) *installation {
	f.mu.Lock()
	defer f.mu.Unlock()
	var i *installation
	for _, known := range f.installations {
		if known.id == id {
			i = known
		}
	}
	if i == nil {
		i = &installation{app: f, id: id}
	}
	i.found = f.o.Now()
	for _, name := range names {
		if name != "" {
			f.installations[name] = i
		}
	}
	return i
}
