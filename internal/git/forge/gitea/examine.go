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
	found := []forge.Finding{g.signIn(ctx)}
	if r.Path == "" || !found[0].OK {
		return found
	}
	repository := g.mayReach(ctx, r)
	if found = append(found, repository); !repository.OK {
		return found
	}
	return append(found, g.mayStatus(ctx, r), g.mayComment(ctx, r), g.mayHook(ctx, r))
}

func (g *Gitea) signIn(ctx context.Context) forge.Finding {
	f := forge.Finding{What: "token"}
	if token, err := g.options.Token(ctx); err == nil && token == "" {
		f.Says = "there is none: name its file or its environment variable in the configuration"
		return f
	}
	var user *sdk.User
	err := g.ask(ctx, "user", func(c *sdk.Client) (err error) {
		user, _, err = c.GetMyUserInfo()
		return err
	})
	switch {
	case waybill.IsCode(err, waybill.Denied):
		// A token without the scope read:user signs in all the same.
		f.OK, f.Says = true, "signs in; whose it is it may not say (scope read:user)"
	case err != nil:
		f.Says = err.Error() + ": make a new one under Settings, Applications, with the scopes write:repository and write:issue"
	default:
		f.OK, f.Says = true, "signs in as "+user.UserName
	}
	return f
}

func (g *Gitea) mayReach(ctx context.Context, r waybill.Repository) forge.Finding {
	f := forge.Finding{What: "repository " + r.Path}
	var found *sdk.Repository
	err := g.in(ctx, r, "repository", func(c *sdk.Client, p place) (err error) {
		found, _, err = c.GetRepo(p.owner, p.name)
		return err
	})
	switch {
	case err != nil:
		f.Says = err.Error() + ": add the token's user to its collaborators"
	case found.Permissions != nil && !found.Permissions.Pull:
		f.Says = "the token's user may not read it: add it to the collaborators"
	default:
		f.OK, f.Says = true, "can be read"
		if found.Archived {
			f.Says += "; it is archived, so no status can be written"
		}
	}
	return f
}

// nowhere is a commit that no repository has.
const nowhere = "0000000000000000000000000000000000000001"

func (g *Gitea) mayStatus(ctx context.Context, r waybill.Repository) forge.Finding {
	f := forge.Finding{What: "statuses of " + r.Path}
	err := g.in(ctx, r, "status", func(c *sdk.Client, p place) error {
		_, _, err := c.CreateStatus(p.owner, p.name, nowhere, sdk.CreateStatusOption{State: sdk.StatusPending, Context: "waybill"})
		return err
	})
	return judge(f, err, "give the token the scope write:repository, and its user the right to write")
}

func (g *Gitea) mayComment(ctx context.Context, r waybill.Repository) forge.Finding {
	f := forge.Finding{What: "comments of " + r.Path}
	err := g.in(ctx, r, "comment", func(c *sdk.Client, p place) error {
		_, _, err := c.EditIssueComment(p.owner, p.name, 0, sdk.EditIssueCommentOption{Body: forge.Marker})
		return err
	})
	return judge(f, err, "give the token the scope write:issue")
}

func (g *Gitea) mayHook(ctx context.Context, r waybill.Repository) forge.Finding {
	f := forge.Finding{What: "hooks of " + r.Path}
	err := g.in(ctx, r, "hooks", func(c *sdk.Client, p place) error {
		_, _, err := c.ListRepoHooks(p.owner, p.name, sdk.ListHooksOptions{ListOptions: sdk.ListOptions{Page: 1, PageSize: 1}})
		return err
	})
	if err == nil {
		f.OK, f.Says = true, "can be installed, and who may write can be asked"
		return f
	}
	f.Says = err.Error() + ": make the token's user an administrator of the repository, or install the hook by hand"
	return f
}

// judge turns the answer to a request about nothing into a finding: only a refusal is bad news.
func judge(f forge.Finding, err error, advice string) forge.Finding {
	switch waybill.CodeOf(err) {
	case waybill.Denied, waybill.Unauthenticated:
		f.Says = err.Error() + ": " + advice
	default:
		f.OK, f.Says = true, "can be written"
	}
	return f
}
