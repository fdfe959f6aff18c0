package server

import (
	"context"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/config"
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

// maxToken bounds what is read from a file that should hold a token.
const maxToken = 64 << 10

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
		return gitea.New(gitea.Options{URL: f.URL, Token: token(f), Now: s.Now, Observe: observe})
	case config.GitHub:
		return s.openGitHub(f, observe)
	case config.GitLab:
		return gitlab.New(gitlab.Options{URL: f.URL, Token: token(f), Now: s.Now, Observe: observe})
	default:
		return nil, waybill.Errorf(waybill.Unavailable, "forge %s: this program does not speak %s", f.Name, f.Kind)
	}
}

// openGitHub speaks with a token or as an App, whose key is read once.
func (s *Server) openGitHub(f config.Forge, observe observer) (forge.Host, error) {
	o := github.Options{URL: f.URL, Now: s.Now, Log: s.Log, Observe: observe}
	if f.App == nil {
		o.Token = token(f)
		return github.New(o)
	}
	key, err := secretFile("key of forge "+f.Name, f.App.KeyFile)
	if err != nil {
		return nil, err
	}
	o.App = &github.App{ID: f.App.ID, Key: key}
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
func token(f config.Forge) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		if f.TokenEnv != "" {
			return strings.TrimSpace(os.Getenv(f.TokenEnv)), nil
		}
		text, err := secretFile("token of forge "+f.Name, f.TokenFile)
		return string(text), err
	}
}

// secretFile reads a file that holds one secret. Denied: it cannot be read, is empty or far too long for one.
func secretFile(what, name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, waybill.Wrap(waybill.Denied, err, "the "+what+" cannot be read: "+err.Error())
	}
	defer func() { _ = f.Close() }()
	text := make([]byte, maxToken+1)
	n := 0
	for n < len(text) {
		more, err := f.Read(text[n:])
		n += more
		if err != nil {
			break
		}
	}
	secret := []byte(strings.TrimSpace(string(text[:n])))
	if len(secret) == 0 || n > maxToken {
		return nil, waybill.Errorf(waybill.Denied, "the %s cannot be read: %s is empty or too long", what, name)
	}
	return secret, nil
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

// appSecrets reads the secrets of the hooks of Apps: one, and the one before while it is exchanged.
func (s *Server) appSecrets() (map[string][]webhooks.Secret, error) {
	secrets := map[string][]webhooks.Secret{}
	for _, f := range s.Config.Forges {
		if f.App == nil {
			continue
		}
		for _, file := range []string{f.App.HookSecretFile, f.App.OldHookSecretFile} {
			if file == "" {
				continue
			}
			text, err := secretFile("hook secret of forge "+f.Name, file)
			if err != nil {
				return nil, err
			}
			secrets[f.Name] = append(secrets[f.Name], webhooks.Secret(text))
		}
	}
	return secrets, nil
}
