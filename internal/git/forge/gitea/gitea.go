// Package gitea is the forge of repositories on Gitea and Forgejo: statuses on commits, hooks, pull requests and their
// comments, through the API with a token.
package gitea

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Options of a Gitea.
type Options struct {
	URL string // of the pages for people: https://gitea.example.org
	// Token is asked for each time something is said, so that a changed one is seen. Empty: nobody is signed in.
	Token func(ctx context.Context) (string, error)
	HTTP  *http.Client // nil: one that waits at most 20 s
	Now   func() time.Time
	// Grace is how long Gitea may take to finish a request whose sender is gone; 0: 2 s.
	Grace time.Duration
	// Observe hears of each request: the HTTP status of its answer, or 0 without one. Gitea states no limit: remaining
	// is always -1. May be nil.
	Observe func(operation string, code, remaining int)
}

// Gitea talks to one Gitea.
type Gitea struct {
	options Options
	http    *http.Client
}

// New talks to the Gitea at o.URL when there is something to say, not before.
func New(o Options) *Gitea {
	o.URL = strings.TrimRight(o.URL, "/")
	if o.Observe == nil {
		o.Observe = func(string, int, int) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Grace == 0 {
		o.Grace = 2 * time.Second
	}
	return &Gitea{options: o, http: bounded(o.HTTP)}
}

// Credentials returns the token as a password; Gitea ignores the name beside it.
func (g *Gitea) Credentials(ctx context.Context, _ waybill.Repository) (user, password string, err error) {
	token, err := g.options.Token(ctx)
	if err != nil || token == "" {
		return "", "", err
	}
	return "waybill", token, nil
}

// client returns a client of the API for one conversation. It asks nothing: whether Gitea is new enough shows.
func (g *Gitea) client(ctx context.Context) (*sdk.Client, error) {
	token, err := g.options.Token(ctx)
	if err != nil {
		return nil, err
	}
	return sdk.NewClient(g.options.URL, sdk.SetContext(ctx), sdk.SetToken(token), sdk.SetHTTPClient(g.http),
		sdk.SetGiteaVersion(""), sdk.SetUserAgent("waybill"))
}

// call is one request of a client.
type call func(c *sdk.Client) (*sdk.Response, error)

// ask makes one request.
func (g *Gitea) ask(ctx context.Context, operation string, do call) error {
	c, err := g.client(ctx)
	if err != nil {
		return err
	}
	res, err := do(c)
	code := 0
	if res != nil && res.Response != nil {
		code = res.StatusCode
	}
	g.options.Observe(operation, code, -1)
	return g.translate(code, res, err)
}

// place is where a repository is today.
type place struct{ owner, name string }

func (p place) String() string { return p.owner + "/" + p.name }

// at splits a path, owner/name, neither of which leads out of it.
func at(path string) (place, error) {
	owner, name, ok := strings.Cut(path, "/")
	if !ok || strings.Trim(owner, ".") == "" || strings.Trim(name, ".") == "" || strings.Contains(name, "/") {
		return place{}, waybill.Errorf(waybill.Invalid, "%q is no owner/name", path)
	}
	return place{owner, name}, nil
}

// in makes one request that speaks of r. One that finds nothing is made again where the repository is by its number, so
// that renaming it loses nothing.
func (g *Gitea) in(ctx context.Context, r waybill.Repository, operation string, do func(c *sdk.Client, p place) (*sdk.Response, error)) error {
	p, err := at(r.Path)
	if err != nil {
		return err
	}
	err = g.ask(ctx, operation, func(c *sdk.Client) (*sdk.Response, error) { return do(c, p) })
	if !waybill.IsCode(err, waybill.NotFound) || r.ForgeID == "" {
		return err
	}
	moved, lookup := g.byID(ctx, r.ForgeID)
	if lookup != nil || strings.EqualFold(moved.FullName, r.Path) {
		return err
	}
	if p, lookup = at(moved.FullName); lookup != nil {
		return err
	}
	return g.ask(ctx, operation, func(c *sdk.Client) (*sdk.Response, error) { return do(c, p) })
}

func (g *Gitea) byID(ctx context.Context, id string) (found *sdk.Repository, err error) {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, waybill.Errorf(waybill.Invalid, "%q is no number of a repository", id)
	}
	err = g.ask(ctx, "repository", func(c *sdk.Client) (res *sdk.Response, err error) {
		found, res, err = c.GetRepoByID(number)
		return res, err
	})
	return found, err
}

// translate makes an error of ours from an answer. What Gitea says is for people: it is part of the message, in so far
// as it is short.
func (g *Gitea) translate(code int, res *sdk.Response, err error) error {
	says := "answers " + strconv.Itoa(code)
	switch {
	case code/100 == 2 && err == nil:
		return nil
	case code/100 == 2:
		return waybill.Wrap(waybill.Unavailable, err, "Gitea answers what nobody can read")
	case code == 0:
		return waybill.Wrap(waybill.Unavailable, err, "Gitea at "+g.options.URL+" does not answer"+g.timedOut(err))
	case err != nil:
		says += ": " + short(err.Error())
	}
	switch code {
	case http.StatusUnauthorized:
		return waybill.Wrap(waybill.Unauthenticated, err, "Gitea does not know the token; it "+says)
	case http.StatusForbidden, http.StatusLocked:
		return waybill.Wrap(waybill.Denied, err, "Gitea refuses; it "+says)
	case http.StatusNotFound, http.StatusGone:
		return waybill.Wrap(waybill.NotFound, err, "Gitea does not find it; it "+says)
	case http.StatusConflict:
		return waybill.Wrap(waybill.Conflict, err, "Gitea "+says)
	case http.StatusRequestEntityTooLarge:
		return waybill.Wrap(waybill.TooLarge, err, "Gitea "+says)
	case http.StatusTooManyRequests:
		return g.limited(res, says)
	case http.StatusRequestTimeout:
		return waybill.Wrap(waybill.Unavailable, err, "Gitea "+says)
	}
	switch code / 100 {
	case 3:
		return waybill.Wrap(waybill.NotFound, err, "Gitea has it elsewhere; it "+says)
	case 4:
		return waybill.Wrap(waybill.Invalid, err, "Gitea does not take it; it "+says)
	}
	return waybill.Wrap(waybill.Unavailable, err, "Gitea "+says)
}

// timedOut says so when it was so.
func (g *Gitea) timedOut(err error) string {
	var e *url.Error
	if errors.As(err, &e) && e.Timeout() {
		return " in time"
	}
	return ""
}

// limited reads when a proxy in front of Gitea allows the next request: Gitea itself has no limit.
func (g *Gitea) limited(res *sdk.Response, says string) error {
	message := "Gitea asks for patience; it " + says
	seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return waybill.Errorf(waybill.Limited, "%s", message)
	}
	until := g.options.Now().Add(min(time.Duration(seconds)*time.Second, time.Hour))
	return waybill.Wrap(waybill.Limited, &forge.RetryAfter{Until: until}, message)
}

// short keeps the first line of what a server says, cut at 200 runes.
func short(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	if r := []rune(text); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return text
}
