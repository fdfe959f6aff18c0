package waybill

import (
	"strings"
	"time"
)

// Repository is a Git repository that Waybill watches.
type Repository struct {
	ID    string // ULID
	Name  string // shown to people: last path element without .git
	URL   string // absolute path or https/ssh URL, without credentials
	Forge string // configured name; "plain" for plain Git
	Owner string // name of the team
	// ForgeID is what its forge calls it for ever, a number; Path is what the forge calls it today, owner/name. Both are
	// empty for plain Git.
	ForgeID, Path string
	// Hook is the opaque id in the hook's address; HookSecret signs its requests. OldHookSecret is good too while the
	// forge learns a new one; empty at all other times.
	Hook          string
	HookSecret    string
	OldHookSecret string
	OldSecretEnds time.Time // from when on the old one is good no more; zero when there is none
	// DefaultBranch is a short name such as main. Empty until the first branch was seen.
	DefaultBranch string
	PushNotes     bool // write notes also to a repository reached by URL
	Added         time.Time
	LastPolled    time.Time // zero when never
	LastTold      time.Time // when its hook last said something; zero when never
	LastMissed    time.Time // when a push was last found that its hook did not tell of; zero when never
	Archived      bool      // its forge lets nobody change it any more
}

// Local reports whether the repository is a folder of this machine.
func (r Repository) Local() bool { return strings.HasPrefix(r.URL, "/") }

// Hooked reports whether its hook tells of pushes, as far as is known.
func (r Repository) Hooked() bool { return !r.LastTold.IsZero() && r.LastTold.After(r.LastMissed) }

// FullName returns owner/name, as people write it.
func (r Repository) FullName() string { return r.Owner + "/" + r.Name }

// Ref is what Waybill last observed of one branch or tag.
type Ref struct {
	Repository string // Repository.ID
	Name       string // full name: refs/heads/main, refs/tags/v1.0.0
	Tip        string // commit, annotated tags peeled; empty when the ref is gone
	Observed   time.Time
}

// Branch returns the short name when name is a branch.
func Branch(name string) (string, bool) { return strings.CutPrefix(name, "refs/heads/") }

// Queued reports whether name is a branch that a merge queue of GitHub made for a moment: it is validated like any other,
// and never the default, nor does anything follow it.
func Queued(name string) bool { return strings.HasPrefix(name, "refs/heads/gh-readonly-queue/") }

// Tag returns the short name when name is a tag.
func Tag(name string) (string, bool) { return strings.CutPrefix(name, "refs/tags/") }

// ShortRef returns a ref name as people write it.
func ShortRef(name string) string {
	for _, p := range []string{"refs/heads/", "refs/tags/"} {
		if s, ok := strings.CutPrefix(name, p); ok {
			return s
		}
	}
	return name
}

// ShortCommit returns the first seven characters of a commit.
func ShortCommit(sha string) string { return sha[:min(7, len(sha))] }
