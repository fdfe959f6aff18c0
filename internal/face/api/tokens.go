package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
)

func (a *API) addTokens() {
	add(a, operation{
		method: http.MethodGet, path: "/tokens", id: "list-tokens", tag: "tokens",
		summary: "List tokens that are good now, newest first, without their secrets.", action: auth.Manage,
	}, func(ctx context.Context, _ *struct{}) (*body[wire.Page[wire.Token]], error) {
		rows, err := a.Tokens.Tokens(ctx)
		return answer(wire.Page[wire.Token]{Items: each(rows, token)}), err
	})
	add(a, operation{
		method: http.MethodPost, path: "/tokens", id: "create-token", tag: "tokens", status: http.StatusCreated,
		summary: "Make a token. Its secret is shown in this answer only.", action: auth.Manage,
	}, func(ctx context.Context, in *create[wire.NewToken]) (*body[wire.IssuedToken], error) {
		return once(ctx, a.seen, "tokens", in, func(ctx context.Context, in wire.NewToken) (wire.IssuedToken, error) {
			t, secret, err := a.Tokens.Issue(ctx, in.Name, auth.Scope(in.Scope), time.Duration(in.ExpiresIn)*time.Second, by(ctx))
			return wire.IssuedToken{Token: token(t), Secret: secret.Reveal()}, err
		})
	})
	add(a, operation{
		method: http.MethodDelete, path: "/tokens/{id}", id: "revoke-token", tag: "tokens",
		summary: "End a token at once.", action: auth.Manage,
	}, func(ctx context.Context, in *struct {
		ID string `path:"id" maxLength:"40" doc:"Id of the token."`
	},
	) (*struct{}, error) {
		return nil, a.Tokens.Revoke(ctx, in.ID, by(ctx))
	})
	add(a, operation{
		method: http.MethodPost, path: "/sign-in-links", id: "create-sign-in-link", tag: "tokens", status: http.StatusCreated,
		summary: "Make a link that signs a browser in: once, within 15 minutes.", action: auth.Manage,
	}, func(ctx context.Context, _ *struct{}) (*body[wire.SignInLink], error) {
		secret, expires, err := a.Tokens.Link(ctx, by(ctx))
		return answer(wire.SignInLink{
			URL: a.PublicURL() + "/sign-in?token=" + url.QueryEscape(secret.Reveal()), Expires: expires,
		}), err
	})
}

func token(t auth.Token) wire.Token {
	return wire.Token{ID: t.ID, Name: t.Name, Scope: string(t.Scope), Created: t.Created, Expires: t.Expires, Used: t.Used}
}
