package github

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Pull returns a pull request, or NotFound.
func (f *Forge) Pull(ctx context.Context, r waybill.Repository, number int) (waybill.Pull, error) {
	c, at, err := f.open(ctx, "pull", r)
	if err != nil {
		return waybill.Pull{}, err
	}
	p, _, err := c.PullRequests.Get(ctx, at.owner, at.name, number)
	if err != nil {
		return waybill.Pull{}, f.fault(ctx, err)
	}
	found, err := f.pull(r, p)
	if err == nil && found.Number != number {
		return waybill.Pull{}, waybill.Errorf(waybill.Unavailable, "%s describes another pull request than %d", f.api.Host, number)
	}
	return found, err
}

// OpenPulls lists those that are open. TooLarge: there are more than 5,000.
func (f *Forge) OpenPulls(ctx context.Context, r waybill.Repository) ([]waybill.Pull, error) {
	c, at, err := f.open(ctx, "pull", r)
	if err != nil {
		return nil, err
	}
	var all []waybill.Pull
	for p, err := range forge.Pages(func(page int) ([]*github.PullRequest, int, error) {
		return listed(c.PullRequests.List(ctx, at.owner, at.name, &github.PullRequestListOptions{State: "open", ListOptions: *pageOf(page)}))
	}) {
		if err != nil {
			return nil, f.fault(ctx, err)
		}
		one, err := f.pull(r, p)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (f *Forge) pull(r waybill.Repository, p *github.PullRequest) (waybill.Pull, error) {
	if p.GetNumber() <= 0 || p.GetHead().GetSHA() == "" || p.GetBase().GetRef() == "" {
		return waybill.Pull{}, waybill.Errorf(waybill.Unavailable, "%s describes half a pull request", f.api.Host)
	}
	return waybill.Pull{
		Repository: r.ID, Number: p.GetNumber(), Ref: fmt.Sprintf("refs/pull/%d/head", p.GetNumber()),
		Head: p.GetHead().GetSHA(), Base: p.GetBase().GetRef(), Open: p.GetState() == "open",
		// The repository of a fork that was deleted is not told.
		Fork:  p.GetHead().GetRepo().GetID() == 0 || p.GetHead().GetRepo().GetID() != p.GetBase().GetRepo().GetID(),
		Title: p.GetTitle(), Author: p.GetUser().GetLogin(), URL: p.GetHTMLURL(), Seen: f.o.Now(),
	}, nil
}

// Comment makes body the text of the one comment of Waybill below a pull request.
func (f *Forge) Comment(ctx context.Context, r waybill.Repository, p waybill.Pull, body string) (id string, err error) {
	c, at, err := f.open(ctx, "comment", r)
	if err != nil {
		return "", err
	}
	text := &github.IssueComment{Body: github.String(forge.Clip(body))}
	known, err := strconv.ParseInt(p.Comment, 10, 64)
	if err != nil || known <= 0 {
		if known, err = f.ownComment(ctx, c, at, p.Number); err != nil {
			return "", err
		}
	}
	if known > 0 {
		_, _, err := c.Issues.EditComment(ctx, at.owner, at.name, known, text)
		if err = f.fault(ctx, err); !waybill.IsCode(err, waybill.NotFound) {
			return strconv.FormatInt(known, 10), err
		}
	}
	made, _, err := c.Issues.CreateComment(ctx, at.owner, at.name, p.Number, text)
	if err != nil {
		return "", f.fault(ctx, err)
	}
	return strconv.FormatInt(made.GetID(), 10), nil
}

// ownComment finds the comment that has the marker and was written by us; 0 for none.
func (f *Forge) ownComment(ctx context.Context, c *github.Client, at place, number int) (int64, error) {
	me, err := f.login(ctx)
	if err != nil {
		return 0, err
	}
	for one, err := range forge.Pages(func(page int) ([]*github.IssueComment, int, error) {
		return listed(c.Issues.ListComments(ctx, at.owner, at.name, number, &github.IssueListCommentsOptions{ListOptions: *pageOf(page)}))
	}) {
		if err != nil {
			return 0, f.fault(ctx, err)
		}
		if strings.EqualFold(one.GetUser().GetLogin(), me) && strings.HasPrefix(one.GetBody(), forge.Marker) {
			return one.GetID(), nil
		}
	}
	return 0, nil
}

// login is the name under which we comment.
func (f *Forge) login(ctx context.Context) (string, error) {
	f.mu.Lock()
	me := f.self
	f.mu.Unlock()
	if me != "" && f.o.App != nil {
		return me, nil
	}
	if f.o.App != nil {
		c, err := f.asApp("self")
		if err != nil {
			return "", err
		}
		app, _, err := c.Apps.Get(ctx, "")
		if err != nil {
			return "", f.fault(ctx, err)
		}
		me = app.GetSlug() + "[bot]"
	} else {
		user, _, err := f.withToken("self").Users.Get(ctx, "")
		if err != nil {
			return "", f.fault(ctx, err)
		}
		me = user.GetLogin()
	}
	if !login.MatchString(me) {
		return "", waybill.Errorf(waybill.Unavailable, "%s does not say who we are", f.api.Host)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.self = me
	return me, nil
}

// A login of a person or, with [bot], of an App.
var login = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}(\[bot\])?$`)

// MayWrite reports whether a user may push to r.
func (f *Forge) MayWrite(ctx context.Context, r waybill.Repository, user string) (bool, error) {
	if !login.MatchString(user) {
		return false, nil
	}
	c, at, err := f.open(ctx, "permission", r)
	if err != nil {
		return false, err
	}
	level, _, err := c.Repositories.GetPermissionLevel(ctx, at.owner, at.name, user)
	if err = f.fault(ctx, err); waybill.IsCode(err, waybill.NotFound) {
		return false, nil // GitHub knows no such user
	}
	if err != nil {
		return false, err
	}
	switch level.GetPermission() {
	case "admin", "maintain", "write":
		return true, nil
	}
	return false, nil
}
