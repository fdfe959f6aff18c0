package manifest

import (
	"encoding/json"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// wireDocument is a document of the platform as it is written, with defaults, and its spec.
type wireDocument[T any] struct {
	Metadata wireMetadata
	Spec     T
}

type wireRepository struct {
	URL, Forge, Owner string
	Watch             struct {
		Branches, Tags []string
		PullRequests   bool
	}
	Paths []string
}

type wireTeam struct {
	Members  []waybill.Member
	Defaults struct {
		Dev     struct{ Account, Project string }
		Targets waybill.Scope
	}
	Limits struct{ Connectors, Builds, Runs int }
}

type wireSite struct {
	Account, Project string
	Environment      waybill.Environment
	Connectors       []wireAssignment
}

type wireAssignment struct {
	Connector            string
	Version              int
	Config               map[string]string
	Secrets, Credentials map[string]waybill.SecretRef
	Schedule             string
	Enabled              bool
}

type wireWorkspace struct {
	Title    string
	Admins   []string
	Installs []struct {
		App, Channel, Version string
		Settings              map[string]any
		Scopes                []string
	}
}

type wirePolicy struct {
	BaseImages         []string
	RequireHealthCheck bool
	MaxImageSize       string
	Forks, MoveTags    string
	Reviewers          []string
	Constraints        string
}

// read decodes the spec of a canonical document.
func read[T any](canonical []byte, p *waybill.Platform) (T, error) {
	var d wireDocument[T]
	err := json.Unmarshal(canonical, &d)
	m := d.Metadata
	p.Title, p.Description, p.Owner, p.Labels, p.Readme, p.Logo = m.Title, m.Description, m.Owner, m.Labels, m.Readme, m.Logo
	return d.Spec, err
}

// platform returns the domain value of a canonical document of the platform.
func platform(kind string, canonical []byte) (*waybill.Platform, error) {
	p := &waybill.Platform{}
	var err error
	switch kind {
	case waybill.KindRepository:
		p.Repository, err = repository(canonical, p)
	case waybill.KindTeam:
		p.Team, err = team(canonical, p)
	case waybill.KindSite:
		p.Site, err = site(canonical, p)
	case waybill.KindWorkspace:
		p.Workspace, err = workspace(canonical, p)
	case waybill.KindAuthProvider:
		p.AuthProvider = &waybill.AuthProviderSpec{}
		*p.AuthProvider, err = read[waybill.AuthProviderSpec](canonical, p)
	case waybill.KindEventCatalog:
		p.EventCatalog = &waybill.EventCatalogSpec{}
		*p.EventCatalog, err = read[waybill.EventCatalogSpec](canonical, p)
	case waybill.KindTerms:
		p.Terms = &waybill.TermsSpec{}
		*p.Terms, err = read[waybill.TermsSpec](canonical, p)
	case waybill.KindPolicy:
		p.Policy, err = policy(canonical, p)
	default:
		err = waybill.Errorf(waybill.Internal, "kind %s is not read", kind)
	}
	return p, err
}

func repository(canonical []byte, p *waybill.Platform) (*waybill.RepositorySpec, error) {
	w, err := read[wireRepository](canonical, p)
	return &waybill.RepositorySpec{
		URL: w.URL, Forge: w.Forge, Owner: w.Owner, Branches: w.Watch.Branches, Tags: w.Watch.Tags,
		PullRequests: w.Watch.PullRequests, Paths: w.Paths,
	}, err
}

func team(canonical []byte, p *waybill.Platform) (*waybill.TeamSpec, error) {
	w, err := read[wireTeam](canonical, p)
	return &waybill.TeamSpec{
		Members: w.Members, DevAccount: w.Defaults.Dev.Account, DevProject: w.Defaults.Dev.Project, Targets: w.Defaults.Targets,
		MaxConnectors: w.Limits.Connectors, MaxBuilds: w.Limits.Builds, MaxRuns: w.Limits.Runs,
	}, err
}

func site(canonical []byte, p *waybill.Platform) (*waybill.SiteSpec, error) {
	w, err := read[wireSite](canonical, p)
	s := &waybill.SiteSpec{Account: w.Account, Project: w.Project, Environment: w.Environment}
	for _, a := range w.Connectors {
		s.Assignments = append(s.Assignments, waybill.AssignmentSpec{
			Connector: a.Connector, Major: a.Version, Config: a.Config, Secrets: named(a.Secrets), Credentials: named(a.Credentials),
			Schedule: a.Schedule, Enabled: a.Enabled,
		})
	}
	return s, err
}

// named gives each reference the name that it stands under.
func named(refs map[string]waybill.SecretRef) map[string]waybill.SecretRef {
	for name, ref := range refs {
		ref.Name = name
		refs[name] = ref
	}
	return refs
}

func workspace(canonical []byte, p *waybill.Platform) (*waybill.WorkspaceSpec, error) {
	w, err := read[wireWorkspace](canonical, p)
	s := &waybill.WorkspaceSpec{Title: w.Title, Admins: w.Admins}
	for _, i := range w.Installs {
		install := waybill.InstallSpec{App: i.App, Channel: i.Channel, Version: i.Version, Settings: map[string]string{}, Scopes: i.Scopes}
		for key, v := range i.Settings {
			if text := asText(v); text != nil {
				install.Settings[key] = *text
			}
		}
		s.Installs = append(s.Installs, install)
	}
	return s, err
}

func policy(canonical []byte, p *waybill.Platform) (*waybill.PolicySpec, error) {
	w, err := read[wirePolicy](canonical, p)
	return &waybill.PolicySpec{
		BaseImages: w.BaseImages, RequireHealthCheck: w.RequireHealthCheck, MaxImageSize: memory(w.MaxImageSize), Forks: w.Forks,
		MoveTags: w.MoveTags, Reviewers: w.Reviewers, Constraints: w.Constraints,
	}, err
}
