package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
)

// Version says which program answers.
func (c *Client) Version(ctx context.Context) (wire.Version, error) {
	return ask[wire.Version](ctx, c, call{method: http.MethodGet, path: "/version"})
}

// Repositories lists what is watched, by name.
func (c *Client) Repositories(ctx context.Context) ([]wire.Repository, error) {
	return all[wire.Repository](ctx, c, "/repositories", nil, 0)
}

// Repository shows a repository by id, owner/name, unique name or URL.
func (c *Client) Repository(ctx context.Context, name string) (wire.Repository, error) {
	return ask[wire.Repository](ctx, c, call{method: http.MethodGet, path: "/repositories/" + url.PathEscape(name)})
}

// AddRepository watches a repository.
func (c *Client) AddRepository(ctx context.Context, in wire.AddRepository) (wire.AddedRepository, error) {
	return ask[wire.AddedRepository](ctx, c, call{method: http.MethodPost, path: "/repositories", in: in})
}

// RemoveRepository stops watching a repository.
func (c *Client) RemoveRepository(ctx context.Context, name string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: "/repositories/" + url.PathEscape(name)}, nil)
}

// InstallHook installs the hook of a repository again, with a new secret if in says so.
func (c *Client) InstallHook(ctx context.Context, name string, in wire.RepositoryHook) (wire.InstalledHook, error) {
	return ask[wire.InstalledHook](ctx, c, call{method: http.MethodPost, path: "/repositories/" + url.PathEscape(name) + "/hook", in: in})
}

// Forges lists the forges of the configuration, plain Git last.
func (c *Client) Forges(ctx context.Context) ([]wire.Forge, error) {
	p, err := ask[wire.Page[wire.Forge]](ctx, c, call{method: http.MethodGet, path: "/forges"})
	return p.Items, err
}

// CheckForge tries a forge.
func (c *Client) CheckForge(ctx context.Context, name string, in wire.CheckForge) (wire.ForgeCheck, error) {
	return ask[wire.ForgeCheck](ctx, c, call{method: http.MethodPost, path: "/forges/" + url.PathEscape(name) + "/check", in: in})
}

// CommitStatuses says what Waybill says about a commit. repository is needed only when several have the commit.
func (c *Client) CommitStatuses(ctx context.Context, commit, repository string) (wire.CommitStatuses, error) {
	return ask[wire.CommitStatuses](ctx, c, call{
		method: http.MethodGet, path: "/commits/" + url.PathEscape(commit) + "/statuses", query: values("repository", repository),
	})
}

// Validate says what a tree that was not pushed would mean.
func (c *Client) Validate(ctx context.Context, in wire.Validate) (wire.Validation, error) {
	return ask[wire.Validation](ctx, c, call{method: http.MethodPost, path: "/validate", in: in})
}

// Retry examines a commit again.
func (c *Client) Retry(ctx context.Context, commit, repository string) (wire.Commit, error) {
	return ask[wire.Commit](ctx, c, call{
		method: http.MethodPost, path: "/commits/" + url.PathEscape(commit) + "/retry", query: values("repository", repository),
	})
}

// Settings lists what the platform repository declares of a kind, or of all when it is empty, by kind and name.
func (c *Client) Settings(ctx context.Context, kind string) ([]wire.Setting, error) {
	return all[wire.Setting](ctx, c, "/settings", values("kind", kind), 0)
}

// History lists at most limit entries of the audit trail, newest first. Empty values select all.
func (c *Client) History(ctx context.Context, subject, commit string, limit int) ([]wire.Entry, error) {
	return all[wire.Entry](ctx, c, "/history", values("subject", subject, "commit", commit), limit)
}

// Tokens lists the tokens that are good now.
func (c *Client) Tokens(ctx context.Context) ([]wire.Token, error) {
	p, err := ask[wire.Page[wire.Token]](ctx, c, call{method: http.MethodGet, path: "/tokens"})
	return p.Items, err
}

// CreateToken makes a token.
func (c *Client) CreateToken(ctx context.Context, in wire.NewToken) (wire.IssuedToken, error) {
	return ask[wire.IssuedToken](ctx, c, call{method: http.MethodPost, path: "/tokens", in: in})
}

// RevokeToken ends a token.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: "/tokens/" + url.PathEscape(id)}, nil)
}

// SignInLink makes a link that signs a browser in.
func (c *Client) SignInLink(ctx context.Context) (wire.SignInLink, error) {
	return ask[wire.SignInLink](ctx, c, call{method: http.MethodPost, path: "/sign-in-links"})
}
