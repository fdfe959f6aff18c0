package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// commitPath names a commit. The same commit may be in several repositories.
type commitPath struct {
	Commit     string `path:"commit" pattern:"^[0-9a-f]{4,64}$" doc:"The commit, or a beginning of it that is unique."`
	Repository string `query:"repository" doc:"Id or owner/name; needed only when several repositories have the commit."`
}

func (a *API) addCommits() {
	add(a, operation{
		method: http.MethodGet, path: "/commits/{commit}/statuses", id: "list-commit-statuses", tag: "commits",
		summary: "Say what Waybill says about a commit, as its Git note does.", action: auth.Read,
	}, a.commitStatuses)
	add(a, operation{
		method: http.MethodPost, path: "/commits/{commit}/retry", id: "retry-commit", tag: "commits", status: http.StatusAccepted,
		summary: "Examine a commit again: what did not succeed is tried once more.", action: auth.Act,
	}, func(ctx context.Context, in *commitPath) (*body[wire.Commit], error) {
		c, err := a.commit(ctx, *in)
		if err != nil {
			return nil, err
		}
		return answer(wire.Commit{Repository: c.Repository, Commit: c.Commit}), a.Commits.Retry(ctx, c.Repository, c.Commit, by(ctx))
	})
}

func (a *API) commitStatuses(ctx context.Context, in *commitPath) (*body[wire.CommitStatuses], error) {
	c, err := a.commit(ctx, *in)
	if err != nil {
		return nil, err
	}
	r, err := gitstore.Repository(ctx, a.DB.Query(), c.Repository)
	if err != nil {
		return nil, err
	}
	statuses, err := gitstore.Statuses(ctx, a.DB.Query(), c.Repository, c.Commit)
	if err != nil {
		return nil, err
	}
	checks, err := gitstore.Checks(ctx, a.DB.Query(), c.Repository, c.Commit)
	if err != nil {
		return nil, err
	}
	return answer(wire.CommitStatuses{
		Repository: c.Repository, Name: r.FullName(), Commit: c.Commit,
		Statuses: each(statuses, func(s waybill.Status) wire.Status { return a.status(s) }), Findings: findings(checks),
	}), nil
}

// findings returns those of the newest check, which are the ones the statuses speak of.
func findings(checks []waybill.Check) []wire.Finding {
	if len(checks) == 0 {
		return []wire.Finding{}
	}
	return each(checks[0].Findings, wire.NewFinding)
}

// commit finds the one commit that in names: NotFound when there is none, Conflict when there are several.
func (a *API) commit(ctx context.Context, in commitPath) (gitstore.CommitRef, error) {
	found, err := gitstore.FindCommit(ctx, a.DB.Query(), in.Commit)
	if err != nil {
		return gitstore.CommitRef{}, err
	}
	if in.Repository != "" {
		r, err := a.repository(ctx, in.Repository)
		if err != nil {
			return gitstore.CommitRef{}, err
		}
		found = slices.DeleteFunc(found, func(c gitstore.CommitRef) bool { return c.Repository != r.ID })
	}
	switch len(found) {
	case 0:
		return gitstore.CommitRef{}, waybill.Errorf(waybill.NotFound, "no commit %s was ever at the tip of a watched branch or tag", in.Commit)
	case 1:
		return found[0], nil
	}
	same := !slices.ContainsFunc(found, func(c gitstore.CommitRef) bool { return c.Commit != found[0].Commit })
	if same {
		return gitstore.CommitRef{}, waybill.Errorf(waybill.Conflict, "commit %s is in %d repositories: say which one", in.Commit, len(found))
	}
	return gitstore.CommitRef{}, waybill.Errorf(waybill.Conflict, "%s is the beginning of %d commits: give more of it", in.Commit, len(found))
}

// status converts a status. A URL that is a path leads to this server.
func (a *API) status(s waybill.Status) wire.Status {
	url := s.URL
	if strings.HasPrefix(url, "/") {
		url = a.PublicURL() + url
	}
	return wire.Status{Context: s.Context, State: string(s.State), Description: s.Description, URL: url, Updated: s.Updated}
}
