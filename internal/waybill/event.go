package waybill

import "time"

// EventKind is what Waybill makes of something that a forge said.
type EventKind string

// The kinds of events.
const (
	EventPush         EventKind = "push"         // refs moved, came or went
	EventPull         EventKind = "pull"         // a pull request opened, moved or closed
	EventComment      EventKind = "comment"      // somebody wrote below a pull request
	EventRerun        EventKind = "rerun"        // somebody asked for the checks of a commit again
	EventRepository   EventKind = "repository"   // renamed, moved, archived, deleted, or its default branch changed
	EventInstallation EventKind = "installation" // an App was installed, removed, or given other repositories
	EventPing         EventKind = "ping"
	EventIgnored      EventKind = "ignored" // verified, and of no interest
)

// Event is what a forge said, read from a verified hook request. Every word of it is a hint: the forge is asked before
// anything is done.
type Event struct {
	Kind   EventKind
	Name   string // the forge's word for the event: pull_request, "Merge Request Hook"
	Action string // what happened, as the forge says it: opened, synchronize; may be empty
	Key    string // the forge's id of this delivery; unique within one hook
	Refs   []RefUpdate
	Actor  string // who did it, as the forge names them; may be empty

	// Source is the repository it happened in; zero for plain Git and for what happens to an installation as a whole.
	Source EventSource
	// Pull is set for EventPull and EventComment, as far as the forge tells.
	Pull *Pull
	// Comment is the text of EventComment, CommentID what the forge calls it: unlike Key, it is part of what is signed.
	Comment   string
	CommentID string
	// Commit is what EventRerun asks for.
	Commit string
	// Installation is the number of the App's installation, where there is one. Repositories are those that
	// EventInstallation speaks of.
	Installation int64
	Repositories []EventSource
}

// EventSource is a repository in the words of its forge.
type EventSource struct {
	ID            string // number, as text
	Path          string // owner/name
	CloneURL      string // may be empty
	DefaultBranch string // short name; may be empty
	Archived      bool
}

// RefUpdate is one line of what a hook said: a hint, never the truth about the tip.
type RefUpdate struct {
	Name string // full ref name
	Old  string // 40 zeros when created; empty when not said
	New  string // 40 zeros when deleted; empty when not said
}

// Delivery is an event at rest: stored before the hook is answered.
type Delivery struct {
	ID         string // ULID
	Repository string // Repository.ID
	Forge      string
	Hook       string
	Event      Event
	Received   time.Time
}
