package server

import (
	"context"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/config"
	"github.com/waybill-dev/waybill/internal/foundation/secret"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/git/forge/gitea"
	"github.com/waybill-dev/waybill/internal/git/forge/github"
	"github.com/waybill-dev/waybill/internal/git/forge/gitlab"
	"github.com/waybill-dev/waybill/internal/git/inbox"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// forges are those that the configuration lists, by name.
type forges map[string]inbox.Forge

// openForges makes a client for each configured forge. None is asked anything yet.
func (s *Server) openForges() (forges, error) {
	all := forges{}
	for _, f := range s.Config.Forges {
		budget := forge.NewBudget(s.Now)
		host, err := s.openForge(f, s.observe(f.Name, budget))
		if err != nil {
			return nil, err
		}
		all[f.Name] = inbox.Forge{Host: forge.Thrifty(host, budget), Kind: f.Kind, URL: f.URL, App: f.App != nil}
	}
	return all, nil
}

// observer hears of each answer of a forge.
type observer = func(operation string, code, remaining int)

func (s *Server) openForge(f config.Forge, observe observer) (forge.Host, error) {
	switch f.Kind {
	case config.Gitea:
		return gitea.New(gitea.Options{URL: f.URL, Token: s.token(f), Now: s.Now, Observe: observe})
	case config.GitHub:
		return s.openGitHub(f, observe)
	case config.GitLab:
		return gitlab.New(gitlab.Options{URL: f.URL, Token: s.token(f), Now: s.Now, Observe: observe})
	default:
		return nil, waybill.Errorf(waybill.Unavailable, "forge %s: this program does not speak %s", f.Name, f.Kind)
	}
}

// openGitHub speaks with a token or as an App.
func (s *Server) openGitHub(f config.Forge, observe observer) (forge.Host, error) {
	o := github.Options{URL: f.URL, Now: s.Now, Log: s.Log, Observe: observe}
	if f.App == nil {
		o.Token = s.token(f)
		return github.New(o)
	}
	key := s.secretFile("key of forge "+f.Name, f.App.KeyFile)
	key.Check = github.CheckKey
	o.App = &github.App{ID: f.App.ID, Key: key.Read}
	return github.New(o)
}

// observe counts the requests to a forge, and tells its budget what is left.
func (s *Server) observe(name string, budget *forge.Budget) observer {
	return func(operation string, code, remaining int) {
		budget.Heard(remaining)
		s.metrics.Forge(name, operation, strconv.Itoa(code))
		if remaining >= 0 {
			s.metrics.ForgeRemaining(name, remaining)
		}
	}
}

// token reads the token of a forge each time it is asked for, so that a changed one is seen.
func (s *Server) token(f config.Forge) forge.Token {
	if f.TokenEnv != "" {
		return func(context.Context) (string, error) { return strings.TrimSpace(os.Getenv(f.TokenEnv)), nil }
	}
	file := s.secretFile("token of forge "+f.Name, f.TokenFile)
	return func(context.Context) (string, error) {
		text, err := file.Read()
		return string(text), err
	}
}

func (s *Server) secretFile(what, name string) *secret.File {
	return &secret.File{What: what, Name: name, Log: s.Log}
}

// credentials lets mirrors read what lives at a forge. They go to the forge's own address and nowhere else.
func (all forges) credentials(ctx context.Context, r waybill.Repository) (user, password string, err error) {
	f, ok := all[r.Forge]
	if !ok || !sameHost(f.URL, r.URL) {
		return "", "", nil
	}
	return f.Host.Credentials(ctx, r)
}

func sameHost(a, b string) bool {
	x, err := url.Parse(a)
	if err != nil {
		return false
	}
	y, err := url.Parse(b)
	return err == nil && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host)
}

// outbox returns who writes statuses, by name, plain Git among them.
func (all forges) outbox(plain forge.Forge) map[string]forge.Forge {
	writers := map[string]forge.Forge{config.Plain: plain}
	for name, f := range all {
		writers[name] = f.Host
	}
	return writers
}

// conversation returns the forge of a name, for what goes on around pull requests.
func (all forges) conversation(name string) (forge.Conversation, bool) {
	f, ok := all[name]
	return f.Host, ok
}

// kinds says what kind each forge is of, by name.
func (all forges) kinds() map[string]string {
	kinds := map[string]string{}
	for name, f := range all {
		kinds[name] = f.Kind
	}
	return kinds
}

// appSecrets returns what reads the secrets of the hooks of Apps: one, and the one before while it is exchanged. An App
// without a secret is a mistake at the start.
func (s *Server) appSecrets() (map[string]func() []webhooks.Secret, error) {
	secrets := map[string]func() []webhooks.Secret{}
	for _, f := range s.Config.Forges {
		if f.App == nil {
			continue
		}
		files := []*secret.File{s.secretFile("hook secret of forge "+f.Name, f.App.HookSecretFile)}
		if _, err := files[0].Read(); err != nil {
			return nil, err
		}
		if f.App.OldHookSecretFile != "" {
			old := s.secretFile("old hook secret of forge "+f.Name, f.App.OldHookSecretFile)
			old.Optional = true
			files = append(files, old)
		}
		secrets[f.Name] = func() []webhooks.Secret { return hookSecrets(files) }
	}
	return secrets, nil
}

// hookSecrets reads those that there are.
func hookSecrets(files []*secret.File) []webhooks.Secret {
	var all []webhooks.Secret
	for _, file := range files {
		if text, err := file.Read(); err == nil && len(text) > 0 { // a file says itself what is wrong with it
			all = append(all, webhooks.Secret(text))
		}
	}
	return all
}
