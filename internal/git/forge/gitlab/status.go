package gitlab

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

var commitID = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// Limits of lists, and of the addresses that GitLab keeps.
const (
	perPage  = 100
	maxPages = 20
	maxURL   = 255
)

// ours is written before the description of what failed by no fault of the developer: GitLab has no state for that.
const ours = "ours: "

// shown returns a status as GitLab shows it.
func shown(s waybill.Status) waybill.Status {
	if s.State == waybill.StateError {
		s.State, s.Description = waybill.StateFailure, ours+s.Description
	}
	if len(s.URL) > maxURL {
		s.URL = ""
	}
	return waybill.Status{Context: s.Context, State: s.State, Description: s.Description, URL: s.URL}
}

// statusWriter writes the statuses of one commit.
type statusWriter struct {
	*Forge
	client  *gitlab.Client
	project any
	commit  string
	there   map[string]waybill.Status // newest of each context; nil when nobody looked
}

// Write shows statuses, as [forge.Forge] demands. GitLab takes them only for commits that a branch or tag of the
// project has: those of a merge request from a fork are NotFound.
func (f *Forge) Write(ctx context.Context, r waybill.Repository, m forge.Message) (taken int, err error) {
	if !commitID.MatchString(m.Commit) {
		return 0, waybill.Errorf(waybill.NotFound, "%q is not a commit id", m.Commit)
	}
	if len(m.Statuses) == 0 {
		return 0, nil
	}
	c, project, err := f.open("status", r)
	if err != nil {
		return 0, err
	}
	w := statusWriter{Forge: f, client: c, project: project, commit: m.Commit}
	if m.Again {
		if err := w.look(ctx); err != nil {
			return 0, err
		}
	}
	for _, s := range m.Statuses {
		if err := w.write(ctx, shown(s)); err != nil {
			return taken, err
		}
		taken++
	}
	return taken, nil
}

// states are those of GitLab.
func states() map[waybill.State]gitlab.BuildStateValue {
	return map[waybill.State]gitlab.BuildStateValue{
		waybill.StatePending: gitlab.Pending, waybill.StateSuccess: gitlab.Success, waybill.StateFailure: gitlab.Failed,
	}
}

// look reads the newest status of each context.
func (w *statusWriter) look(ctx context.Context) error {
	w.there = map[string]waybill.Status{}
	o := &gitlab.GetCommitStatusesOptions{ListOptions: gitlab.ListOptions{PerPage: perPage}}
	newest := map[string]int64{}
	for range maxPages {
		list, resp, err := w.client.Commits.GetCommitStatuses(w.project, w.commit, o, gitlab.WithContext(ctx))
		if err != nil {
			return w.fault(ctx, err)
		}
		for _, s := range list {
			if s.ID < newest[s.Name] {
				continue
			}
			newest[s.Name] = s.ID
			state := waybill.StatePending
			switch s.Status {
			case "success":
				state = waybill.StateSuccess
			case "failed", "canceled", "skipped":
				state = waybill.StateFailure
			}
			w.there[s.Name] = waybill.Status{Context: s.Name, State: state, Description: s.Description, URL: s.TargetURL}
		}
		if resp.NextPage == 0 {
			break
		}
		o.Page = resp.NextPage
	}
	return nil
}

// write writes one status. When the answer is lost it looks whether the status arrived: a result that is repeated
// would show as another attempt.
func (w *statusWriter) write(ctx context.Context, s waybill.Status) error {
	if old, known := w.there[s.Context]; known && old == s {
		return nil
	}
	o := &gitlab.SetCommitStatusOptions{State: states()[s.State], Name: &s.Context}
	if s.Description != "" {
		o.Description = &s.Description
	}
	if s.URL != "" {
		o.TargetURL = &s.URL
	}
	_, _, err := w.client.Commits.SetCommitStatus(w.project, w.commit, o, gitlab.WithContext(ctx))
	err = w.fault(ctx, err)
	if sameState(err) {
		return nil
	}
	if waybill.IsCode(err, waybill.Unavailable) && ctx.Err() == nil && w.look(ctx) == nil && w.there[s.Context] == s {
		return nil
	}
	return err
}

// sameState recognizes the answer to a state that a status has already: "Cannot transition status via :enqueue from
// :pending". What else may be new of the status, GitLab does not take.
func sameState(err error) bool {
	var r *forge.Refusal
	return errors.As(err, &r) && r.Status == http.StatusBadRequest && strings.Contains(r.Message, "Cannot transition status")
}
