package forgetest

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// shape keeps what the suite compares of a pull request.
func shape(p waybill.Pull) waybill.Pull {
	return waybill.Pull{Repository: p.Repository, Number: p.Number, Ref: p.Ref, Head: p.Head, Base: p.Base, Fork: p.Fork, Open: p.Open}
}

func pulls(t *testing.T, p *Place) {
	t.Helper()
	for _, want := range []waybill.Pull{p.Pull, p.Fork} {
		got, err := p.Host.Pull(t.Context(), p.Repository, want.Number)
		code(t, "pull", err, "")
		want.Repository, want.Open = p.Repository.ID, true
		if diff := cmp.Diff(shape(want), shape(got)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if got.Title == "" || got.Author == "" || !strings.HasPrefix(got.URL, "http") {
			t.Errorf("title %q, author %q, page %q", got.Title, got.Author, got.URL)
		}
	}
	closed, err := p.Host.Pull(t.Context(), p.Repository, p.Closed)
	code(t, "closed", err, "")
	if closed.Open {
		t.Error("a closed pull request is open")
	}
	_, err = p.Host.Pull(t.Context(), p.Repository, 98765)
	code(t, "missing", err, waybill.NotFound)

	open, err := p.Host.OpenPulls(t.Context(), p.Repository)
	code(t, "open pulls", err, "")
	var got, want []int
	for _, o := range open {
		got = append(got, o.Number)
	}
	want = append(want, p.Pull.Number, p.Fork.Number)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("open pulls (-want +got):\n%s", diff)
	}
}

// comments compares the bodies of all comments of the pull request.
func (p *Place) comments(t *testing.T, want ...string) []Comment {
	t.Helper()
	list := p.Comments(t, p.Pull.Number)
	var got []string
	for _, c := range list {
		got = append(got, c.Body)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("comments (-want +got):\n%s", diff)
	}
	return list
}

// comment: one, edited in place, and written anew when somebody deleted it.
func comment(t *testing.T, p *Place) {
	t.Helper()
	pull := p.Pull
	say := func(body string) string {
		t.Helper()
		id, err := p.Host.Comment(t.Context(), p.Repository, pull, forge.Marker+"\n"+body)
		code(t, "comment", err, "")
		return id
	}
	p.Say(t, pull.Number, "looks good to me")
	pull.Comment = say("| step | result |\n|---|---|\n| plan | 1 change |")
	p.comments(t, "looks good to me", forge.Marker+"\n| step | result |\n|---|---|\n| plan | 1 change |")
	if id := say("two changes"); id != pull.Comment {
		t.Errorf("comment %s became %s", pull.Comment, id)
	}
	list := p.comments(t, "looks good to me", forge.Marker+"\ntwo changes")
	p.Delete(t, pull.Number, list[1].ID)
	if id := say("three changes"); id == pull.Comment {
		t.Errorf("comment %s came back from the dead", id)
	}
	p.comments(t, "looks good to me", forge.Marker+"\nthree changes")
}

// marker: whoever forgot the id finds the comment again, and takes nobody else's for it.
func marker(t *testing.T, p *Place) {
	t.Helper()
	p.Say(t, p.Pull.Number, forge.Marker+"\nfooled you")
	first, err := p.Host.Comment(t.Context(), p.Repository, p.Pull, forge.Marker+"\none")
	code(t, "comment", err, "")
	p.comments(t, forge.Marker+"\nfooled you", forge.Marker+"\none")
	second, err := p.Host.Comment(t.Context(), p.Repository, p.Pull, forge.Marker+"\ntwo")
	code(t, "comment again", err, "")
	if first == "" || first != second {
		t.Errorf("comment %q became %q", first, second)
	}
	p.comments(t, forge.Marker+"\nfooled you", forge.Marker+"\ntwo")
	lost := p.Pull
	lost.Number = 98765
	_, err = p.Host.Comment(t.Context(), p.Repository, lost, forge.Marker)
	code(t, "a pull request that is not there", err, waybill.NotFound)
}

// maxComment is what the contract allows, in characters.
const maxComment = 60_000

// long: a text that is too long is cut, not refused.
func long(t *testing.T, p *Place) {
	t.Helper()
	_, err := p.Host.Comment(t.Context(), p.Repository, p.Pull, forge.Marker+"\n"+strings.Repeat("größer ", 10_000))
	code(t, "comment", err, "")
	list := p.Comments(t, p.Pull.Number)
	if len(list) != 1 {
		t.Fatalf("%d comments, want 1", len(list))
	}
	if n := utf8.RuneCountInString(list[0].Body); n > maxComment || n < maxComment/2 || !strings.HasPrefix(list[0].Body, forge.Marker) {
		t.Errorf("a comment of %d characters begins with %.30q", n, list[0].Body)
	}
}

func mayWrite(t *testing.T, p *Place) {
	t.Helper()
	for user, want := range map[string]bool{p.Admin: true, p.Writer: true, p.Reader: false, "nobody-of-this-name": false} {
		got, err := p.Host.MayWrite(t.Context(), p.Repository, user)
		code(t, "may write", err, "")
		if got != want {
			t.Errorf("%s may write: %t, want %t", user, got, want)
		}
	}
	for _, user := range []string{"", "../admin", "a/b"} {
		if ok, _ := p.Host.MayWrite(t.Context(), p.Repository, user); ok {
			t.Errorf("%q may write", user)
		}
	}
}
