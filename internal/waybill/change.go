package waybill

import "time"

// ChangeClass says what a change means: for a connector how much work it causes, for an app what it asks of those who
// installed it. It is computed, never claimed.
type ChangeClass string

// The classes of any change.
const (
	Unchanged ChangeClass = "unchanged"
	Create    ChangeClass = "create" // nothing was there
	Remove    ChangeClass = "remove" // the declaration is gone
)

// The classes of a connector's change, from least to most work.
const (
	Metadata ChangeClass = "metadata" // title, description, labels, readme, logo, owner: recorded only
	Redeploy ChangeClass = "redeploy" // fields, run, release, datasource, export, dataService: same image, new record
	Recheck  ChangeClass = "recheck"  // application, secrets, authentication: health check again
	Rebuild  ChangeClass = "rebuild"  // build or source: context digest or recipe changed
)

// The classes of an app's change, from least to most. Consent and Major need a higher major in the tag.
const (
	Patch   ChangeClass = "patch"   // texts, logo, timeouts: nobody has to know
	Minor   ChangeClass = "minor"   // more is offered, nothing more is asked
	Consent ChangeClass = "consent" // more is asked: every workspace has to agree again
	Major   ChangeClass = "major"   // something that workspaces rely on is gone or different
)

// Altered is the class of a change of a platform kind: it is applied as a whole.
const Altered ChangeClass = "change"

// ChangeClasses lists every class.
func ChangeClasses() []ChangeClass {
	return []ChangeClass{
		Unchanged, Metadata, Redeploy, Recheck, Rebuild, Patch, Minor, Consent, Major, Altered, Create, Remove,
	}
}

// Change is what one revision does to one declaration.
type Change struct {
	Identity Identity
	Class    ChangeClass
	// Environment is where it goes; empty when it is only recorded as valid. Of an app, Dev is the draft and Prod what is
	// published; the platform has Prod alone.
	Environment Environment
	Wanted      *Declaration // nil when removed
	Parts       []string     // what differs, such as spec.fields
	Reasons     []string     // what makes the class, in words; may be empty
	Affected    []string     // who notices, as kind:name and sorted, such as site:feeds-dev and install:acme
	Content     string       // identifies what goes into the image; equal for equal images
	Semver      string       // of a release tag
}

// Check is the examination of one revision for one cause, from fetch to hand-over.
// Its phases are transactions: a killed server goes on with the phase that was not recorded.
type Check struct {
	ID         string // ULID
	Repository string // Repository.ID
	Ref        string
	Commit     string
	Cause      string // push, poll, pull, retry
	Pull       int    // number of the pull request that the commit is the head of; 0 for a branch or tag
	Over       bool   // the pull request is closed: the check counts no more
	Actor      string
	Phase      Phase
	Findings   Findings
	// State and Summary are the result of the check itself, the base of the aggregate: failure with findings, error
	// when the commit could not be read, else success with what happens next.
	State   State
	Summary string
	// Connectors are the identities that were found valid, as strings.
	Connectors []string
	// Changes is what merging a pull request would do, without the declarations; those that change nothing are left out.
	Changes []Change
	Opened  time.Time
	Closed  time.Time // zero until planned
}

// Observed is what is stored of one declaration, for the plan.
type Observed struct {
	Identity   Identity
	Owner      string
	Repository string // Repository.ID that owns the name; empty when it is not watched any more
	// Newest is the newest release of a connector to dev, Live what dev serves; nil when there is none.
	Newest, Live *Release
	// Withdrawn says that dev has served Newest and serves it no more, because its declaration was gone.
	Withdrawn bool
	// Declared is the draft of an app, or what is applied of a platform kind; nil when there is none.
	Declared *Declaration
	// Published holds every published version of an app, in any order.
	Published []Published
	// Uses says who runs, installed or otherwise relies on it.
	Uses []Use
}

// Published is a version of an app that can be installed. It never changes.
type Published struct {
	Semver      string
	Declaration Declaration
}

// Use is one place that relies on a declaration.
type Use struct {
	Subject     string      // as kind:name, such as site:feeds-dev or install:acme
	Environment Environment // which of its versions; empty: any
}

// Phase is how far a check has come.
type Phase string

// The phases, in order.
const (
	Fetched Phase = "fetched" // the commit is here and pinned
	Loaded  Phase = "loaded"  // findings or declarations are known
	Planned Phase = "planned" // releases are handed over; nothing more to do for the check
)
