package github

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

var commitID = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// Write shows statuses, as [forge.Forge] demands: as check runs with annotations by an App, else as commit statuses.
func (f *Forge) Write(ctx context.Context, r waybill.Repository, m forge.Message) (taken int, err error) {
	if !commitID.MatchString(m.Commit) {
		return 0, waybill.Errorf(waybill.NotFound, "%q is not a commit id", m.Commit)
	}
	if len(m.Statuses) == 0 {
		return 0, nil
	}
	if f.o.App != nil {
		return f.writeRuns(ctx, r, m)
	}
	c, at, err := f.open(ctx, "status", r)
	if err != nil {
		return 0, err
	}
	w := statusWriter{Forge: f, client: c, at: at, commit: m.Commit}
	if m.Again {
		if err := w.look(ctx); err != nil {
			return 0, err
		}
	}
	for _, s := range m.Statuses {
		if err := w.write(ctx, s); err != nil {
			return taken, err
		}
		taken++
	}
	return taken, nil
}

// statusWriter writes the statuses of one commit.
type statusWriter struct {
	*Forge
	client *github.Client
	at     place
	commit string
	there  map[string]waybill.Status // newest of each context; nil when nobody looked
}

// look reads what the commit says.
func (w *statusWriter) look(ctx context.Context) error {
	w.there = map[string]waybill.Status{}
	for s, err := range forge.Pages(func(page int) ([]*github.RepoStatus, int, error) {
		found, resp, err := w.client.Repositories.GetCombinedStatus(ctx, w.at.owner, w.at.name, w.commit, pageOf(page))
		if err != nil {
			return nil, 0, err
		}
		return found.Statuses, resp.NextPage, nil
	}) {
		if err != nil {
			return w.missing(w.fault(ctx, err))
		}
		w.there[s.GetContext()] = waybill.Status{
			Context: s.GetContext(), State: waybill.State(s.GetState()), Description: s.GetDescription(), URL: s.GetTargetURL(),
		}
	}
	return nil
}

// shows reports whether the forge says s already.
func (w *statusWriter) shows(s waybill.Status) bool {
	old, known := w.there[s.Context]
	return known && old.State == s.State && old.Description == s.Description && old.URL == s.URL
}

// write writes one status. When the answer is lost it looks whether the status arrived: repeating it would show twice.
func (w *statusWriter) write(ctx context.Context, s waybill.Status) error {
	if w.there != nil && w.shows(s) {
		return nil
	}
	state := github.RepoStatus{State: github.String(string(s.State)), Context: github.String(s.Context)}
	if s.Description != "" {
		state.Description = &s.Description
	}
	if s.URL != "" {
		state.TargetURL = &s.URL
	}
	written, _, err := w.client.Repositories.CreateStatus(ctx, w.at.owner, w.at.name, w.commit, &state)
	if err = w.missing(w.fault(ctx, err)); err == nil && written.GetID() == 0 {
		err = waybill.Errorf(waybill.Unavailable, "%s confirms no status", w.api.Host)
	}
	if waybill.IsCode(err, waybill.Unavailable) && ctx.Err() == nil && w.look(ctx) == nil && w.shows(s) {
		return nil
	}
	return err
}

// missing tells a commit that is not there from other refusals: GitHub answers both with 422.
func (f *Forge) missing(err error) error {
	var r *forge.Refusal
	if errors.As(err, &r) && r.Status == http.StatusUnprocessableEntity && strings.Contains(r.Message, "No commit found") {
		return waybill.Wrap(waybill.NotFound, r, f.api.Host+" says: "+r.Message)
	}
	return err
}
