// Package forge talks back to where a repository lives: commit statuses, sent from an outbox, once per change.
package forge

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Forge is a place where repositories live and commits carry statuses.
type Forge interface {
	// Write shows statuses at the forge, the first ones first, and returns how many of them it took. Writing what is
	// there already changes nothing, and writers may run at the same time: the last one wins for each context, nobody
	// else's data is lost.
	//
	// NotFound, Denied and TooLarge mean that trying again cannot help: the commit or repository is gone, the credentials
	// may not, or what is there is too much to look through. Invalid says so of the first status that was not taken; those
	// behind it may still arrive. Limited, with a *RetryAfter as its cause where the forge says when, Unauthenticated and
	// Unavailable pass: nothing of what was not taken arrived when Limited, all of it may have when Unavailable.
	Write(ctx context.Context, r waybill.Repository, m Message) (taken int, err error)
}

// Message is what a commit has to say.
type Message struct {
	Commit   string
	Statuses []waybill.Status // those that the forge does not know yet, the important ones first
	// Again says that some of them may have arrived before: look what is there and write only what is not.
	Again bool
	// First says that the forge was told nothing of the commit yet.
	First bool
	// Findings are those of the newest check, for forges that show them on their lines.
	Findings waybill.Findings
}

// Host is a forge with an API: every one but plain Git.
type Host interface {
	Forge
	Directory
	Conversation
	// Credentials returns user and password for reading r by Git over HTTP; both empty for a forge without a token.
	Credentials(ctx context.Context, r waybill.Repository) (user, password string, err error)
}

// Directory finds repositories and makes them tell of their pushes.
type Directory interface {
	// Find returns ForgeID, Path, URL (for cloning), DefaultBranch and Name of the repository that has the address (or,
	// when address is empty, the ForgeID) of r. NotFound, Denied.
	Find(ctx context.Context, r waybill.Repository) (waybill.Repository, error)
	// InstallHook makes r tell of what happens in it at address, signed with r.HookSecret. Doing it again changes the
	// secret of the hook that has this address. Denied when the token may not.
	InstallHook(ctx context.Context, r waybill.Repository, address string) error
	// RemoveHook takes the hook with this address away; one that is gone is no error.
	RemoveHook(ctx context.Context, r waybill.Repository, address string) error
	// Examine tries the credentials and, unless r is zero, what they may do in r, and says in words what it found.
	Examine(ctx context.Context, r waybill.Repository) []Finding
}

// Finding is one line of what Examine says.
type Finding struct {
	OK   bool
	What string // what was tried: "token", "statuses of acme/shop"
	Says string // what came of it, and for a failure what to do
}

// Conversation is what happens around pull requests.
type Conversation interface {
	// Pull returns a pull request, or NotFound.
	Pull(ctx context.Context, r waybill.Repository, number int) (waybill.Pull, error)
	// OpenPulls lists those that are open. TooLarge: there are more than anybody reads, and none is listed.
	OpenPulls(ctx context.Context, r waybill.Repository) ([]waybill.Pull, error)
	// Comment makes body the text of p.Comment, or of the comment with the marker, or of a new one, and returns its id.
	// A comment that somebody deleted is written anew.
	Comment(ctx context.Context, r waybill.Repository, p waybill.Pull, body string) (id string, err error)
	// MayWrite reports whether a user may push to r.
	MayWrite(ctx context.Context, r waybill.Repository, user string) (bool, error)
}

// Marker begins the body of Waybill's comment, hidden from people.
const Marker = "<!-- waybill -->"

// RetryAfter is the cause of a Limited error of which the forge says when it ends.
type RetryAfter struct{ Until time.Time }

// Error names the time.
func (e *RetryAfter) Error() string {
	return "the forge asks to wait until " + e.Until.UTC().Format(time.RFC3339)
}

// maxComment is how many characters a comment may have.
const maxComment = 60_000

// Clip makes the body of a comment fit.
func Clip(body string) string {
	const tail = "\n\n… cut: see the page behind the status for the rest"
	r := []rune(body)
	if len(r) <= maxComment {
		return body
	}
	return string(r[:maxComment-len([]rune(tail))]) + tail
}
