package inbox

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Finding is one line of what a look at a forge found.
type Finding = forge.Finding

// Configured is a forge of the configuration, for people.
type Configured struct {
	Name, Kind, URL string
	App             bool
	Repositories    int // that are watched there
}

// Configured lists the forges by name, plain Git last.
func (w *Watcher) Configured(ctx context.Context) ([]Configured, error) {
	repositories, err := gitstore.Repositories(ctx, w.Inbox.DB.Query())
	if err != nil {
		return nil, err
	}
	watched := map[string]int{}
	for _, r := range repositories {
		watched[r.Forge]++
	}
	list := make([]Configured, 0, len(w.Forges)+1)
	for name, f := range w.Forges {
		list = append(list, Configured{Name: name, Kind: f.Kind, URL: f.URL, App: f.App, Repositories: watched[name]})
	}
	slices.SortFunc(list, func(a, b Configured) int { return strings.Compare(a.Name, b.Name) })
	return append(list, Configured{Name: plain, Kind: plain, Repositories: watched[plain]}), nil
}

const (
	checkTimeout = time.Minute
	// pingPatience is how long a ping may take that a forge was asked for.
	pingPatience = 15 * time.Second
	pingLook     = 200 * time.Millisecond
)

// CheckForge tries the credentials of a forge, the way to it and the way back, and says in words what it found: of what
// Waybill may do in a repository too when one is given, by any of its names. NotFound: there is no such forge or
// repository.
func (w *Watcher) CheckForge(ctx context.Context, name, repository string) ([]Finding, error) {
	f, ok := w.Forges[name]
	if !ok {
		return nil, waybill.Errorf(waybill.NotFound, "no forge is configured as %q (%s)", name, w.known())
	}
	var r waybill.Repository
	if repository != "" {
		var err error
		if r, err = gitstore.RepositoryByName(ctx, w.Inbox.DB.Query(), repository); err != nil {
			return nil, err
		}
		if r.Forge != name {
			return nil, waybill.Errorf(waybill.NotFound, "%s lives at %s, not at %s", r.FullName(), r.Forge, name)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	found := f.Examine(ctx, r)
	found = append(found, w.reachable(ctx, f))
	if r.ID == "" {
		return found, nil
	}
	return append(found, w.readable(ctx, r), w.roundTrip(ctx, f, r)), nil
}

// reachable says whether the forge can reach the address that hooks go to, as far as can be told from here.
func (w *Watcher) reachable(ctx context.Context, f Forge) Finding {
	found := Finding{What: "address of hooks"}
	home := w.Inbox.PublicURL
	if loopbackURL(home) && !loopbackURL(f.URL) {
		found.Says = home + " is an address of this machine only: set publicURL in the configuration to one that " + f.URL + " reaches"
		return found
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, home+"/healthz", nil)
	if err != nil {
		found.Says = home + " is no address: correct publicURL in the configuration"
		return found
	}
	client := &http.Client{Timeout: pingPatience}
	res, err := client.Do(req)
	if err != nil {
		found.Says = home + " does not answer, not even from here: " + err.Error()
		return found
	}
	_ = res.Body.Close()
	if found.OK = res.StatusCode == http.StatusOK; !found.OK {
		found.Says = home + " is answered by somebody else: it says " + res.Status
		return found
	}
	found.Says = home + " answers"
	return found
}

// loopbackURL reports whether text is the address of this machine, as only it sees it.
func loopbackURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// readable says whether r can be fetched.
func (w *Watcher) readable(ctx context.Context, r waybill.Repository) Finding {
	found := Finding{What: "reading " + r.Path + " by Git"}
	tips, _, err := w.Poller.Lister.Tips(ctx, r)
	if found.OK = err == nil; err != nil {
		found.Says = err.Error()
		return found
	}
	found.Says = waybill.Count(len(tips), "ref")
	return found
}

// pinger is a forge that sends a hook's ping when it is asked to.
type pinger interface {
	// Ping makes the hook of r with this address say something. NotFound: there is no such hook.
	Ping(ctx context.Context, r waybill.Repository, address string) error
}

// roundTrip says whether the hook of r arrives.
func (w *Watcher) roundTrip(ctx context.Context, f Forge, r waybill.Repository) Finding {
	found := Finding{What: "hook of " + r.Path}
	p, ok := forge.As[pinger](f.Host)
	if !ok || f.App {
		return heard(found, r, w.Inbox.Now())
	}
	asked := w.Inbox.Now()
	err := p.Ping(ctx, r, w.Inbox.hookAddress(r))
	if waybill.IsCode(err, waybill.Denied) {
		return heard(found, r, asked) // a person put it there
	}
	if err != nil {
		found.Says = err.Error() + "; `waybill repo hook " + r.FullName() + "` installs it again"
		return found
	}
	for waited := time.Duration(0); waited < pingPatience; waited += pingLook {
		now, err := gitstore.Repository(ctx, w.Inbox.DB.Query(), r.ID)
		if err == nil && now.LastTold.After(asked.Add(-time.Minute)) { // it is noted once a minute
			found.OK, found.Says = true, "a ping arrived"
			return found
		}
		select {
		case <-ctx.Done():
			waited = pingPatience
		case <-time.After(pingLook):
		}
	}
	found.Says = "the forge was asked for a ping, which did not arrive: look at the hook's deliveries on " + f.page(r.URL)
	return found
}

// heard judges a hook by what it said until now.
func heard(found Finding, r waybill.Repository, now time.Time) Finding {
	switch {
	case r.Hooked():
		found.OK, found.Says = true, "said something "+now.Sub(r.LastTold).Round(time.Second).String()+" ago"
	case r.LastTold.IsZero() && r.LastMissed.IsZero():
		found.OK, found.Says = true, "said nothing yet, and missed nothing"
	case r.LastTold.IsZero():
		found.Says = "never said anything, and polling found a push: look at the hook's deliveries at the forge"
	default:
		found.Says = "missed a push since it last said something: look at the hook's deliveries at the forge"
	}
	return found
}
