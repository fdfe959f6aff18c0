package plain

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/git/binary"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const notesRef = "refs/notes/waybill"

// notes is the notes ref of one repository.
type notes struct {
	dir     string
	owner   binary.Owner
	foreign bool // a copy: the annotated commits are elsewhere
}

// state is what one look at the repository found.
type state struct {
	tip    string            // commit of the notes ref; empty when there is none
	texts  map[string][]byte // by path in the notes tree, where the commit has a note
	commit bool              // the annotated commit is there
}

// paths returns where Git programs may have put the note of a commit, ours first. Git itself changes the fan-out
// with the number of notes.
func paths(commit string) []string {
	return []string{
		commit[:2] + "/" + commit[2:],
		commit,
		commit[:2] + "/" + commit[2:4] + "/" + commit[4:],
	}
}

// write sets the statuses of a commit. It does nothing when they are what the note says already. It reports moved
// when somebody else changed the notes meanwhile: nothing was written, look again.
func (n notes) write(ctx context.Context, commit string, statuses []waybill.Status, now time.Time) (moved bool, err error) {
	s, err := n.look(ctx, commit)
	if err != nil {
		return false, err
	}
	if !s.commit && !n.foreign {
		return false, waybill.Errorf(waybill.NotFound, "commit %s is not there any more", waybill.ShortCommit(commit))
	}
	var old []byte
	for _, p := range paths(commit) {
		old = append(old, s.texts[p]...)
		if len(old) > 0 && old[len(old)-1] != '\n' {
			old = append(old, '\n')
		}
	}
	text, same, err := merge(old, statuses)
	if err != nil || same && len(s.texts) == 1 {
		return false, err
	}
	return n.commit(ctx, commit, s, text, now)
}

// look reads everything in one process.
func (n notes) look(ctx context.Context, commit string) (state, error) {
	asked := append([]string{notesRef, commit + "^{commit}"}, paths(commit)...)
	for i, p := range asked[2:] {
		asked[i+2] = notesRef + ":" + p
	}
	cmd := binary.As(binary.Command(ctx, n.dir, "cat-file", "--batch"), n.owner)
	out, err := binary.Run(cmd, []byte(strings.Join(asked, "\n")+"\n"))
	if err != nil {
		return state{}, err
	}
	s := state{texts: map[string][]byte{}}
	answers := bufio.NewReader(bytes.NewReader(out))
	for i := range asked {
		id, kind, content, err := answer(answers)
		if err != nil {
			return state{}, waybill.Wrap(waybill.Unavailable, err, "git cat-file gave no answer")
		}
		switch {
		case kind == "":
		case i == 0:
			s.tip = id
		case i == 1:
			s.commit = true
		case kind == "blob":
			s.texts[paths(commit)[i-2]] = content
		}
	}
	return s, nil
}

// answer reads one answer of git cat-file --batch; kind is empty for an object that is missing.
func answer(r *bufio.Reader) (id, kind string, content []byte, err error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", "", nil, err
	}
	var size int64
	if _, err := fmt.Sscanf(line, "%s %s %d", &id, &kind, &size); err != nil {
		return "", "", nil, nil //nolint:nilerr // "<name> missing"
	}
	content = make([]byte, size)
	if _, err := io.ReadFull(r, content); err != nil {
		return "", "", nil, err
	}
	_, err = r.Discard(1) // the line break after the content
	return id, kind, content, err
}

// tip returns the commit of the notes ref, empty when there is none.
func (n notes) tip(ctx context.Context) (string, error) {
	out, err := binary.Output(ctx, n.dir, nil, "for-each-ref", "--format=%(objectname)", notesRef)
	return strings.TrimSpace(string(out)), err
}

// commit writes the note and moves the ref from s.tip, in one process: git fast-import refuses to move a ref whose
// value the new commit does not descend from.
func (n notes) commit(ctx context.Context, commit string, s state, text []byte, now time.Time) (moved bool, err error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "commit %s\ncommitter Waybill <waybill@localhost> %d +0000\n", notesRef, now.Unix())
	message := "Notes added by Waybill\n"
	fmt.Fprintf(&b, "data %d\n%s", len(message), message)
	if s.tip != "" {
		fmt.Fprintf(&b, "from %s\n", s.tip)
	}
	for _, p := range paths(commit)[1:] {
		if _, there := s.texts[p]; there {
			fmt.Fprintf(&b, "D %s\n", p) // two notes of one commit would be shown as one
		}
	}
	fmt.Fprintf(&b, "M 100644 inline %s\ndata %d\n%s\ndone\n", paths(commit)[0], len(text), text)

	cmd := binary.As(binary.Command(ctx, n.dir, "fast-import", "--quiet", "--done", "--date-format=raw"), n.owner)
	_, err = binary.Run(cmd, b.Bytes())
	const refused = 1 // any other failure ends with 128
	if binary.ExitCode(err) == refused && ctx.Err() == nil {
		return true, nil
	}
	if err != nil {
		return false, waybill.Wrap(waybill.Unavailable, errors.Unwrap(err), "the note of "+waybill.ShortCommit(commit)+" cannot be written")
	}
	return false, nil
}
