package waybill

import "time"

// Channel says through what a change came.
type Channel string

// The channels.
const (
	ChannelGit      Channel = "git"
	ChannelAPI      Channel = "api"
	ChannelPortal   Channel = "portal"
	ChannelSchedule Channel = "schedule"
	ChannelSystem   Channel = "system" // recovery, retention
)

// Actor is who asked for a change, and through what.
type Actor struct {
	Name    string // as the audit trail shows it; empty when unknown
	Channel Channel
}

// Entry is one line of the audit trail, which is also the history of each object.
type Entry struct {
	ID         string // ULID
	At         time.Time
	Actor      string // who; empty when unknown
	Channel    Channel
	Repository string // Repository.ID; may be empty
	Commit     string // may be empty
	Subject    string // kind:name, such as connector:shop-feed@2, run:01J…, site:feeds-dev
	Action     string // step.build, live.dev, run.start, repository.add, …
	Before     string
	After      string
	Message    string // a sentence for people; may be empty
}
