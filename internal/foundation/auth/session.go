package auth

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// CookieName is the name of the cookie that holds a session.
const CookieName = "waybill_session"

// SignIn exchanges the secret of a sign-in link for a session. A link works once: of two requests with the same
// secret one succeeds, the other reports Unauthenticated.
func (k *Keeper) SignIn(ctx context.Context, link Secret) (session Secret, ends time.Time, err error) {
	session, now := newSecret(sessionPrefix), k.now()
	ends = now.Add(sessionLife)
	err = k.db.Write(ctx, "token.sign_in", func(tx *store.Tx) error {
		row, err := k.lookup(ctx, tx, link, linkPrefix)
		if err != nil {
			return err
		}
		if err := store.DeleteToken(ctx, tx, row.ID); err != nil {
			return err
		}
		t := store.Token{
			ID: store.NewID(now), Name: row.Name, Hash: session.hash(), Scope: string(scopeSession), Created: now, Expires: ends,
		}
		if err := store.InsertToken(ctx, tx, t); err != nil {
			return err
		}
		return store.Record(ctx, tx, waybill.Entry{
			Actor: row.Name, Channel: waybill.ChannelPortal, Subject: "token:" + t.ID, Action: "session.open",
		})
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return session, ends, nil
}

// Sweep deletes what has expired and returns how many there were.
func (k *Keeper) Sweep(ctx context.Context) (int, error) {
	n := 0
	err := k.db.Write(ctx, "token.sweep", func(tx *store.Tx) error {
		n = 0
		rows, err := store.Tokens(ctx, tx)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if !k.expired(r) {
				continue
			}
			if err := store.DeleteToken(ctx, tx, r.ID); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// Cookie returns the cookie that carries a session until it ends. secure keeps it off unencrypted connections.
func Cookie(session Secret, ends time.Time, secure bool) *http.Cookie {
	return &http.Cookie{
		Name: CookieName, Value: session.Reveal(), Path: "/", Expires: ends,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

// NoCookie returns the cookie that makes a browser forget its session.
func NoCookie(secure bool) *http.Cookie {
	return &http.Cookie{
		Name: CookieName, Path: "/", MaxAge: -1, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
}

// Request returns who sends r. Without credentials, or with a session that has ended, it is somebody unknown;
// a bearer token that is not good reports Unauthenticated.
func (k *Keeper) Request(r *http.Request) (Principal, error) {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, token, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Principal{}, waybill.Errorf(waybill.Unauthenticated, "use Authorization: Bearer wb_…")
		}
		return k.Bearer(r.Context(), Secret(strings.TrimSpace(token)))
	}
	c, err := r.Cookie(CookieName)
	if err != nil {
		return Principal{}, nil //nolint:nilerr // No cookie means somebody unknown, which is no error.
	}
	p, err := k.Session(r.Context(), Secret(c.Value))
	if waybill.IsCode(err, waybill.Unauthenticated) {
		return Principal{}, nil
	}
	return p, err
}
