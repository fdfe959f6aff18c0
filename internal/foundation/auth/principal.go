package auth

import (
	"context"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Scope is how much a token allows.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "read"  // see everything, change nothing
	ScopeAdmin Scope = "admin" // everything

	scopeSession Scope = "session" // everything, in a browser
	scopeLink    Scope = "link"    // exchange it for a session, once
)

// Action is what a principal wants to do.
type Action string

// The actions.
const (
	Read   Action = "read"   // look at anything
	Act    Action = "act"    // start and cancel runs, promote, roll back, retry
	Manage Action = "manage" // repositories, tokens
)

// Principal is who is asking. The zero value is somebody unknown.
type Principal struct {
	Name    string // as the audit trail shows it
	Scope   Scope
	Channel waybill.Channel // api with a token, portal with a session
	Token   string          // id of the token or session; empty when unknown
}

// Known reports whether p presented valid credentials.
func (p Principal) Known() bool { return p.Scope == ScopeRead || p.Scope == ScopeAdmin }

// Actor returns p as the audit trail records it.
func (p Principal) Actor() waybill.Actor { return waybill.Actor{Name: p.Name, Channel: p.Channel} }

// Allow reports whether p may do a: nil, Unauthenticated for somebody unknown, Denied for a scope that is too small.
func Allow(p Principal, a Action) error {
	switch {
	case !p.Known():
		return waybill.Errorf(waybill.Unauthenticated, "this needs a token (Authorization: Bearer wb_…) or a signed-in browser")
	case p.Scope == ScopeAdmin || a == Read:
		return nil
	default:
		return waybill.Errorf(waybill.Denied, "%s may read only; this needs a token of scope %s", p.Name, ScopeAdmin)
	}
}

type principalKey struct{}

// With returns a context that carries who is asking.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From returns who is asking; the zero Principal when nobody said.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}
