package portal

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// frame is what every page has around its content.
type frame struct {
	Title  string // of the document; the last crumb and the h1 unless the page says otherwise
	Here   string // path of the entry of the navigation
	Crumbs []link
	Name   string // who is signed in; empty for nobody
	Act    bool   // may change things
	Said   string // what the last action did; empty when there was none
	Stream string // address of the live updates; empty for none
}

// link is a place to go to.
type link struct{ Text, URL string }

// navItem is one entry of the navigation.
type navItem struct {
	link
	Icon    string
	Current bool
}

// Nav returns the navigation: only pages that exist.
func (f frame) Nav() []navItem {
	items := []navItem{
		{link: link{"Dashboard", "/"}, Icon: "dashboard"},
		{link: link{"Connectors", "/connectors"}, Icon: "connectors"},
		{link: link{"Runs", "/runs"}, Icon: "runs"},
		{link: link{"Settings", "/settings"}, Icon: "settings"},
	}
	for i := range items {
		items[i].Current = items[i].URL == f.Here
	}
	return items
}

// frame returns the frame of a page below an entry of the navigation.
func (p *Portal) frame(r *http.Request, title, here string, crumbs ...link) frame {
	who := auth.From(r.Context())
	return frame{
		Title: title, Here: here, Crumbs: crumbs, Name: who.Name,
		Act: auth.Allow(who, auth.Act) == nil, Said: said(r.URL.Query().Get("did")),
	}
}

// said returns the sentence for an action that was just done. Unknown words say nothing, so that no link can put
// words on a page.
func said(did string) string {
	switch did {
	case "rollback":
		return "Rolled back. New runs use the version below; running ones finish on theirs."
	case "promote":
		return "Promoted. New runs use this version; running ones finish on theirs."
	case "retry":
		return "Queued again. The steps below move as it goes."
	case "cancel":
		return "The run was asked to end."
	default:
		return ""
	}
}

// commitLink is a commit as pages show it: short, copied whole, and leading to its page.
type commitLink struct{ SHA, Short, URL string }

// newCommitLink returns the link of a commit; without URL when its repository is gone.
func newCommitLink(repositories map[string]waybill.Repository, repository, sha string) commitLink {
	c := commitLink{SHA: sha, Short: waybill.ShortCommit(sha)}
	if r, ok := repositories[repository]; ok && sha != "" {
		c.URL = commitURL(r, sha)
	}
	return c
}

func commitURL(r waybill.Repository, sha string) string {
	return "/repositories/" + url.PathEscape(r.Owner) + "/" + url.PathEscape(r.Name) + "/commits/" + url.PathEscape(sha)
}

// connectorURL leads to a connector major, or to one of its tabs.
func connectorURL(id waybill.Identity, tab ...string) string {
	return "/connectors/" + url.PathEscape(id.String()) + strings.Join(append([]string{""}, tab...), "/")
}
