package auth

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// How long what a browser holds is good for, and how exactly the last use of a token is known.
const (
	linkLife    = 15 * time.Minute
	sessionLife = 7 * 24 * time.Hour
	usedEvery   = time.Hour
)

// Keeper issues and checks tokens, sessions and sign-in links. The store keeps hashes only.
type Keeper struct {
	db  *store.DB
	now func() time.Time
}

// New returns a Keeper over db.
func New(db *store.DB, now func() time.Time) *Keeper { return &Keeper{db: db, now: now} }

// Token describes a token without its secret.
type Token struct {
	ID      string // ULID
	Name    string
	Scope   Scope
	Created time.Time
	Expires time.Time // zero: never
	Used    time.Time // to the hour; zero: never
}

// Issue makes a token that lives for life, or for ever when life is zero. The secret is shown this once.
// It reports Invalid for a scope that is unknown and a name that is empty or too long.
func (k *Keeper) Issue(ctx context.Context, name string, scope Scope, life time.Duration, by waybill.Actor) (Token, Secret, error) {
	switch {
	case scope != ScopeRead && scope != ScopeAdmin:
		return Token{}, "", waybill.Errorf(waybill.Invalid, "unknown scope %q: use %s or %s", scope, ScopeRead, ScopeAdmin)
	case name == "" || len(name) > 100:
		return Token{}, "", waybill.Errorf(waybill.Invalid, "a token needs a name of 1 to 100 bytes")
	case life < 0:
		return Token{}, "", waybill.Errorf(waybill.Invalid, "a token cannot end in the past")
	}
	return k.insert(ctx, name, scope, tokenPrefix, life, by)
}

// Link makes a sign-in link's secret: good once, for 15 minutes.
func (k *Keeper) Link(ctx context.Context, by waybill.Actor) (Secret, time.Time, error) {
	t, secret, err := k.insert(ctx, cmp.Or(by.Name, "admin"), scopeLink, linkPrefix, linkLife, by)
	return secret, t.Expires, err
}

func (k *Keeper) insert(ctx context.Context, name string, scope Scope, prefix string, life time.Duration, by waybill.Actor) (Token, Secret, error) {
	secret, now := newSecret(prefix), k.now()
	t := Token{ID: store.NewID(now), Name: name, Scope: scope, Created: now}
	if life > 0 {
		t.Expires = now.Add(life)
	}
	err := k.db.Write(ctx, "token.issue", func(tx *store.Tx) error {
		row := store.Token{ID: t.ID, Name: name, Hash: secret.hash(), Scope: string(scope), Created: now, Expires: t.Expires}
		if err := store.InsertToken(ctx, tx, row); err != nil {
			return err
		}
		return store.Record(ctx, tx, waybill.Entry{
			Actor: by.Name, Channel: by.Channel, Subject: "token:" + t.ID, Action: "token.issue", After: string(scope), Message: name,
		})
	})
	return t, secret, err
}

// Tokens lists the tokens that are good now, newest first, without sessions and links.
func (k *Keeper) Tokens(ctx context.Context) ([]Token, error) {
	rows, err := store.Tokens(ctx, k.db.Query())
	if err != nil {
		return nil, err
	}
	tokens := make([]Token, 0, len(rows))
	for _, r := range slices.Backward(rows) {
		if s := Scope(r.Scope); (s == ScopeRead || s == ScopeAdmin) && !k.expired(r) {
			tokens = append(tokens, Token{ID: r.ID, Name: r.Name, Scope: Scope(r.Scope), Created: r.Created, Expires: r.Expires, Used: r.LastUsed})
		}
	}
	return tokens, nil
}

// Revoke ends a token or session at once, or reports NotFound.
func (k *Keeper) Revoke(ctx context.Context, id string, by waybill.Actor) error {
	return k.db.Write(ctx, "token.revoke", func(tx *store.Tx) error {
		if err := store.DeleteToken(ctx, tx, id); err != nil {
			return err
		}
		return store.Record(ctx, tx, waybill.Entry{
			Actor: by.Name, Channel: by.Channel, Subject: "token:" + id, Action: "token.revoke",
		})
	})
}

// Bearer returns who holds the bearer token s, or Unauthenticated.
func (k *Keeper) Bearer(ctx context.Context, s Secret) (Principal, error) {
	return k.find(ctx, s, tokenPrefix, waybill.ChannelAPI)
}

// Session returns who holds the session cookie s, or Unauthenticated.
func (k *Keeper) Session(ctx context.Context, s Secret) (Principal, error) {
	return k.find(ctx, s, sessionPrefix, waybill.ChannelPortal)
}

func (k *Keeper) find(ctx context.Context, s Secret, prefix string, channel waybill.Channel) (Principal, error) {
	row, err := k.lookup(ctx, k.db.Query(), s, prefix)
	if err != nil {
		return Principal{}, err
	}
	if now := k.now(); now.Sub(row.LastUsed) >= usedEvery {
		// A disk that is full must not lock out who comes to look: the next request tries again.
		_ = k.db.Write(ctx, "token.touch", func(tx *store.Tx) error { return store.TouchToken(ctx, tx, row.ID, now) })
	}
	p := Principal{Name: row.Name, Scope: Scope(row.Scope), Channel: channel, Token: row.ID}
	if p.Scope == scopeSession {
		p.Scope = ScopeAdmin
	}
	return p, nil
}

// lookup returns what is stored of s when it is good now, else Unauthenticated with one text for every reason.
func (k *Keeper) lookup(ctx context.Context, q store.Querier, s Secret, prefix string) (store.Token, error) {
	refused := waybill.Errorf(waybill.Unauthenticated, "the token is unknown, revoked or expired")
	if !s.is(prefix) {
		return store.Token{}, refused
	}
	row, err := store.TokenByHash(ctx, q, s.hash())
	switch {
	case waybill.IsCode(err, waybill.NotFound), err == nil && k.expired(row):
		return store.Token{}, refused
	case err != nil:
		return store.Token{}, err
	}
	return row, nil
}

func (k *Keeper) expired(t store.Token) bool {
	return !t.Expires.IsZero() && !k.now().Before(t.Expires)
}
