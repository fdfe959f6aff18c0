package gitlab

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Pull returns a merge request, or NotFound.
func (f *Forge) Pull(ctx context.Context, r waybill.Repository, number int) (waybill.Pull, error) {
	c, project, err := f.open("pull", r)
	if err != nil {
		return waybill.Pull{}, err
	}
	m, err := got(c.MergeRequests.GetMergeRequest(project, int64(number), nil, gitlab.WithContext(ctx)))
	if err != nil {
		return waybill.Pull{}, f.fault(ctx, err)
	}
	found, err := f.pull(r, &m.BasicMergeRequest)
	if err == nil && found.Number != number {
		return waybill.Pull{}, waybill.Errorf(waybill.Unavailable, "%s describes another merge request than %d", f.web.Host, number)
	}
	return found, err
}

// OpenPulls lists those that are open. TooLarge: there are more than 5,000.
func (f *Forge) OpenPulls(ctx context.Context, r waybill.Repository) ([]waybill.Pull, error) {
	c, project, err := f.open("pull", r)
	if err != nil {
		return nil, err
	}
	var all []waybill.Pull
	for m, err := range forge.Pages(func(page int) ([]*gitlab.BasicMergeRequest, int, error) {
		o := &gitlab.ListProjectMergeRequestsOptions{State: gitlab.Ptr("opened"), ListOptions: pageOf(page)}
		return listed(c.MergeRequests.ListProjectMergeRequests(project, o, gitlab.WithContext(ctx)))
	}) {
		if err != nil {
			return nil, f.fault(ctx, err)
		}
		one, err := f.pull(r, m)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// pull reads a merge request. One whose source branch is gone has no head.
func (f *Forge) pull(r waybill.Repository, m *gitlab.BasicMergeRequest) (waybill.Pull, error) {
	if m.IID <= 0 || m.TargetBranch == "" || m.State == "" {
		return waybill.Pull{}, waybill.Errorf(waybill.Unavailable, "%s describes half a merge request", f.web.Host)
	}
	author := ""
	if m.Author != nil {
		author = m.Author.Username
	}
	return waybill.Pull{
		Repository: r.ID, Number: int(m.IID), Ref: fmt.Sprintf("refs/merge-requests/%d/head", m.IID), Head: m.SHA,
		Base: m.TargetBranch, Fork: m.SourceProjectID != m.TargetProjectID, Open: m.State == "opened" || m.State == "locked",
		Title: m.Title, Author: author, URL: m.WebURL, Seen: f.o.Now(),
	}, nil
}

// Comment makes body the text of the one note of Waybill below a merge request.
func (f *Forge) Comment(ctx context.Context, r waybill.Repository, p waybill.Pull, body string) (id string, err error) {
	c, project, err := f.open("comment", r)
	if err != nil {
		return "", err
	}
	text, number := forge.Clip(body), int64(p.Number)
	known, err := strconv.ParseInt(p.Comment, 10, 64)
	if err != nil || known <= 0 {
		if known, err = f.ownNote(ctx, c, project, number); err != nil {
			return "", err
		}
	}
	if known > 0 {
		_, _, err := c.Notes.UpdateMergeRequestNote(project, number, known, &gitlab.UpdateMergeRequestNoteOptions{Body: &text}, gitlab.WithContext(ctx))
		if err = f.fault(ctx, err); !waybill.IsCode(err, waybill.NotFound) {
			return strconv.FormatInt(known, 10), err
		}
	}
	made, err := got(c.Notes.CreateMergeRequestNote(project, number, &gitlab.CreateMergeRequestNoteOptions{Body: &text}, gitlab.WithContext(ctx)))
	if err != nil {
		return "", f.fault(ctx, err)
	}
	return strconv.FormatInt(made.ID, 10), nil
}

// ownNote finds the note that has the marker and was written by us; 0 for none.
func (f *Forge) ownNote(ctx context.Context, c *gitlab.Client, project any, number int64) (int64, error) {
	me, err := got(c.Users.CurrentUser(gitlab.WithContext(ctx)))
	if err != nil {
		return 0, f.fault(ctx, err)
	}
	for n, err := range forge.Pages(func(page int) ([]*gitlab.Note, int, error) {
		o := &gitlab.ListMergeRequestNotesOptions{ListOptions: pageOf(page), Sort: gitlab.Ptr("asc"), OrderBy: gitlab.Ptr("created_at")}
		return listed(c.Notes.ListMergeRequestNotes(project, number, o, gitlab.WithContext(ctx)))
	}) {
		if err != nil {
			return 0, f.fault(ctx, err)
		}
		if n.Author.ID == me.ID && !n.System && strings.HasPrefix(n.Body, forge.Marker) {
			return n.ID, nil
		}
	}
	return 0, nil
}

// username as GitLab allows it.
var username = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,255}$`)

// MayWrite reports whether a user may push to r: Developer or above, by whatever group.
func (f *Forge) MayWrite(ctx context.Context, r waybill.Repository, user string) (bool, error) {
	if !username.MatchString(user) || strings.Contains(user, "..") {
		return false, nil
	}
	c, project, err := f.open("permission", r)
	if err != nil {
		return false, err
	}
	list, _, err := c.Users.ListUsers(&gitlab.ListUsersOptions{Username: &user}, gitlab.WithContext(ctx))
	if err != nil {
		return false, f.fault(ctx, err)
	}
	for _, u := range list {
		if !strings.EqualFold(u.Username, user) {
			continue
		}
		m, err := got(c.ProjectMembers.GetInheritedProjectMember(project, u.ID, gitlab.WithContext(ctx)))
		if err = f.fault(ctx, err); waybill.IsCode(err, waybill.NotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return m.AccessLevel >= gitlab.DeveloperPermissions && m.State == "active", nil
	}
	return false, nil
}
