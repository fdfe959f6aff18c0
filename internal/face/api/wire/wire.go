// Package wire holds the JSON shapes of the API. The server fills them, the client reads them; nothing else is here, but
// what writes domain values in these shapes.
// Times are RFC 3339 in UTC and absent when there is none, durations are seconds, sizes are bytes, commits are full.
package wire

import "time"

// Page is one page of a list, with the cursor of the next.
type Page[T any] struct {
	Items []T    `json:"items" nullable:"false" doc:"What is on this page."`
	Next  string `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one."`
}

// Version says which program answers.
type Version struct {
	Version string `json:"version" doc:"Version of the server." example:"v0.1.0"`
	API     string `json:"api" doc:"Version of the API." example:"v1"`
}

// Site is a place where connectors are assigned and run.
type Site struct {
	Name        string    `json:"name" example:"feeds-dev" doc:"Unique name."`
	Owner       string    `json:"owner" example:"feeds" doc:"Team that owns it."`
	Environment string    `json:"environment" enum:"dev,prod" doc:"Which versions run here."`
	Created     time.Time `json:"created" doc:"When it was made."`
}

// Assignment is a connector at a site, with the values of its fields there.
type Assignment struct {
	Site      string            `json:"site" example:"feeds-dev" doc:"Where."`
	Connector string            `json:"connector" example:"shop-feed" doc:"What."`
	Major     int               `json:"major" example:"1" doc:"Which major version of it."`
	Config    map[string]string `json:"config,omitempty" doc:"Values of fields; those of password fields read [redacted]."`
	Schedule  string            `json:"schedule,omitempty" doc:"Cron; absent: the schedule of the live version."`
	Enabled   bool              `json:"enabled" doc:"Whether it may run."`
	Updated   time.Time         `json:"updated" doc:"When it was last changed."`
}

// Setting is what the platform repository declares of one thing, as it was applied last.
type Setting struct {
	Kind       string    `json:"kind" enum:"Repository,Team,Site,Workspace,AuthProvider,EventCatalog,Terms,Policy" doc:"What it is."`
	Name       string    `json:"name" example:"feeds" doc:"Unique among its kind."`
	Facts      []Fact    `json:"facts" nullable:"false" doc:"What it says, for people; values of assignments are left out."`
	Repository string    `json:"repository,omitempty" example:"platform/platform" doc:"The platform repository; absent when it is not watched any more."`
	Commit     string    `json:"commit" doc:"Commit that declared it last."`
	File       string    `json:"file" doc:"Manifest in that commit."`
	Line       int       `json:"line" doc:"Line where its document starts."`
	Applied    time.Time `json:"applied" doc:"When it was applied."`
}

// Fact is one thing that a setting says.
type Fact struct {
	Name  string `json:"name" example:"Members" doc:"What it is about."`
	Value string `json:"value" example:"ada (owner)" doc:"What is said."`
}

// Entry is one line of the audit trail.
type Entry struct {
	ID         string    `json:"id" doc:"ULID."`
	At         time.Time `json:"at" doc:"When it happened."`
	Actor      string    `json:"actor,omitempty" doc:"Who did it." example:"ada"`
	Channel    string    `json:"channel" enum:"git,api,portal,schedule,system" doc:"Through what."`
	Repository string    `json:"repository,omitempty" doc:"Id of the repository, when one caused it."`
	Commit     string    `json:"commit,omitempty" doc:"Commit that caused it."`
	Subject    string    `json:"subject" doc:"What changed: kind:name." example:"connector:shop-feed"`
	Action     string    `json:"action" doc:"What was done." example:"live.dev"`
	Before     string    `json:"before,omitempty" doc:"State before."`
	After      string    `json:"after,omitempty" doc:"State after."`
	Message    string    `json:"message,omitempty" doc:"A sentence for people."`
}
