package waybill

import "time"

// Pull is a pull request; on GitLab a merge request.
type Pull struct {
	Repository string // Repository.ID
	Number     int
	Ref        string // full name of the ref of its head at the forge: refs/pull/7/head, refs/merge-requests/7/head
	Head       string // commit, as the forge said it last
	Base       string // short name of the branch it goes to
	Fork       bool   // its head lies in another repository
	Open       bool
	Title      string
	Author     string // as the forge names them
	URL        string // page for people
	Seen       time.Time

	// What Waybill remembers of it, beside what the forge says. Storing the rest leaves these as they are.

	Comment string // the forge's id of Waybill's comment; empty when there is none
	Told    string // identifies the text that the comment has at the forge
	Note    string // what the comment says of the last command that nobody obeyed; may be empty
	Against string // commit of Base that the newest check was made with; empty when there is none
}

// Trial is the build of one declaration as the head of a pull request holds it.
type Trial struct {
	Identity Identity
	Release  string // Release.ID
	Outcome  Outcome
	Detail   string // why it did not succeed, for people
	Image    string // local id; empty until it is built
	Size     int64  // of the image, in bytes; 0: not known
}
