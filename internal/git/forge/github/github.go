// Package github is the forge at github.com and GitHub Enterprise Server. With a token it writes commit statuses; as a
// GitHub App it writes check runs with annotations, never both.
package github

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/waybill-dev/waybill/internal/foundation/memo"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Options say which GitHub and by which credentials.
type Options struct {
	URL   string       // for people: https://github.com, or that of an Enterprise Server
	Token forge.Token  // of a person
	App   *App         // takes the place of Token
	HTTP  *http.Client // nil: one with timeouts
	Now   func() time.Time
	Log   *slog.Logger
	// Observe hears of each answer; code 0 is none, remaining -1 that GitHub did not say.
	Observe func(operation string, code, remaining int)
}

// App is a registered GitHub App.
type App struct {
	ID int64
	// Key returns the private key (PEM). It is asked for each time something is signed, so that a changed one is used at
	// once.
	Key func() ([]byte, error)
}

// Forge talks to one GitHub. It is safe for concurrent use.
type Forge struct {
	o        Options
	web, api *url.URL
	wire     forge.Wire
	runs     *memo.Memo[string, keptRuns] // by commit

	mu            sync.Mutex
	self          string                   // who comments; empty until asked
	installations map[string]*installation // by Repository.ForgeID and Path
}

// New returns a forge; it asks nothing until something is wanted. The address must be a URL.
func New(o Options) (*Forge, error) {
	web, err := forge.Home(o.URL)
	if err != nil {
		return nil, err
	}
	if o.App == nil && o.Token == nil {
		return nil, waybill.Errorf(waybill.Invalid, "GitHub at %s has neither token nor App", web.Host)
	}
	if o.App != nil {
		if err := o.App.check(); err != nil {
			return nil, err
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	api := web.JoinPath("api", "v3/")
	if web.Host == "github.com" {
		api = &url.URL{Scheme: web.Scheme, Host: "api.github.com", Path: "/"}
	}
	wire := forge.NewWire(api.Host, o.HTTP, o.Now, o.Observe)
	return &Forge{
		o: o, web: web, api: api, wire: wire, installations: map[string]*installation{}, runs: memo.New[string, keptRuns](maxKeptRuns),
	}, nil
}

var _ forge.Host = (*Forge)(nil)

// dial makes a client of a wire.
func (f *Forge) dial(w *forge.Wire) *github.Client { return f.speak(w.Client()) }

func (f *Forge) speak(c *http.Client) *github.Client {
	client := github.NewClient(c)
	client.BaseURL = f.api
	return client
}

// fault makes an Error of what a client returned.
func (f *Forge) fault(ctx context.Context, err error) error { return forge.Fault(ctx, f.api.Host, err) }

// client returns a client for one operation in a repository: with the token, or as the App installed there.
func (f *Forge) client(ctx context.Context, operation string, r waybill.Repository) (*github.Client, error) {
	if f.o.App != nil {
		return f.installed(ctx, operation, r)
	}
	return f.withToken(operation), nil
}

// withToken returns a client for one operation that the token alone allows.
func (f *Forge) withToken(operation string) *github.Client {
	w := f.wire.For(operation)
	w.Authorize = f.o.Token.Authorize
	return f.dial(w)
}

// place is a repository as paths of the API name it.
type place struct{ owner, name string }

var (
	ownerName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
	repoName  = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)
)

// placeOf reads owner/name. What does not look like one never gets into a path.
func placeOf(path string) (place, error) {
	owner, name, _ := strings.Cut(path, "/")
	if !ownerName.MatchString(owner) || !repoName.MatchString(name) || name == "." || name == ".." {
		return place{}, waybill.Errorf(waybill.Invalid, "%q is not a repository of GitHub (owner/name)", path)
	}
	return place{owner, name}, nil
}

// open returns a client for one operation in r, and r's place.
func (f *Forge) open(ctx context.Context, operation string, r waybill.Repository) (*github.Client, place, error) {
	at, err := placeOf(r.Path)
	if err != nil {
		return nil, place{}, err
	}
	c, err := f.client(ctx, operation, r)
	return c, at, err
}

// Credentials returns user and password for Git over HTTP.
func (f *Forge) Credentials(ctx context.Context, r waybill.Repository) (user, password string, err error) {
	const anyone = "x-access-token"
	if f.o.App == nil {
		token, err := f.o.Token.Read(ctx)
		return anyone, token, err
	}
	i, err := f.installationOf(ctx, r)
	if err != nil {
		return "", "", err
	}
	token, err := i.token(ctx)
	return anyone, token, f.fault(ctx, err)
}

// number reads an id of GitHub.
func number(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		return 0, waybill.Errorf(waybill.Invalid, "%q is not an id of GitHub", id)
	}
	return n, nil
}

// pageOf asks for one page of a list.
func pageOf(page int) *github.ListOptions {
	return &github.ListOptions{Page: page, PerPage: forge.PerPage}
}

// listed is a page as a client returned it.
func listed[T any](list []T, resp *github.Response, err error) (page []T, next int, _ error) {
	if err != nil {
		return nil, 0, err
	}
	return list, resp.NextPage, nil
}
