package portal

import (
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// lane is what is known of one connector major in one environment.
type lane struct {
	Newest *waybill.Release // nil: none yet
	Live   *waybill.Release // nil: nothing is live
	Since  time.Time        // since when Live is live
}

// lanes are both environments of one connector major.
type lanes struct{ Dev, Prod lane }

// newest returns the newest release of both lanes, or nil.
func (l lanes) newest() *waybill.Release {
	switch {
	case l.Dev.Newest == nil:
		return l.Prod.Newest
	case l.Prod.Newest == nil || l.Dev.Newest.ID > l.Prod.Newest.ID:
		return l.Dev.Newest
	default:
		return l.Prod.Newest
	}
}

// current returns the release that describes the connector best: what dev serves, what prod serves, or the newest.
func (l lanes) current() *waybill.Release {
	for _, r := range []*waybill.Release{l.Dev.Live, l.Prod.Live} {
		if r != nil {
			return r
		}
	}
	return l.newest()
}

// tracker shows build ▸ runtime ▸ dev ▸ prod of one connector major.
type tracker struct {
	Steps []trackStep
	Say   string // all steps in one sentence, for those who listen
}

// trackStep is one step of the tracker.
type trackStep struct {
	Name    string
	Mark    mark
	Detail  string // a site, what it waits for; empty when there is nothing to say
	Digest  string // of the image
	Version string // of the tag, with leading v
	Commit  commitLink
	At      time.Time
	URL     string // of the release; empty when there is none
	Serves  *serving
	Tag     string // pattern of the tag that would start the step; empty when it has started before
}

// serving says what an environment serves while something else is tried.
type serving struct {
	Same    bool // it is the release of the step itself
	Version string
	Commit  commitLink
	Since   time.Time
}

// newTracker builds the tracker. Build and runtime are those of the newest release, dev and prod of the newest in
// their lane.
func newTracker(l lanes, link func(repository, sha string) commitLink) tracker {
	var t tracker
	newest := l.newest()
	for _, s := range []waybill.Step{waybill.StepBuild, waybill.StepRuntime} {
		t.Steps = append(t.Steps, newTrackStep(s, newest, link))
	}
	for _, s := range []waybill.Step{waybill.StepDev, waybill.StepProd} {
		ln := l.Dev
		if s == waybill.StepProd {
			ln = l.Prod
		}
		step := newTrackStep(s, ln.Newest, link)
		step.Serves = newServing(ln, link)
		if c := l.current(); c != nil && s == waybill.StepProd && ln.Newest == nil {
			step.Tag = c.Declaration.TagPattern()
		}
		t.Steps = append(t.Steps, step)
	}
	words := make([]string, len(t.Steps))
	for i, s := range t.Steps {
		words[i] = s.Name + " " + s.Mark.Word
	}
	t.Say = strings.Join(words, ", ")
	return t
}

func newTrackStep(step waybill.Step, r *waybill.Release, link func(repository, sha string) commitLink) trackStep {
	s := trackStep{Name: string(step), Mark: none("not yet")}
	if r == nil {
		return s
	}
	state, ok := r.Step(step)
	if !ok {
		return s
	}
	s.Mark = markStep(*r, state)
	if state.Outcome == waybill.Skipped || state.Outcome == waybill.Waiting && state.Detail == "" {
		return s // never begun: nothing to say about it
	}
	s.URL, s.Commit, s.At = "/releases/"+r.ID, link(r.Repository, r.Commit), lastMove(*r, state)
	if r.Semver != "" {
		s.Version = "v" + r.Semver
	}
	switch {
	case state.Outcome == waybill.Failed || state.Outcome == waybill.Errored:
		// the cause is quoted below the tracker
	case step == waybill.StepBuild && r.Image != "":
		s.Digest = r.Image
	case state.Detail != string(state.Outcome) && step != waybill.StepRuntime:
		s.Detail = clip(state.Detail, 80)
	}
	return s
}

// markStep shows a step of a release. What waits in a release that has ended is never reached.
func markStep(r waybill.Release, state waybill.StepState) mark {
	if state.Outcome == waybill.Waiting && r.Outcome.Final() {
		return none("not reached")
	}
	return markOutcome(state.Outcome)
}

// lastMove returns when a step last moved.
func lastMove(r waybill.Release, state waybill.StepState) time.Time {
	switch {
	case !state.Ended.IsZero():
		return state.Ended
	case !state.Started.IsZero():
		return state.Started
	default:
		return r.Created
	}
}

func newServing(l lane, link func(repository, sha string) commitLink) *serving {
	if l.Live == nil {
		return nil
	}
	s := &serving{
		Same: l.Newest != nil && l.Newest.ID == l.Live.ID, Commit: link(l.Live.Repository, l.Live.Commit), Since: l.Since,
	}
	if l.Live.Semver != "" {
		s.Version = "v" + l.Live.Semver
	}
	return s
}
