package waybill

import "time"

// App is a program elsewhere that workspaces install and that is told of events, as declared.
type App struct {
	Title, Description, Owner string
	Labels                    map[string]string
	Readme, Logo              string // paths in the tree; empty when absent
	Support                   Support
	Members                   []Member
	Distribution              Distribution
	Allowlist                 []Allowance
	Scopes                    []ScopeRequest
	Endpoints                 []Endpoint // sorted by Key
	Webhooks                  []Webhook
	Install                   InstallRules
	Credentials               CredentialRules
	Release                   AppRelease
}

// Support says where people find help with an app and what they agree to. What is absent is empty.
type Support struct{ Email, URL, Privacy, Terms string }

// Member is a person who works on an app.
type Member struct {
	User, Role string // role: owner, publisher, developer or viewer
	Secrets    bool   // may see and rotate secrets
	Expires    string // date such as 2026-12-31; empty: never
}

// Distribution says who may find and install an app.
type Distribution string

// The distributions, from narrow to wide. A wider one is only a request until a reviewer approves it.
const (
	Private  Distribution = "private"  // workspaces on the allowlist
	Unlisted Distribution = "unlisted" // whoever has the link
	Listed   Distribution = "listed"   // everybody, in the catalog
)

// Allowance lets one workspace install a private app.
type Allowance struct {
	Workspace string
	Until     string // date such as 2026-12-31; empty: for good
}

// ScopeRequest is a right that an app asks for at consent.
type ScopeRequest struct {
	Scope, Purpose string
	Optional       bool
}

// Endpoint is an address that webhooks are sent to.
type Endpoint struct {
	Key, URL    string
	Timeout     time.Duration
	Signing     string // v1 or v1a
	MaxInFlight int
	Ordering    string // none or workspace
}

// Webhook says which events go to an endpoint.
type Webhook struct {
	Name, Endpoint string // key of the endpoint
	Events         []string
	Categories     []string
	DataTypes      []string
	Filter         string // CEL over event and workspace; empty: all
	Payload        string // thin or full
}

// InstallRules say how an app is installed.
type InstallRules struct {
	RedirectURLs []string // compared byte by byte
	SetupURL     string   // empty: none
	Settings     []Setting
	LinkTTL      time.Duration
	LinkMaxUses  int
}

// Setting is a value that a workspace gives to an app.
type Setting struct {
	Key, Type, Title, Help string
	Required               bool
	Default                *string // as text; nil: none
	Enum                   []string
	Pattern                string // RE2; empty: any text
}

// CredentialRules say how secrets of an app change.
type CredentialRules struct {
	RotateEvery time.Duration // 0: only when asked
	Overlap     time.Duration // how long the old one works beside the new one
}

// AppRelease binds a branch and tags to the channels of an app.
type AppRelease struct {
	DraftBranch  string // empty: the default branch
	PublishedTag string // glob
	Notes        string
}
