package waybill

import (
	"strconv"
	"strings"
)

// The kinds of declarations.
const (
	KindConnector    = "Connector"
	KindApp          = "App"
	KindRepository   = "Repository"
	KindTeam         = "Team"
	KindSite         = "Site"
	KindWorkspace    = "Workspace"
	KindAuthProvider = "AuthProvider"
	KindEventCatalog = "EventCatalog"
	KindTerms        = "Terms"
	KindPolicy       = "Policy"
)

// Kinds lists every kind; those behind App are declared in the platform repository only.
func Kinds() []string {
	return []string{
		KindConnector, KindApp, KindRepository, KindTeam, KindSite, KindWorkspace, KindAuthProvider, KindEventCatalog, KindTerms, KindPolicy,
	}
}

// Identity names a declaration: unique over the whole portal.
type Identity struct {
	Kind  string
	Name  string
	Major int // of a connector; 1 for every other kind
}

// kindPrefixes are written in front of names of kinds that have names of their own.
var kindPrefixes = []struct{ kind, prefix string }{
	{KindApp, "app/"},
	{KindRepository, "repository/"},
	{KindTeam, "team/"},
	{KindSite, "site/"},
	{KindWorkspace, "workspace/"},
	{KindAuthProvider, "auth-provider/"},
	{KindEventCatalog, "event-catalog/"},
	{KindTerms, "terms/"},
	{KindPolicy, "policy/"},
}

// String returns the identity so that ParseIdentity reads it: name for a connector, name@major from major 2 on,
// kind/name for any other kind, such as app/invoice-sync or auth-provider/shop-login.
func (id Identity) String() string {
	for _, k := range kindPrefixes {
		if k.kind == id.Kind {
			return k.prefix + id.Name
		}
	}
	if id.Major <= 1 {
		return id.Name
	}
	return id.Name + "@" + strconv.Itoa(id.Major)
}

// Label returns the identity as status contexts name it: like String, but an app by its name alone, which it shares
// with no connector.
func (id Identity) Label() string {
	if id.Kind == KindApp {
		return id.Name
	}
	return id.String()
}

// Claim returns what must be unique in the portal: the name over connectors and apps together, kind/name otherwise.
func (id Identity) Claim() string {
	id.Major = 1
	return id.Label()
}

// ParseIdentity reads what Identity.String printed.
func ParseIdentity(s string) Identity {
	for _, k := range kindPrefixes {
		if name, ok := strings.CutPrefix(s, k.prefix); ok {
			return Identity{Kind: k.kind, Name: name, Major: 1}
		}
	}
	name, major, found := strings.Cut(s, "@")
	id := Identity{Kind: KindConnector, Name: name, Major: 1}
	if n, err := strconv.Atoi(major); found && err == nil {
		id.Major = n
	}
	return id
}
