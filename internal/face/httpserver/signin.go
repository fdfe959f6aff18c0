package httpserver

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// authenticator finds out who sends a request: somebody unknown, or Unauthenticated for credentials that are not good.
type authenticator interface {
	Request(r *http.Request) (auth.Principal, error)
}

// Authenticate puts who is asking into the request's context. It lets unknown people pass: handlers decide with [auth.Allow].
func Authenticate(log *slog.Logger, a authenticator) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p, err := a.Request(r)
			if err != nil {
				if waybill.IsCode(err, waybill.Unauthenticated) {
					w.Header().Set("WWW-Authenticate", `Bearer realm="waybill"`)
				}
				WriteError(w, r, log, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(auth.With(r.Context(), p)))
		})
	}
}

// sessions exchanges sign-in links for sessions and ends sessions.
type sessions interface {
	SignIn(ctx context.Context, link auth.Secret) (session auth.Secret, ends time.Time, err error)
	Revoke(ctx context.Context, id string, by waybill.Actor) error
}

// SignIn registers GET /sign-in?token=wbl_…, which sets the session cookie and leads to the first page, and
// POST /sign-out. secure says that browsers reach the server by https only.
func SignIn(mux *http.ServeMux, log *slog.Logger, s sessions, secure bool) {
	mux.HandleFunc("GET /sign-in", func(w http.ResponseWriter, r *http.Request) {
		session, ends, err := s.SignIn(r.Context(), auth.Secret(r.URL.Query().Get("token")))
		if waybill.IsCode(err, waybill.Unauthenticated) {
			err = waybill.Errorf(waybill.Unauthenticated, "this sign-in link was used or is older than 15 minutes: get a new one with `waybill token link`")
		}
		if err != nil {
			WriteError(w, r, log, err)
			return
		}
		http.SetCookie(w, auth.Cookie(session, ends, secure))
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /sign-out", func(w http.ResponseWriter, r *http.Request) {
		if p := auth.From(r.Context()); p.Channel == waybill.ChannelPortal && p.Token != "" {
			if err := s.Revoke(r.Context(), p.Token, p.Actor()); err != nil && !waybill.IsCode(err, waybill.NotFound) {
				WriteError(w, r, log, err)
				return
			}
		}
		http.SetCookie(w, auth.NoCookie(secure))
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
}
