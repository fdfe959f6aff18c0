// Package gitea is the forge of repositories on Gitea and Forgejo: statuses on commits, hooks, pull requests and their
// comments, through the API with a token.
package gitea

import (
	"context"
	"iter"
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
	URL   string // of the pages for people: https://gitea.example.org
	Token forge.Token
	HTTP  *http.Client // nil: one with timeouts
	Now   func() time.Time
	// Grace is how long Gitea may take to finish a request whose sender is gone; 0: 2 s.
	Grace time.Duration
	// Observe hears of each answer; code 0 is none. Gitea states no limit: remaining is -1.
	Observe func(operation string, code, remaining int)
}

// Gitea talks to one Gitea. It is safe for concurrent use.
type Gitea struct {
	options Options
	web     *url.URL
	wire    forge.Wire
}

var _ forge.Host = (*Gitea)(nil)

// New talks to the Gitea at o.URL when there is something to say, not before.
func New(o Options) (*Gitea, error) {
	web, err := forge.Home(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Grace == 0 {
		o.Grace = 2 * time.Second
	}
	g := &Gitea{options: o, web: web, wire: forge.NewWire(web.Host, o.HTTP, o.Now, o.Observe)}
	g.wire.Authorize = o.Token.Authorize
	return g, nil
}

// Credentials returns the token as a password; Gitea ignores the name beside it.
func (g *Gitea) Credentials(ctx context.Context, _ waybill.Repository) (user, password string, err error) {
	token, err := g.options.Token.Read(ctx)
	if err != nil || token == "" {
		return "", "", err
	}
	return "waybill", token, nil
}

// ask makes one request. Whether Gitea is new enough for it shows; it is not asked.
func (g *Gitea) ask(ctx context.Context, operation string, do func(c *sdk.Client) error) error {
	c, err := sdk.NewClient(g.web.String(), sdk.SetContext(ctx), sdk.SetHTTPClient(g.wire.For(operation).Client()),
		sdk.SetGiteaVersion(""), sdk.SetUserAgent("waybill"))
	if err == nil {
		err = do(c)
	}
	return forge.Fault(ctx, g.web.Host, err)
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
func (g *Gitea) in(ctx context.Context, r waybill.Repository, operation string, do func(c *sdk.Client, p place) error) error {
	p, err := at(r.Path)
	if err != nil {
		return err
	}
	err = g.ask(ctx, operation, func(c *sdk.Client) error { return do(c, p) })
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
	return g.ask(ctx, operation, func(c *sdk.Client) error { return do(c, p) })
}

func (g *Gitea) byID(ctx context.Context, id string) (found *sdk.Repository, err error) {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil, waybill.Errorf(waybill.Invalid, "%q is no number of a repository", id)
	}
	err = g.ask(ctx, "repository", func(c *sdk.Client) (err error) {
		found, _, err = c.GetRepoByID(number)
		return err
	})
	return found, err
}

// pageSize is how much Gitea gives at once.
const pageSize = 50

// listed goes through a list. Gitea may give less than was asked for, so the page behind the last one is an empty one.
func listed[T any](ask func(page sdk.ListOptions) ([]*T, error)) iter.Seq2[*T, error] {
	return forge.Pages(func(page int) ([]*T, int, error) {
		page = max(page, 1)
		list, err := ask(sdk.ListOptions{Page: page, PageSize: pageSize})
		if err != nil || len(list) == 0 {
			return nil, 0, err
		}
		return list, page + 1, nil
	})
}
