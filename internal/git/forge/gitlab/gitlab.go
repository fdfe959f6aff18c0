// Package gitlab is the forge at gitlab.com and GitLab of one's own: statuses on commits, hooks, merge requests and their
// notes, through the API with a token.
package gitlab

import (
	"context"
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
	URL string // for people: https://gitlab.com
	// Token returns an access token of a person, project or group. It is asked for each request, so that a changed one
	// is used at once.
	Token func(ctx context.Context) (string, error)
	HTTP  *http.Client // nil: one with timeouts
	Now   func() time.Time
	// Observe hears of each answer; code 0 is none, remaining -1 that GitLab did not say.
	Observe func(operation string, code, remaining int)
}

// Forge talks to one GitLab. It is safe for concurrent use.
type Forge struct {
	o     Options
	web   *url.URL
	cache *forge.Cache
}

var _ forge.Host = (*Forge)(nil)

// New returns a forge; it asks nothing until something is wanted.
func New(o Options) (*Forge, error) {
	web, err := url.Parse(strings.TrimSuffix(o.URL, "/"))
	if err != nil || web.Host == "" || web.Scheme != "https" && web.Scheme != "http" {
		return nil, waybill.Errorf(waybill.Invalid, "%q is not the address of a GitLab, such as https://gitlab.com", o.URL)
	}
	if o.Token == nil {
		return nil, waybill.Errorf(waybill.Invalid, "GitLab at %s has no token", web.Host)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Forge{o: o, web: web, cache: &forge.Cache{}}, nil
}

// keys gives each request the token of the moment.
type keys struct{ *Forge }

// Init does nothing.
func (keys) Init(context.Context, *gitlab.Client) error { return nil }

// Header returns the token as GitLab takes those of every kind.
func (k keys) Header(ctx context.Context) (name, value string, err error) {
	token, err := k.token(ctx)
	return "Authorization", "Bearer " + token, err
}

func (f *Forge) token(ctx context.Context) (string, error) {
	token, err := f.o.Token(ctx)
	if err != nil {
		return "", waybill.Wrap(waybill.Unauthenticated, err, "the token for "+f.web.Host+" cannot be read")
	}
	return token, nil
}

// patient never waits: how often GitLab is asked is decided elsewhere.
type patient struct{}

// Wait returns at once.
func (patient) Wait(context.Context) error { return nil }

// client returns a client for one operation.
func (f *Forge) client(operation string) (*gitlab.Client, error) {
	w := &forge.Wire{Host: f.web.Host, Operation: operation, Now: f.o.Now, Observe: f.o.Observe, Cache: f.cache}
	var timeout time.Duration
	if f.o.HTTP != nil {
		w.Base, timeout = f.o.HTTP.Transport, f.o.HTTP.Timeout
	}
	c, err := gitlab.NewAuthSourceClient(keys{f}, gitlab.WithBaseURL(f.web.String()), gitlab.WithHTTPClient(w.Client(timeout)),
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

// fault makes an Error of what a client returned.
func (f *Forge) fault(ctx context.Context, err error) error { return forge.Fault(ctx, f.web.Host, err) }

// Credentials returns user and password for Git over HTTP.
func (f *Forge) Credentials(ctx context.Context, _ waybill.Repository) (user, password string, err error) {
	token, err := f.token(ctx)
	return "oauth2", token, err
}
