package inbox

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Forge is a configured forge.
type Forge struct {
	forge.Host
	Kind string // github, gitea or gitlab
	URL  string // for people, without slash at the end
	App  bool   // whether it speaks as an App, which needs no hooks in repositories
}

// forgeTimeout bounds what is asked of a forge before the repository is read.
const forgeTimeout = 30 * time.Second

// forgeOf returns the name of the forge that an address belongs to: plain when it is no configured one's. A name that is
// given must be configured.
func (w *Watcher) forgeOf(name, address string) (string, error) {
	if name == plain {
		return plain, nil
	}
	if name != "" {
		if _, ok := w.Forges[name]; !ok {
			return "", waybill.Errorf(waybill.Invalid, "no forge is configured as %q (%s)", name, w.known())
		}
		return name, nil
	}
	var fits []string
	longest := 0
	for name, f := range w.Forges {
		n := prefix(f.URL, address)
		if n > longest {
			fits, longest = nil, n
		}
		if n > 0 && n == longest {
			fits = append(fits, name)
		}
	}
	slices.Sort(fits)
	switch len(fits) {
	case 0:
		return plain, nil
	case 1:
		return fits[0], nil
	}
	return "", waybill.Errorf(waybill.Invalid, "this could be a repository of %s: pass --forge", strings.Join(fits, " or "))
}

// known lists the configured forges for people.
func (w *Watcher) known() string {
	names := make([]string, 0, len(w.Forges))
	for name := range w.Forges {
		names = append(names, name)
	}
	if len(names) == 0 {
		return "the configuration lists none under forges"
	}
	slices.Sort(names)
	return "there is: " + strings.Join(names, ", ")
}

// prefix returns how much of a forge's URL an address begins with; 0 when the address lies elsewhere. An ssh address
// lies at a forge of the same host.
func prefix(home, address string) int {
	h, err := url.Parse(home)
	if err != nil {
		return 0
	}
	a, err := url.Parse(address)
	if err != nil || a.Host == "" {
		return 0
	}
	if a.Scheme == "ssh" {
		if !strings.EqualFold(a.Hostname(), h.Hostname()) {
			return 0
		}
		return 1 + len(h.Path)
	}
	path := strings.TrimRight(h.Path, "/")
	if a.Scheme != h.Scheme || !strings.EqualFold(a.Host, h.Host) || !strings.HasPrefix(a.Path, path+"/") {
		return 0
	}
	return 1 + len(path)
}

// page returns the address that people see of the repository with an address, which may be an ssh one.
func (f Forge) page(address string) string {
	if u, err := url.Parse(address); err == nil && u.Scheme == "ssh" {
		address = f.URL + u.Path
	}
	return strings.TrimSuffix(strings.TrimRight(address, "/"), ".git")
}

// identify asks the forge of r for what it calls it today, by its number once that is known. What people chose, name and
// owner, stays. NotFound: the forge has no such repository, or does not show it.
func (w *Watcher) identify(ctx context.Context, r waybill.Repository) (waybill.Repository, error) {
	f, ok := w.Forges[r.Forge]
	if !ok {
		return r, nil
	}
	ctx, cancel := context.WithTimeout(ctx, forgeTimeout)
	defer cancel()
	ask := r
	if ask.URL = ""; r.ForgeID == "" {
		ask.URL = f.page(r.URL)
	}
	found, err := f.Find(ctx, ask)
	if err != nil {
		return r, err
	}
	if found.ForgeID == "" || found.URL == "" {
		return r, waybill.Errorf(waybill.Unavailable, "forge %s does not say where %s is", r.Forge, r.URL)
	}
	r.ForgeID, r.Path, r.URL, r.Archived = found.ForgeID, found.Path, found.URL, found.Archived
	if r.DefaultBranch == "" {
		r.DefaultBranch = found.DefaultBranch
	}
	if r.Name == "" {
		r.Name = strings.ToLower(found.Name)
	}
	return r, nil
}

// HookForm is what a person fills in at a forge so that a repository tells of its pushes.
type HookForm struct {
	Page        string // of the forge
	Address     string
	Secret      string
	ContentType string
	Events      []string // as the forge's page calls them
}

// hookAddress is where a repository's forge sends what happens in it.
func (in *Inbox) hookAddress(r waybill.Repository) string {
	return in.PublicURL + "/hooks/" + r.Forge + "/" + r.Hook
}

// form says what to fill in for r.
func (w *Watcher) form(r waybill.Repository) *HookForm {
	f, ok := w.Forges[r.Forge]
	if !ok || f.App {
		return nil
	}
	form := &HookForm{Address: w.Inbox.hookAddress(r), Secret: r.HookSecret, ContentType: "application/json"}
	page := f.page(r.URL)
	switch f.Kind {
	case github:
		form.Page = page + "/settings/hooks/new"
		form.Events = []string{
			"Branch or tag creation", "Branch or tag deletion", "Issue comments", "Merge groups", "Pull requests", "Pushes", "Repositories",
		}
	case gitea:
		form.Page = page + "/settings/hooks/gitea/new"
		form.Events = []string{
			"Push", "Delete", "Repository", "Pull Request", "Pull Request Synchronized", "Pull Request Comment",
		}
	default:
		form.Page = page + "/-/hooks"
		form.Events = []string{"Push events", "Tag push events", "Comments", "Merge request events"}
	}
	return form
}
