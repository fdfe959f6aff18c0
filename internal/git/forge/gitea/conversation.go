package gitea

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Pull returns a pull request.
func (g *Gitea) Pull(ctx context.Context, r waybill.Repository, number int) (waybill.Pull, error) {
	var found *sdk.PullRequest
	err := g.in(ctx, r, "pull", func(c *sdk.Client, p place) (err error) {
		found, _, err = c.GetPullRequest(p.owner, p.name, int64(number))
		return err
	})
	if err != nil {
		return waybill.Pull{}, err
	}
	return g.pull(r, found)
}

// OpenPulls lists the open pull requests. TooLarge: there are more than 5,000.
func (g *Gitea) OpenPulls(ctx context.Context, r waybill.Repository) ([]waybill.Pull, error) {
	var all []waybill.Pull
	for one, err := range listed(func(page sdk.ListOptions) (some []*sdk.PullRequest, err error) {
		err = g.in(ctx, r, "pulls", func(c *sdk.Client, p place) error {
			some, _, err = c.ListRepoPullRequests(p.owner, p.name, sdk.ListPullRequestsOptions{ListOptions: page, State: sdk.StateOpen})
			return err
		})
		return some, err
	}) {
		if waybill.IsCode(err, waybill.NotFound) && g.hasNone(ctx, r) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		p, err := g.pull(r, one)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// hasNone reports whether r is there and cannot have pull requests: nothing was pushed yet, or they are turned off. Gitea
// then finds no list of them.
func (g *Gitea) hasNone(ctx context.Context, r waybill.Repository) bool {
	found, err := g.repository(ctx, r)
	return err == nil && (found.Empty || found.Mirror || !found.HasPullRequests)
}

func (g *Gitea) pull(r waybill.Repository, from *sdk.PullRequest) (waybill.Pull, error) {
	if from == nil || from.Head == nil || from.Base == nil || from.Index <= 0 {
		return waybill.Pull{}, waybill.Errorf(waybill.Unavailable, "Gitea answers with half a pull request")
	}
	p := waybill.Pull{
		Repository: r.ID, Number: int(from.Index), Ref: fmt.Sprintf("refs/pull/%d/head", from.Index),
		Head: from.Head.Sha, Base: from.Base.Ref, Fork: from.Head.RepoID != from.Base.RepoID,
		Open: from.State == sdk.StateOpen, Title: from.Title, URL: from.HTMLURL, Seen: g.options.Now(),
	}
	if from.Poster != nil {
		p.Author = from.Poster.UserName
	}
	return p, nil
}

// Comment edits the comment with the id of p.Comment or, when there is none, our own one with the marker; without
// either it writes one.
func (g *Gitea) Comment(ctx context.Context, r waybill.Repository, p waybill.Pull, body string) (id string, err error) {
	body = forge.Clip(body)
	if number, err := strconv.ParseInt(p.Comment, 10, 64); err == nil {
		if err = g.edit(ctx, r, number, body); !waybill.IsCode(err, waybill.NotFound) {
			return p.Comment, err
		}
	}
	number, err := g.ours(ctx, r, p)
	if err != nil {
		return "", err
	}
	if number != 0 {
		return strconv.FormatInt(number, 10), g.edit(ctx, r, number, body)
	}
	var made *sdk.Comment
	err = g.in(ctx, r, "comment", func(c *sdk.Client, at place) (err error) {
		made, _, err = c.CreateIssueComment(at.owner, at.name, int64(p.Number), sdk.CreateIssueCommentOption{Body: body})
		return err
	})
	if err != nil {
		return "", err
	}
	return strconv.FormatInt(made.ID, 10), nil
}

func (g *Gitea) edit(ctx context.Context, r waybill.Repository, number int64, body string) error {
	return g.in(ctx, r, "comment", func(c *sdk.Client, p place) error {
		_, _, err := c.EditIssueComment(p.owner, p.name, number, sdk.EditIssueCommentOption{Body: body})
		return err
	})
}

// ours finds the first comment with the marker that we wrote, 0 without one: anybody may write the marker.
func (g *Gitea) ours(ctx context.Context, r waybill.Repository, p waybill.Pull) (number int64, err error) {
	me, err := g.me(ctx)
	if err != nil {
		return 0, err
	}
	// Gitea gives all comments of an issue at once.
	var all []*sdk.Comment
	err = g.in(ctx, r, "comments", func(c *sdk.Client, at place) (err error) {
		all, _, err = c.ListIssueComments(at.owner, at.name, int64(p.Number), sdk.ListIssueCommentOptions{})
		return err
	})
	err = g.orGone(ctx, err, func() error { _, gone := g.Pull(ctx, r, p.Number); return gone })
	for _, c := range all {
		if c.Poster != nil && c.Poster.ID == me.ID && strings.HasPrefix(c.Body, forge.Marker) {
			return c.ID, err
		}
	}
	return 0, err
}

// MayWrite asks for the user's rights. Denied unless the token's user administers the repository.
func (g *Gitea) MayWrite(ctx context.Context, r waybill.Repository, user string) (bool, error) {
	var found *sdk.CollaboratorPermissionResult
	err := g.in(ctx, r, "permission", func(c *sdk.Client, p place) (err error) {
		found, _, err = c.CollaboratorPermission(p.owner, p.name, user)
		return err
	})
	if waybill.IsCode(err, waybill.NotFound) {
		return false, nil
	}
	if err != nil || found == nil {
		return false, err
	}
	switch found.Permission {
	case sdk.AccessModeWrite, sdk.AccessModeAdmin, sdk.AccessModeOwner:
		return true, nil
	default:
		return false, nil
	}
}
