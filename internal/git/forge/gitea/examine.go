package gitea

import (
	"context"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Examine signs in and, unless r is zero, tries every right that Waybill needs there. It changes nothing: what it asks
// to be written is about a commit and a comment that do not exist, which Gitea says only to those who may.
func (g *Gitea) Examine(ctx context.Context, r waybill.Repository) []forge.Finding {
	var out forge.Report
	if !g.signIn(ctx, &out) || r.Path == "" {
		return out
	}
	found, err := g.repository(ctx, r)
	if err == nil && found.Permissions != nil && !found.Permissions.Pull {
		err = waybill.Errorf(waybill.Denied, "the token's user may not read it: add it to the collaborators")
	}
	if !out.Repository(err, r.Path, err == nil && found.Archived, "can be read") {
		return out
	}
	out.Add(refused(g.mayStatus(ctx, r), "give the token the scope write:repository, and its user the right to write"), "statuses of "+r.Path, "can be written")
	out.Add(refused(g.mayComment(ctx, r), "give the token the scopes write:issue and read:user"), "comments of "+r.Path, "can be written")
	out.Hook(ctx, hooks{g, r}, r)
	return out
}

func (g *Gitea) signIn(ctx context.Context, out *forge.Report) bool {
	if token, err := g.options.Token.Read(ctx); err == nil && token == "" {
		return out.Add(waybill.Errorf(waybill.Unauthenticated, "there is none: name its file or its environment variable in the configuration"), "token", "")
	}
	me, err := g.me(ctx)
	switch {
	case waybill.IsCode(err, waybill.Denied):
		out.Add(err, "token", "")
		return true // the rest may be well
	case err != nil:
		err = waybill.Wrap(waybill.CodeOf(err), err, err.Error()+": make a new one under Settings, Applications, with the scopes write:repository, write:issue and read:user")
		return out.Add(err, "token", "")
	}
	return out.Add(nil, "token", "signs in as "+me.UserName)
}

// nowhere is a commit that no repository has.
const nowhere = "0000000000000000000000000000000000000001"

func (g *Gitea) mayStatus(ctx context.Context, r waybill.Repository) error {
	return g.in(ctx, r, "status", func(c *sdk.Client, p place) error {
		_, _, err := c.CreateStatus(p.owner, p.name, nowhere, sdk.CreateStatusOption{State: sdk.StatusPending, Context: "waybill"})
		return err
	})
}

func (g *Gitea) mayComment(ctx context.Context, r waybill.Repository) error {
	if _, err := g.me(ctx); err != nil {
		return err
	}
	return g.in(ctx, r, "comment", func(c *sdk.Client, p place) error {
		_, _, err := c.EditIssueComment(p.owner, p.name, 0, sdk.EditIssueCommentOption{Body: forge.Marker})
		return err
	})
}

// refused says what to do when a request about nothing was refused. Any other answer to it is good news.
func refused(err error, advice string) error {
	switch code := waybill.CodeOf(err); code {
	case waybill.Denied, waybill.Unauthenticated:
		return waybill.Wrap(code, err, err.Error()+": "+advice)
	default:
		return nil
	}
}
