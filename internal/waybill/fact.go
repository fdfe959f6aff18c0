package waybill

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Fact is one thing that a setting says, for people. Values of assignments are never among them.
type Fact struct{ Name, Value string }

// Facts lists what p says, without what is empty.
func (p *Platform) Facts() []Fact {
	var f facts
	f.add("Title", p.Title)
	f.add("Description", p.Description)
	f.add("Owner", p.Owner)
	switch {
	case p.Repository != nil:
		f.repository(p.Repository)
	case p.Team != nil:
		f.team(p.Team)
	case p.Site != nil:
		f.site(p.Site)
	case p.Workspace != nil:
		f.workspace(p.Workspace)
	case p.AuthProvider != nil:
		f.provider(p.AuthProvider)
	case p.EventCatalog != nil:
		f.catalog(p.EventCatalog)
	case p.Terms != nil:
		f.add("Version", p.Terms.Version)
		f.add("Text", p.Terms.Text)
		f.add("Holds from", p.Terms.Effective)
		f.add("Can be accepted until", Count(p.Terms.GraceDays, "day")+" later")
	case p.Policy != nil:
		f.policy(p.Policy)
	}
	return f
}

type facts []Fact

func (f *facts) add(name, value string) {
	if value != "" {
		*f = append(*f, Fact{name, value})
	}
}

func (f *facts) list(name string, values []string) { f.add(name, strings.Join(values, ", ")) }

func (f *facts) repository(r *RepositorySpec) {
	f.add("Address", r.URL)
	f.add("Forge", r.Forge)
	f.add("Team", r.Owner)
	f.list("Branches", r.Branches)
	f.list("Tags", r.Tags)
	f.list("Manifests in", r.Paths)
	if !r.PullRequests {
		f.add("Pull requests", "not looked at")
	}
}

func (f *facts) team(t *TeamSpec) {
	f.list("Members", each(t.Members, func(m Member) string { return m.User + " (" + m.Role + ")" }))
	f.add("Dev site lies in", strings.Trim(t.DevAccount+" / "+t.DevProject, " /"))
	f.scope("May open to", t.Targets)
	f.add("Limits", Count(t.MaxConnectors, "connector")+", "+Count(t.MaxBuilds, "build")+", "+Count(t.MaxRuns, "run"))
}

func (f *facts) scope(name string, s Scope) {
	var parts []string
	for _, p := range []struct {
		noun  string
		names []string
	}{{"accounts", s.Accounts}, {"projects", s.Projects}, {"sites", s.Sites}} {
		if len(p.names) > 0 {
			parts = append(parts, p.noun+" "+strings.Join(p.names, ", "))
		}
	}
	f.add(name, strings.Join(parts, "; "))
}

func (f *facts) site(s *SiteSpec) {
	f.add("Environment", string(s.Environment))
	f.add("Account", s.Account)
	f.add("Project", s.Project)
	for _, a := range s.Assignments {
		text := Identity{Kind: KindConnector, Name: a.Connector, Major: a.Major}.String()
		if len(a.Config) > 0 {
			text += ", sets " + strings.Join(slices.Sorted(maps.Keys(a.Config)), ", ")
		}
		if a.Schedule != "" {
			text += ", runs at " + strconv.Quote(a.Schedule)
		}
		if !a.Enabled {
			text += ", disabled"
		}
		f.add("Connector", text)
	}
}

func (f *facts) workspace(w *WorkspaceSpec) {
	f.add("Called", w.Title)
	f.list("Admins", w.Admins)
	for _, i := range w.Installs {
		f.add("App", i.App+" "+i.Channel+i.Version)
	}
}

func (f *facts) provider(p *AuthProviderSpec) {
	f.add("Type", p.Type)
	f.list("Fields", each(p.Fields, func(c CredentialField) string {
		if c.Secret {
			return c.Name + " (secret)"
		}
		return c.Name
	}))
	f.add("People sign in at", p.AuthorizeURL)
	f.add("Tokens come from", p.TokenURL)
	f.list("Scopes", p.Scopes)
}

func (f *facts) catalog(c *EventCatalogSpec) {
	f.list("Events", each(c.Events, func(e EventType) string {
		if e.Retired {
			return e.Type + " (no longer sent)"
		}
		return e.Type
	}))
	f.list("Scopes", each(c.Scopes, func(s ScopeSpec) string { return s.Name }))
}

func (f *facts) policy(p *PolicySpec) {
	f.list("Base images", p.BaseImages)
	if p.RequireHealthCheck {
		f.add("Health check", "required")
	} else {
		f.add("Health check", "may be left out")
	}
	if p.MaxImageSize > 0 {
		f.add("Largest image", FormatBytes(p.MaxImageSize))
	}
	f.add("Release tags", "do not move")
	if p.Forks == "deny" {
		f.add("Pull requests from forks", "not looked at")
	} else {
		f.add("Pull requests from forks", "validated")
	}
	f.list("Reviewers", p.Reviewers)
	f.add("Constraints", p.Constraints)
}

func each[T any](list []T, text func(T) string) []string {
	all := make([]string, len(list))
	for i, e := range list {
		all[i] = text(e)
	}
	return all
}
