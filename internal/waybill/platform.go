package waybill

import "encoding/json"

// Platform is what a declaration of the platform repository says: exactly one of the specs is set.
type Platform struct {
	Title, Description, Owner string
	Labels                    map[string]string
	Readme, Logo              string // paths in the tree; empty when absent

	Repository   *RepositorySpec
	Team         *TeamSpec
	Site         *SiteSpec
	Workspace    *WorkspaceSpec
	AuthProvider *AuthProviderSpec
	EventCatalog *EventCatalogSpec
	Terms        *TermsSpec
	Policy       *PolicySpec
}

// RepositorySpec declares a repository to watch.
type RepositorySpec struct {
	URL, Forge, Owner string
	Branches, Tags    []string // globs
	PullRequests      bool
	Paths             []string // where manifests may live; empty: everywhere
}

// TeamSpec declares a team.
type TeamSpec struct {
	Members                           []Member
	DevAccount, DevProject            string // where its dev site lies
	Targets                           Scope  // defaults of release.targets
	MaxConnectors, MaxBuilds, MaxRuns int
}

// SiteSpec declares a site and what is assigned to it.
type SiteSpec struct {
	Account, Project string
	Environment      Environment
	Assignments      []AssignmentSpec
}

// AssignmentSpec assigns a connector major to a site.
type AssignmentSpec struct {
	Connector   string
	Major       int
	Config      map[string]string
	Secrets     map[string]SecretRef // by name of the secret
	Credentials map[string]SecretRef // by name of the AuthProvider
	Schedule    string               // cron; empty: the schedule of the live version
	Enabled     bool
}

// WorkspaceSpec declares a workspace and the apps in it.
type WorkspaceSpec struct {
	Title    string
	Admins   []string
	Installs []InstallSpec
}

// InstallSpec installs an app in a workspace. It follows a channel or stays at a version, never both.
type InstallSpec struct {
	App, Channel, Version string
	Settings              map[string]string
	Scopes                []string
}

// AuthProviderSpec declares what end users sign in with.
type AuthProviderSpec struct {
	Type                   string // oauth2, basic, api-key or custom
	Fields                 []CredentialField
	AuthorizeURL, TokenURL string // oauth2
	Scopes                 []string
	PKCE                   bool
}

// CredentialField is one part of a credential.
type CredentialField struct {
	Name   string
	Secret bool
}

// EventCatalogSpec declares the events that apps can be told of and the scopes they ask for.
type EventCatalogSpec struct {
	Events []EventType
	Scopes []ScopeSpec
}

// EventType is one kind of event.
type EventType struct {
	Type, Category string
	DataTypes      []string
	Scope          string
	Schema         json.RawMessage // JSON Schema of the event's data
	Retired        bool
}

// ScopeSpec is a right that apps can ask for.
type ScopeSpec struct{ Name, Description string }

// TermsSpec declares a version of the terms that publishers accept.
type TermsSpec struct {
	Version   string
	Text      string // path in the tree
	Effective string // date such as 2026-12-31
	GraceDays int
}

// PolicySpec declares what every other declaration must keep.
type PolicySpec struct {
	BaseImages         []string // globs; empty: any
	RequireHealthCheck bool
	MaxImageSize       int64  // bytes; 0: no limit
	Forks              string // deny or validate
	MoveTags           string // deny
	Reviewers          []string
	Constraints        string // path of a CUE file in the tree; empty: none
	// Message is what people read who break the policy: its description.
	Message string
	// Source is the content of that file.
	Source []byte
}
