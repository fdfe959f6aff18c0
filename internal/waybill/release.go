package waybill

import (
	"slices"
	"time"
)

// Environment is where a release ends.
type Environment string

// The environments.
const (
	Dev  Environment = "dev"  // follows a branch
	Prod Environment = "prod" // follows release tags
	Try  Environment = "try"  // of a pull request: built, never deployed
)

// Step is one stage between a commit and a connector people can use. It is the last part of a status context.
type Step string

// The steps, in order. Validate and plan belong to the check of a commit, the others to a release.
const (
	StepValidate Step = "validate" // manifests against schemas and rules
	StepPlan     Step = "plan"     // of a pull request: what merging it would change
	StepBuild    Step = "build"    // Dockerfile to image, health check, push
	StepRuntime  Step = "runtime"  // image registered so that it can be executed
	StepDev      Step = "dev"      // deployed to the team's dev site
	StepProd     Step = "prod"     // promoted by digest; the old one serves until done
)

// StepsTo lists the steps of a release to env, in order. A prod release passes dev without deploying there:
// it says whether dev ran these bytes.
func StepsTo(env Environment) []Step {
	switch env {
	case Prod:
		return []Step{StepBuild, StepRuntime, StepDev, StepProd}
	case Try:
		return []Step{StepBuild}
	default:
		return []Step{StepBuild, StepRuntime, StepDev}
	}
}

// Outcome is where a step stands.
type Outcome string

// The outcomes. Ok, Failed, Errored, Superseded and Skipped are final.
const (
	Waiting    Outcome = "waiting"
	Running    Outcome = "running"
	OK         Outcome = "ok"
	Failed     Outcome = "failed" // the developer's fault
	Errored    Outcome = "error"  // ours
	Superseded Outcome = "superseded"
	Skipped    Outcome = "skipped"
)

// Outcomes lists every outcome.
func Outcomes() []Outcome {
	return []Outcome{Waiting, Running, OK, Failed, Errored, Superseded, Skipped}
}

// Final reports whether o never changes again.
func (o Outcome) Final() bool { return o != Waiting && o != Running }

// State returns the commit status state that shows o.
func (o Outcome) State() State {
	switch o {
	case Waiting, Running:
		return StatePending
	case Failed:
		return StateFailure
	case Errored:
		return StateError
	default:
		return StateSuccess
	}
}

// nextOutcome lists which outcomes may follow which. Waiting and Running follow themselves with another detail.
var nextOutcome = map[Outcome][]Outcome{
	Waiting: {Waiting, Running, OK, Failed, Errored, Superseded, Skipped},
	Running: {Waiting, Running, OK, Failed, Errored, Superseded},
}

// StepState is where one step of a release stands.
type StepState struct {
	Step    Step
	Outcome Outcome
	Detail  string // for people: a digest, a site, a cause
	Log     string // blob id of the log; empty when there is none
	Started time.Time
	Ended   time.Time
}

// Release is one revision of one connector major on its way to an environment.
type Release struct {
	ID          string // ULID, so that order of creation is order of ids
	Declaration Declaration
	Environment Environment
	Repository  string // Repository.ID
	Ref         string // full ref name that caused it
	Commit      string
	Check       string // id of the check that handed it over
	Actor       string // who pushed; empty when unknown
	Semver      string // of the tag, without leading v; empty for dev
	// Context and Recipe identify the content of the image; Image is its local id, RepoDigest its name in a registry.
	Context, Recipe   string
	Image, RepoDigest string
	Steps             []StepState
	Outcome           Outcome
	Created           time.Time
}

// NewSteps returns the steps of a release to env, all waiting.
func NewSteps(env Environment) []StepState {
	var steps []StepState
	for _, s := range StepsTo(env) {
		steps = append(steps, StepState{Step: s, Outcome: Waiting})
	}
	return steps
}

// Step returns the state of s, or ok false when the release has no such step.
func (r *Release) Step(s Step) (state StepState, ok bool) {
	i := slices.IndexFunc(r.Steps, func(st StepState) bool { return st.Step == s })
	if i < 0 {
		return StepState{}, false
	}
	return r.Steps[i], true
}

// Move records the outcome of a step and what follows from it for the release,
// or reports Conflict and leaves r untouched.
func (r *Release) Move(s Step, to Outcome, detail string, now time.Time) error {
	i := slices.IndexFunc(r.Steps, func(st StepState) bool { return st.Step == s })
	if i < 0 {
		return Errorf(Conflict, "a release to %s has no step %s", r.Environment, s)
	}
	st := r.Steps[i]
	if !slices.Contains(nextOutcome[st.Outcome], to) {
		return Errorf(Conflict, "step %s of %s is %s and cannot become %s", s, r.Declaration.Identity, st.Outcome, to)
	}
	if i > 0 && to == Running && !r.Steps[i-1].Outcome.Final() {
		return Errorf(Conflict, "step %s of %s cannot start before %s has ended", s, r.Declaration.Identity, r.Steps[i-1].Step)
	}
	st.Outcome, st.Detail = to, detail
	if to == Running && st.Started.IsZero() {
		st.Started = now
	}
	if to.Final() {
		st.Ended = now
	}
	r.Steps[i] = st
	r.Outcome = r.outcome()
	return nil
}

// KeepLog remembers where the log of a step is kept.
func (r *Release) KeepLog(s Step, blob string) {
	for i := range r.Steps {
		if r.Steps[i].Step == s {
			r.Steps[i].Log = blob
		}
	}
}

// outcome derives the outcome of the whole release from its steps.
func (r *Release) outcome() Outcome {
	for _, o := range []Outcome{Errored, Failed, Superseded} {
		if slices.ContainsFunc(r.Steps, func(st StepState) bool { return st.Outcome == o }) {
			return o
		}
	}
	if !slices.ContainsFunc(r.Steps, func(st StepState) bool { return !st.Outcome.Final() }) {
		return OK
	}
	if slices.ContainsFunc(r.Steps, func(st StepState) bool { return st.Outcome != Waiting }) {
		return Running
	}
	return Waiting
}

// Live is the pointer to the version that new runs of (connector, major) use in an environment.
type Live struct {
	Connector   string
	Major       int
	Environment Environment
	Release     string
	Seq         int64 // compare-and-set; 0 when nothing is live
	Since       time.Time
}
