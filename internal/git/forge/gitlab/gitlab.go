// Package gitlab is the forge at gitlab.com and GitLab of one's own: statuses on commits, hooks, merge requests and their
// notes, through the API with a token.
package gitlab

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Options say which GitLab and by which token.
type Options struct {
	URL   string       // for people: https://gitlab.com
	Token forge.Token  // of a person, project or group
	HTTP  *http.Client // nil: one with timeouts
	Now   func() time.Time
	// Observe hears of each answer; code 0 is none, remaining -1 that GitLab did not say.
	Observe func(operation string, code, remaining int)
}

// Forge talks to one GitLab. It is safe for concurrent use.
type Forge struct {
	o         Options
	web       *url.URL
	wire      forge.Wire
	pipelines pipelines
}

var _ forge.Host = (*Forge)(nil)

// New returns a forge; it asks nothing until something is wanted.
func New(o Options) (*Forge, error) {
	web, err := forge.Home(o.URL)
	if err != nil {
		return nil, err
	}
	if o.Token == nil {
		return nil, waybill.Errorf(waybill.Invalid, "GitLab at %s has no token", web.Host)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	f := &Forge{o: o, web: web, wire: forge.NewWire(web.Host, o.HTTP, o.Now, o.Observe)}
	f.wire.Authorize = o.Token.Authorize
	return f, nil
}

// patient never waits: how often GitLab is asked is decided elsewhere.
type patient struct{}

// Wait returns at once.
func (patient) Wait(context.Context) error { return nil }

// client returns a client for one operation.
func (f *Forge) client(operation string) (*gitlab.Client, error) {
	c, err := gitlab.NewAuthSourceClient(gitlab.Unauthenticated{}, gitlab.WithBaseURL(f.web.String()),
		gitlab.WithHTTPClient(f.wire.For(operation).Client()),
		gitlab.WithoutRetries(), gitlab.WithCustomLimiter(patient{}))
	if err != nil {
		return nil, waybill.Wrap(waybill.Invalid, err, f.web.String()+" is not the address of a GitLab")
	}
	return c, nil
}

// open returns a client for one operation in r, and what r is called in paths: its number, which survives renames, or
// its path.
func (f *Forge) open(operation string, r waybill.Repository) (*gitlab.Client, any, error) {
	c, err := f.client(operation)
	if err != nil {
		return nil, nil, err
	}
	if r.ForgeID == "" {
		if !projectPath.MatchString(r.Path) || strings.Contains(r.Path, "..") {
			return nil, nil, waybill.Errorf(waybill.Invalid, "%q is not a project of GitLab (group/name)", r.Path)
		}
		return c, r.Path, nil
	}
	id, err := strconv.ParseInt(r.ForgeID, 10, 64)
	if err != nil || id <= 0 {
		return nil, nil, waybill.Errorf(waybill.Invalid, "%q is not an id of GitLab", r.ForgeID)
	}
	return c, id, nil
}

// projectPath is a path of groups with a project at its end.
var projectPath = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$`)

// got passes on what a client returned, unless that is nothing.
func got[T any](v *T, _ *gitlab.Response, err error) (*T, error) {
	if err == nil && v == nil {
		return nil, errors.New("null")
	}
	return v, err
}

// fault makes an Error of what a client returned.
func (f *Forge) fault(ctx context.Context, err error) error { return forge.Fault(ctx, f.web.Host, err) }

// Credentials returns user and password for Git over HTTP.
func (f *Forge) Credentials(ctx context.Context, _ waybill.Repository) (user, password string, err error) {
	token, err := f.o.Token.Read(ctx)
	return "oauth2", token, err
}

// pageOf asks for one page of a list.
func pageOf(page int) gitlab.ListOptions {
	return gitlab.ListOptions{Page: int64(page), PerPage: forge.PerPage}
}

// listed is a page as a client returned it.
func listed[T any](list []T, resp *gitlab.Response, err error) (page []T, next int, _ error) {
	if err != nil {
		return nil, 0, err
	}
	return list, int(resp.NextPage), nil
}
