package inbox

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/progress"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// keepAlive is how often a quiet stream says that it lives.
const keepAlive = 15 * time.Second

// settleLimit is how long the end of a push waits for the forge to be told.
const settleLimit = 2 * time.Second

// progress streams what becomes of a delivery until every ref in it has come to an end. The stream is derived from the
// store at each wake, so it may be opened again, on any replica.
func (in *Inbox) progress(w http.ResponseWriter, req *http.Request) error {
	from, err := in.sender(req.Context(), req.PathValue("forge"), req.PathValue("hook"))
	if err != nil {
		return err
	}
	from, err = in.believe(req.Context(), from, func(s sender) error { return webhooks.VerifyGet(req, in.Now(), s.secrets...) })
	if err != nil {
		return err
	}
	r := from.repository
	d, err := gitstore.Delivery(req.Context(), in.DB.Query(), req.PathValue("delivery"))
	if err != nil {
		return err
	}
	if d.Hook != r.Hook {
		return waybill.Errorf(waybill.NotFound, "no such delivery")
	}
	ctx, cancel := context.WithTimeout(req.Context(), progressLimit)
	defer cancel()
	wake, stop := in.DB.Subscribe(gitstore.RepositoryTopic(r.ID))
	defer stop()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w)
	s := &stream{inbox: in, repository: r, delivery: d, refs: map[string]progress.Ref{}, sent: map[string]progress.Step{}, ended: map[string]bool{}}
	s.emit = func(e progress.Event) error { return progress.Encode(w, e) }
	for {
		done, err := s.update(ctx)
		if err == nil {
			err = flush.Flush()
		}
		if done || err != nil {
			return nil // headers are out: a stream that breaks off is what the reader sees
		}
		pause := keepAlive
		if s.settling {
			pause = settleLimit
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-time.After(pause):
			s.impatient = s.settling
			if progress.KeepAlive(w) != nil {
				return nil
			}
		}
	}
}

// stream remembers what a reader was told.
type stream struct {
	inbox      *Inbox
	repository waybill.Repository
	delivery   waybill.Delivery
	emit       func(progress.Event) error
	opened     bool
	refs       map[string]progress.Ref
	sent       map[string]progress.Step
	ended      map[string]bool
	// settling says that only the forge has not been told yet; impatient, that this took too long.
	settling, impatient bool
}

// update tells what is new, and reports true after the last event.
func (s *stream) update(ctx context.Context) (done bool, err error) {
	if !s.opened {
		s.opened = true
		for _, u := range s.delivery.Event.Refs {
			ref := progress.Ref{Ref: u.Name, Commit: u.New, Repository: s.repository.FullName()}
			if _, tag := waybill.Tag(u.Name); tag || deleted(u) {
				ref.Commit = "" // the tag may be an object of its own
			}
			if err := s.emit(ref); err != nil {
				return false, err
			}
		}
	}
	for _, u := range s.delivery.Event.Refs {
		if s.ended[u.Name] {
			continue
		}
		if s.ended[u.Name], err = s.follow(ctx, u); err != nil {
			return false, err
		}
	}
	for _, ended := range s.ended {
		if !ended {
			return false, nil
		}
	}
	return true, s.emit(progress.Done{})
}

// follow tells what is new about one ref, and reports true when it has come to an end.
func (s *stream) follow(ctx context.Context, u waybill.RefUpdate) (ended bool, err error) {
	check, found, err := s.check(ctx, u)
	if err != nil {
		return false, err
	}
	if !found {
		return s.unseen(ctx, u)
	}
	if _, branch := waybill.Branch(u.Name); branch && check.Commit != u.New {
		description := "superseded by " + waybill.ShortCommit(check.Commit) + " before it was looked at"
		return true, s.emit(progress.End{Ref: u.Name, State: waybill.StateSuccess, Description: description})
	}
	out, err := gitstore.Outbox(ctx, s.inbox.DB.Query(), s.repository.ID, check.Commit)
	if err != nil || len(out.Statuses) == 0 {
		return false, err
	}
	statuses := out.Statuses
	if check.Phase != waybill.Planned {
		return false, nil // what the commit says now, an earlier cause has said
	}
	list := s.steps(u.Name, check, statuses)
	if err := s.introduce(u, check, list); err != nil {
		return false, err
	}
	for _, step := range list {
		key := u.Name + " " + step.Declaration + " " + string(step.Step)
		if s.sent[key] == step {
			continue
		}
		s.sent[key] = step
		if err := s.emit(step); err != nil {
			return false, err
		}
	}
	aggregate := statuses[0]
	if !aggregate.State.Final() {
		return false, nil
	}
	if out.Pending && !s.impatient {
		s.settling = true // the pusher may look at the commit as soon as the push returns
		return false, nil
	}
	return true, s.close(u, check, statuses)
}

// introduce says once what was found behind the ref: the commit, also of an annotated tag, and of how many declarations
// there is something to say.
func (s *stream) introduce(u waybill.RefUpdate, check waybill.Check, list []progress.Step) error {
	names := map[string]bool{}
	for _, step := range list {
		names[step.Declaration] = true
	}
	ref := progress.Ref{
		Ref: u.Name, Commit: check.Commit, Repository: s.repository.FullName(),
		Declarations: max(len(names), len(check.Connectors)),
	}
	if s.refs[u.Name] == ref {
		return nil
	}
	s.refs[u.Name] = ref
	return s.emit(ref)
}

// close tells the findings and how the ref ended, in words where the steps have not said it all.
func (s *stream) close(u waybill.RefUpdate, check waybill.Check, statuses []waybill.Status) error {
	for _, f := range check.Findings {
		if err := s.emit(progress.Finding{Ref: u.Name, Text: f.String()}); err != nil {
			return err
		}
	}
	aggregate := statuses[0]
	end := progress.End{Ref: u.Name, State: aggregate.State, URL: s.link(check, statuses)}
	superseded := slices.ContainsFunc(statuses, func(st waybill.Status) bool { return st.Outcome == waybill.Superseded })
	failed := slices.ContainsFunc(statuses[1:], func(st waybill.Status) bool { return st.State == aggregate.State })
	switch {
	case check.Findings.Errors() > 0: // they stand above
	case superseded, aggregate.State != waybill.StateSuccess && !failed, onlyValidated(statuses):
		end.Description = aggregate.Description
	}
	return s.emit(end)
}

// link leads to what failed, to the connector when the commit holds one, else to the commit.
func (s *stream) link(check waybill.Check, statuses []waybill.Status) string {
	for _, st := range statuses[1:] {
		if st.State == statuses[0].State && st.State != waybill.StateSuccess && st.URL != "" {
			return s.inbox.PublicURL + st.URL
		}
	}
	if len(check.Connectors) == 1 && check.Findings.Errors() == 0 {
		return s.inbox.PublicURL + "/connectors/" + check.Connectors[0]
	}
	return s.inbox.PublicURL + "/repositories/" + s.repository.FullName() + "/commits/" + check.Commit
}

// check finds the newest check of the ref, when it is younger than the delivery or when nothing has moved since. For a
// branch it prefers the check of the pushed commit; what a tag points at is known to the check only. An older check of a
// tag counts once nobody is on the way to the tag any more: the poller may have been quicker than the hook.
func (s *stream) check(ctx context.Context, u waybill.RefUpdate) (waybill.Check, bool, error) {
	_, branch := waybill.Branch(u.Name)
	if branch {
		own, err := gitstore.Checks(ctx, s.inbox.DB.Query(), s.repository.ID, u.New)
		if err != nil {
			return waybill.Check{}, false, err
		}
		for _, c := range own {
			if c.Ref == u.Name {
				return s.settled(ctx, c)
			}
		}
	}
	check, found, err := gitstore.LatestCheck(ctx, s.inbox.DB.Query(), s.repository.ID, u.Name)
	if err != nil || !found || check.ID > s.delivery.ID || branch {
		return check, found && check.ID > s.delivery.ID, err
	}
	if busy, err := s.busy(ctx, u); err != nil || busy {
		return waybill.Check{}, false, err
	}
	return s.settled(ctx, check)
}

// busy reports whether a worker is on the way to the ref.
func (s *stream) busy(ctx context.Context, u waybill.RefUpdate) (bool, error) {
	return queue.Pending(ctx, s.inbox.DB.Query(), refWork, s.repository.ID+" "+u.Name)
}

// settled returns c unless it is older than the delivery and the ref was somewhere else since.
func (s *stream) settled(ctx context.Context, c waybill.Check) (waybill.Check, bool, error) {
	if c.ID > s.delivery.ID {
		return c, true, nil
	}
	ref, _, err := gitstore.FindRef(ctx, s.inbox.DB.Query(), s.repository.ID, c.Ref)
	return c, ref.Tip == c.Commit, err
}

// unseen ends the block of a deleted ref at once and waits for a worker to look at any other. One that nobody is on
// the way to any more was gone when a worker looked.
func (s *stream) unseen(ctx context.Context, u waybill.RefUpdate) (ended bool, err error) {
	end := progress.End{Ref: u.Name, State: waybill.StateSuccess, Description: "deleted; what it deployed stays"}
	if deleted(u) {
		return true, s.emit(end)
	}
	if busy, err := s.busy(ctx, u); err != nil || busy {
		return false, err
	}
	if _, found, err := s.check(ctx, u); err != nil || found {
		return false, err // it was looked at just now; that has woken this stream
	}
	end.Description = "nothing to do"
	return true, s.emit(end)
}

func deleted(u waybill.RefUpdate) bool { return strings.Trim(u.New, "0") == "" }

// onlyValidated reports whether no status tells of more than the check of the manifests.
func onlyValidated(statuses []waybill.Status) bool {
	return !slices.ContainsFunc(statuses, func(s waybill.Status) bool {
		return s.Context != waybill.AggregateContext && !strings.HasSuffix(s.Context, "/"+string(waybill.StepValidate))
	})
}

// steps turns the statuses of a commit into the steps that a pusher reads, in the order of the work: whether it is
// valid, and what has happened since the check began. What an earlier push of the commit did is left out.
func (s *stream) steps(ref string, check waybill.Check, statuses []waybill.Status) []progress.Step {
	var list []progress.Step
	for _, st := range statuses {
		name, step, ok := strings.Cut(strings.TrimPrefix(st.Context, waybill.AggregateContext+"/"), "/")
		p := progress.Step{
			Ref: ref, Declaration: name, Step: waybill.Step(step), Outcome: st.Outcome, Description: st.Description,
			URL: s.inbox.PublicURL + st.URL,
		}
		old := st.State.Final() && st.Updated.Before(check.Opened) && p.Step != waybill.StepValidate
		if st.Context == waybill.AggregateContext || !ok || old {
			continue
		}
		if st.Outcome.Final() && p.Step == waybill.StepBuild && !st.Started.IsZero() {
			p.DurationMS = st.Updated.Sub(st.Started).Milliseconds()
		}
		if n := check.Findings.Of(name).Errors(); n > 0 && p.Step == waybill.StepValidate {
			p.Description = waybill.Count(n, "error") // which follow, each on a line
		}
		if p.Outcome == waybill.Superseded || p.Outcome == waybill.Skipped || p.Description == string(p.Outcome) {
			p.Description = strings.TrimLeft(strings.TrimPrefix(p.Description, string(p.Outcome)), ", ")
		}
		list = append(list, p)
	}
	if n := check.Findings.Of("").Errors(); n > 0 { // of documents whose names cannot be read
		list = append(list, progress.Step{
			Ref: ref, Step: waybill.StepValidate, Outcome: waybill.Failed, Description: waybill.Count(n, "error"),
		})
	}
	order := append([]waybill.Step{waybill.StepValidate, waybill.StepPlan}, waybill.StepsTo(waybill.Prod)...)
	slices.SortStableFunc(list, func(a, b progress.Step) int {
		if a.Declaration != b.Declaration {
			return strings.Compare(a.Declaration, b.Declaration)
		}
		return slices.Index(order, a.Step) - slices.Index(order, b.Step)
	})
	return list
}
