package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

var commitID = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// maxURL is how long an address may be that GitLab keeps.
const maxURL = 255

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
	begun   map[string]int64          // the pipeline of each context that is in progress
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
	key := fmt.Sprint(project, "@", m.Commit)
	begun, known := f.pipelines.of(key)
	w := statusWriter{Forge: f, client: c, project: project, commit: m.Commit, begun: begun}
	if m.Again || !m.First && (!known || w.wonders(m.Statuses)) {
		if err := w.look(ctx); err != nil {
			return 0, err
		}
	}
	defer func() { f.pipelines.keep(key, w.begun) }()
	for _, s := range m.Statuses {
		if err := w.write(ctx, shown(s)); err != nil {
			return taken, err
		}
		taken++
	}
	return taken, nil
}

// wonders reports whether a result may have begun where only others know: in a server beside this one.
func (w *statusWriter) wonders(list []waybill.Status) bool {
	return slices.ContainsFunc(list, func(s waybill.Status) bool {
		_, begun := w.begun[s.Context]
		return s.State.Final() && !begun
	})
}

// states are those of GitLab.
func states() map[waybill.State]gitlab.BuildStateValue {
	return map[waybill.State]gitlab.BuildStateValue{
		waybill.StatePending: gitlab.Pending, waybill.StateSuccess: gitlab.Success, waybill.StateFailure: gitlab.Failed,
	}
}

// look reads the newest status of each context.
func (w *statusWriter) look(ctx context.Context) error {
	there, begun := map[string]waybill.Status{}, map[string]int64{}
	newest := map[string]int64{}
	for s, err := range forge.Pages(func(page int) ([]*gitlab.CommitStatus, int, error) {
		return listed(w.client.Commits.GetCommitStatuses(w.project, w.commit, &gitlab.GetCommitStatusesOptions{ListOptions: pageOf(page)}, gitlab.WithContext(ctx)))
	}) {
		if err != nil {
			return w.fault(ctx, err)
		}
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
		there[s.Name] = waybill.Status{Context: s.Name, State: state, Description: s.Description, URL: s.TargetURL}
		note(begun, s.Name, state, s.PipelineID)
	}
	w.there, w.begun = there, begun
	return nil
}

// note keeps where a context is in progress.
func note(begun map[string]int64, name string, state waybill.State, pipeline int64) {
	delete(begun, name)
	if !state.Final() && pipeline > 0 {
		begun[name] = pipeline
	}
}

// write writes one status, to the pipeline where it is in progress. When the answer is lost it looks whether the status
// arrived: a result that is repeated would show as another attempt.
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
	pipeline, begun := w.begun[s.Context]
	if begun {
		o.PipelineID = &pipeline
	}
	written, err := got(w.client.Commits.SetCommitStatus(w.project, w.commit, o, gitlab.WithContext(ctx)))
	if err = w.fault(ctx, err); err == nil && written.ID <= 0 {
		err = waybill.Errorf(waybill.Unavailable, "%s confirms no status", w.web.Host)
	}
	switch same := sameState(err); {
	case err == nil:
		note(w.begun, s.Context, s.State, written.PipelineID)
		return nil
	case moved(err) && w.follow(ctx):
		return w.write(ctx, s)
	case begun && waybill.IsCode(err, waybill.NotFound):
		delete(w.begun, s.Context) // the pipeline is gone, or closed; where the commit is, another takes the status
		return w.write(ctx, s)
	case same && !s.State.Final():
		return nil
	case same || waybill.IsCode(err, waybill.Unavailable):
		return w.arrived(ctx, s, err)
	}
	return err
}

// arrived is nil when s is there in spite of err, after which nobody knows.
func (w *statusWriter) arrived(ctx context.Context, s waybill.Status, err error) error {
	if ctx.Err() != nil || w.look(ctx) != nil {
		return err
	}
	there := w.there[s.Context]
	if there == s || sameState(err) && there.State == s.State {
		return nil
	}
	if sameState(err) {
		return waybill.Wrap(waybill.Conflict, err, w.web.Host+" does not let "+s.Context+" become "+string(s.State))
	}
	return err
}

// follow finds the number of a project that is asked by a path that it had before. GitLab sends on who reads there.
func (w *statusWriter) follow(ctx context.Context) bool {
	path, named := w.project.(string)
	if !named {
		return false
	}
	p, err := got(w.client.Projects.GetProject(path, nil, gitlab.WithContext(ctx)))
	if err != nil || p.ID <= 0 {
		return false
	}
	w.project = p.ID
	return true
}

// moved recognizes the answer to who writes at a path that a project had before: "Non GET methods are not allowed for
// moved projects".
func moved(err error) bool {
	var r *forge.Refusal
	return errors.As(err, &r) && r.Status == http.StatusMethodNotAllowed
}

// sameState recognizes the answer to a state that a status has already: "Cannot transition status via :enqueue from
// :pending". What else may be new of the status, GitLab does not take.
func sameState(err error) bool {
	var r *forge.Refusal
	return errors.As(err, &r) && r.Status == http.StatusBadRequest && strings.Contains(r.Message, "Cannot transition status")
}
