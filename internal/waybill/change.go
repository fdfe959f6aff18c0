package waybill

import "time"

// ChangeClass says how much work a change of a connector causes. It is computed, never claimed.
type ChangeClass string

// The classes, from least to most work.
const (
	Unchanged ChangeClass = "unchanged"
	Metadata  ChangeClass = "metadata" // title, description, labels, readme, logo, owner: recorded only
	Redeploy  ChangeClass = "redeploy" // fields, run, release, datasource: same image, new record
	Recheck   ChangeClass = "recheck"  // application, secrets, authentication: health check again
	Rebuild   ChangeClass = "rebuild"  // build or source: context digest or recipe changed
	Create    ChangeClass = "create"   // nothing was there
	Remove    ChangeClass = "remove"   // the declaration is gone
)

// Change is what one revision does to one declaration.
type Change struct {
	Identity    Identity
	Class       ChangeClass
	Environment Environment  // where it goes; empty when it is only recorded as valid
	Wanted      *Declaration // nil when removed
	Parts       []string     // what differs, such as spec.fields
	Content     string       // identifies what goes into the image; equal for equal images
	Semver      string       // for prod
}

// Check is the examination of one revision for one cause, from fetch to hand-over.
// Its phases are transactions: a killed server goes on with the phase that was not recorded.
type Check struct {
	ID         string // ULID
	Repository string // Repository.ID
	Ref        string
	Commit     string
	Cause      string // push, poll, retry
	Actor      string
	Phase      Phase
	Findings   Findings
	// State and Summary are the result of the check itself, the base of the aggregate: failure with findings, error
	// when the commit could not be read, else success with what happens next.
	State   State
	Summary string
	// Connectors are the identities that were found valid, as strings.
	Connectors []string
	Opened     time.Time
	Closed     time.Time // zero until planned
}

// Observed is what is stored of one declaration, for the plan.
type Observed struct {
	Identity   Identity
	Owner      string
	Repository string // Repository.ID that owns the name; empty when it is not watched any more
	// Newest is the newest release to dev, Live what dev serves; nil when there is none.
	Newest, Live *Release
}

// Phase is how far a check has come.
type Phase string

// The phases, in order.
const (
	Fetched Phase = "fetched" // the commit is here and pinned
	Loaded  Phase = "loaded"  // findings or declarations are known
	Planned Phase = "planned" // releases are handed over; nothing more to do for the check
)
