package wire

import "time"

// Repository is a Git repository that Waybill watches.
type Repository struct {
	ID            string    `json:"id" doc:"ULID."`
	Name          string    `json:"name" doc:"Owner and name, as people write it." example:"feeds/shop-feed"`
	URL           string    `json:"url" doc:"Absolute path, or https or ssh URL without credentials." example:"/srv/git/shop-feed.git"`
	Forge         string    `json:"forge" doc:"Name of the forge; plain for plain Git." example:"plain"`
	ForgeID       string    `json:"forge_id,omitempty" doc:"Number by which its forge knows it for ever; absent for plain Git." example:"4711"`
	Path          string    `json:"path,omitempty" doc:"What its forge calls it today; absent for plain Git." example:"acme/shop-feed"`
	Owner         string    `json:"owner" doc:"Team that owns it." example:"feeds"`
	DefaultBranch string    `json:"default_branch,omitempty" doc:"Short name; absent until the first branch was seen." example:"main"`
	PushNotes     bool      `json:"push_notes" doc:"Whether notes are pushed to a repository reached by URL."`
	Archived      bool      `json:"archived,omitempty" doc:"Whether its forge lets nobody change it."`
	Added         time.Time `json:"added" doc:"When it was added."`
	LastPolled    time.Time `json:"last_polled,omitzero" doc:"When its refs were last read; absent when never."`
	LastTold      time.Time `json:"last_told,omitzero" doc:"When its hook last said something; absent when never."`
	LastMissed    time.Time `json:"last_missed,omitzero" doc:"When a push was last found that its hook did not tell of; absent when never."`
}

// AddRepository asks to watch a repository.
type AddRepository struct {
	URL       string `json:"url" minLength:"1" maxLength:"2000" doc:"Absolute path on the server, or https or ssh URL." example:"/srv/git/shop-feed.git"`
	Owner     string `json:"owner" minLength:"1" maxLength:"40" doc:"Team that owns the repository." example:"feeds"`
	Name      string `json:"name,omitempty" maxLength:"100" doc:"Short name; default: what its forge calls it, or the last part of the URL without .git."`
	Forge     string `json:"forge,omitempty" maxLength:"40" doc:"Name of a configured forge; default: the one whose address the URL begins with, else plain."`
	PushNotes bool   `json:"push_notes,omitempty" doc:"Push notes to a repository reached by URL."`
}

// AddedRepository is a repository that was added, and whether it tells of pushes.
type AddedRepository struct {
	Repository

	Hook
}

// Hook says how a repository tells of pushes, or what a person has to do for it.
type Hook struct {
	HookInstalled bool      `json:"hook_installed" doc:"Whether its hook was installed; else pushes are found by polling."`
	Hint          string    `json:"hint,omitempty" doc:"What a person can do better."`
	HookForm      *HookForm `json:"hook,omitempty" doc:"What to fill in at the forge; absent when there is nothing to do."`
}

// HookForm is what a person fills in at a forge so that a repository tells of its pushes.
type HookForm struct {
	Page        string   `json:"page" doc:"Page of the forge." example:"https://git.example.org/acme/shop-feed/settings/hooks/gitea/new"`
	Address     string   `json:"address" doc:"Where the forge sends to." example:"https://waybill.example.org/hooks/gitea/abc"`
	Secret      string   `json:"secret" doc:"What it signs with."`
	ContentType string   `json:"content_type" example:"application/json" doc:"What it sends."`
	Events      []string `json:"events" nullable:"false" doc:"What it tells of, as its page calls it."`
}

// RepositoryHook asks for a hook to be installed again.
type RepositoryHook struct {
	Rotate bool `json:"rotate,omitempty" doc:"With a new secret. The one before stays good for a while."`
}

// InstalledHook is what came of it.
type InstalledHook struct {
	Hook

	OldSecretEnds time.Time `json:"old_secret_ends,omitzero" doc:"Until when the secret before is good; absent when there is no new one."`
}

// Forge is a place where repositories live.
type Forge struct {
	Name         string `json:"name" example:"github" doc:"Its name in the configuration; plain is plain Git."`
	Kind         string `json:"kind" enum:"github,gitea,gitlab,plain" doc:"What it speaks."`
	URL          string `json:"url,omitempty" example:"https://github.com" doc:"Its address; absent for plain Git."`
	App          bool   `json:"app,omitempty" doc:"Whether Waybill is an App there."`
	Repositories int    `json:"repositories" doc:"How many are watched there."`
}

// CheckForge asks for a forge to be tried.
type CheckForge struct {
	Repository string `json:"repository,omitempty" maxLength:"300" doc:"Try what Waybill may do in this repository too."`
}

// ForgeCheck is what was found.
type ForgeCheck struct {
	OK       bool           `json:"ok" doc:"Whether nothing failed."`
	Findings []ForgeFinding `json:"findings" nullable:"false" doc:"What was tried, in order."`
}

// ForgeFinding is one thing that was tried.
type ForgeFinding struct {
	OK   bool   `json:"ok" doc:"Whether it works."`
	What string `json:"what" example:"token" doc:"What was tried."`
	Says string `json:"says" doc:"What came of it; for a failure what to do."`
}
