// Package forgetest is the suite that every forge with an API passes, against a server of its kind.
package forgetest

import (
	"testing"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Place is a forge and what lies in it for the suite. Functions look at the server itself, past the adapter.
type Place struct {
	Host forge.Host
	// Revoked is the same forge reached with credentials that it does not know (any more).
	Revoked forge.Host

	// Repository is one that the credentials may administrate, as Find returns it; HookSecret is set by the suite.
	Repository waybill.Repository
	// Commit is one of its commits. It says nothing yet.
	Commit string
	// Pull is an open pull request from a branch of the same repository; Fork one from another repository. The suite
	// does not look at Title, Author, URL, Comment and Seen.
	Pull, Fork waybill.Pull
	// Closed is the number of a pull request that was closed or merged.
	Closed int
	// Writer may push to the repository, Reader may not. Admin may do everything.
	Admin, Writer, Reader string

	// Statuses returns every status of a commit that the server has, oldest first. One that takes the place of another,
	// as a check run does, is there once. Context, State, Description and URL are compared.
	Statuses func(t *testing.T, commit string) []waybill.Status
	// Shown returns what Statuses says of a status that was written; nil when that is the same.
	Shown func(waybill.Status) waybill.Status
	// Hooks returns the addresses of the hooks of the repository; nil where repositories have none of their own.
	Hooks func(t *testing.T) []string
	// Comments returns the comments of a pull request, oldest first.
	Comments func(t *testing.T, number int) []Comment
	// Say adds a comment to a pull request in the name of somebody else; Delete removes one.
	Say    func(t *testing.T, number int, body string)
	Delete func(t *testing.T, number int, id string)
}

// Comment is one below a pull request.
type Comment struct{ ID, Body string }

// Run tries everything that the contract promises. open makes a new place, or a new repository in one.
func Run(t *testing.T, open func(t *testing.T) *Place) {
	for name, test := range map[string]func(t *testing.T, p *Place){
		"find":                 find,
		"statuses":             statuses,
		"statuses again":       again,
		"statuses in any text": text,
		"statuses refused":     refused,
		"hook":                 hook,
		"pulls":                pulls,
		"comment":              comment,
		"comment found again":  marker,
		"comment too long":     long,
		"who may write":        mayWrite,
		"examine":              examine,
		"credentials":          credentials,
		"revoked":              revoked,
		"cut short":            cutShort,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// code fails unless err carries one of the codes; "" stands for no error.
func code(t *testing.T, what string, err error, want ...waybill.Code) {
	t.Helper()
	for _, c := range want {
		if waybill.CodeOf(err) == c {
			return
		}
	}
	t.Errorf("%s: %v (%q), want %q", what, err, waybill.CodeOf(err), want)
}
