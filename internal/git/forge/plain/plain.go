// Package plain is the forge of repositories that have none: statuses become notes on commits, in refs/notes/waybill,
// which `git notes --ref=waybill show <commit>` prints; pushes are reported by a post-receive hook.
//
// A note holds one JSON object a line: context, state, description, url, updated. Lines that are no status belong to
// somebody else and stay.
package plain

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/waybill-dev/waybill/internal/git/binary"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const (
	// maxAttempts bounds how often a write starts again because somebody else moved the ref.
	maxAttempts = 20
	// defaultTimeout bounds one write, with all its attempts.
	defaultTimeout = 30 * time.Second
)

// Options tune the forge.
type Options struct {
	// Dir holds the notes of repositories that are reached by URL, until they are pushed.
	Dir string
	Now func() time.Time
	// Timeout bounds one write; 0 means 30 s.
	Timeout time.Duration
}

// Forge writes notes. It is safe for concurrent use, also by several processes.
type Forge struct {
	o Options

	mu   sync.Mutex
	busy map[string]*sync.Mutex // by repository id: our own writers queue up instead of racing
}

// New returns a forge; it does nothing until something is written.
func New(o Options) *Forge {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	return &Forge{o: o, busy: map[string]*sync.Mutex{}}
}

// Write puts statuses into the note of a commit, all or none, as [forge.Forge] demands. A repository reached by URL is
// written to only when Repository.PushNotes says so; whether its commit exists is not looked up.
func (f *Forge) Write(ctx context.Context, r waybill.Repository, m forge.Message) (taken int, err error) {
	if err := f.write(ctx, r, m.Commit, m.Statuses); err != nil {
		return 0, err
	}
	return len(m.Statuses), nil
}

func (f *Forge) write(ctx context.Context, r waybill.Repository, commit string, statuses []waybill.Status) error {
	if !isCommit(commit) {
		return waybill.Errorf(waybill.Invalid, "%q is not a commit id", commit)
	}
	if len(statuses) == 0 || !r.Local() && !r.PushNotes {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.o.Timeout)
	defer cancel()
	lock := f.lockOf(r.ID)
	lock.Lock()
	defer lock.Unlock()
	if !r.Local() {
		return f.push(ctx, r, commit, statuses)
	}
	n, err := openLocal(r.URL)
	if err != nil {
		return err
	}
	for range maxAttempts {
		moved, err := n.write(ctx, commit, statuses, f.o.Now())
		if err != nil || !moved {
			return err
		}
	}
	return waybill.Errorf(waybill.Unavailable, "%s moves faster in %s than it can be written", notesRef, r.FullName())
}

func (f *Forge) lockOf(id string) *sync.Mutex {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy[id] == nil {
		f.busy[id] = &sync.Mutex{}
	}
	return f.busy[id]
}

// push writes the note in a repository of ours and pushes it. Git refuses the push when the ref moved meanwhile, so
// nobody's note is lost.
func (f *Forge) push(ctx context.Context, r waybill.Repository, commit string, statuses []waybill.Status) error {
	n, err := f.openCopy(ctx, r)
	if err != nil {
		return err
	}
	for range maxAttempts {
		// The pattern also fits a ref that is not there, and --prune then forgets ours.
		fetch := []string{"fetch", "--quiet", "--no-tags", "--prune", r.URL, "+" + notesRef + "*:" + notesRef + "*"}
		if _, err := binary.Output(ctx, n.dir, nil, fetch...); err != nil {
			return waybill.Wrap(waybill.Unavailable, errors.Unwrap(err), "the notes of "+r.FullName()+" cannot be read")
		}
		before, err := n.tip(ctx)
		if err != nil {
			return err
		}
		if _, err := n.write(ctx, commit, statuses, f.o.Now()); err != nil {
			return err
		}
		after, err := n.tip(ctx)
		if err != nil || after == before {
			return err
		}
		_, err = binary.Output(ctx, n.dir, nil, "push", "--quiet", r.URL, notesRef+":"+notesRef)
		const rejected = 1 // any other failure ends with 128
		if err == nil || binary.ExitCode(err) != rejected {
			return err
		}
	}
	return waybill.Errorf(waybill.Unavailable, "%s is refused by %s again and again", notesRef, r.FullName())
}

// openCopy opens, or makes, the repository that holds the notes of a repository reached by URL.
func (f *Forge) openCopy(ctx context.Context, r waybill.Repository) (notes, error) {
	dir := filepath.Join(f.o.Dir, filepath.Base(r.ID)+".notes.git")
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return notes{}, waybill.Wrap(waybill.Unavailable, err, "cannot create the folder of notes")
		}
		if _, err := binary.Output(ctx, dir, nil, "init", "--quiet", "--bare", "."); err != nil {
			return notes{}, err
		}
	}
	owner, err := binary.OwnerOf(dir)
	return notes{dir: dir, owner: owner, foreign: true}, err
}

// openLocal finds the Git folder of a repository on this machine; NotFound when there is none.
func openLocal(path string) (notes, error) {
	dir, err := gitDir(path)
	if err != nil {
		return notes{}, err
	}
	owner, err := binary.OwnerOf(dir)
	return notes{dir: dir, owner: owner}, err
}

// gitDir returns the Git folder of the repository at path, which is bare or has a work tree.
func gitDir(path string) (string, error) {
	for _, dir := range []string{path, filepath.Join(path, ".git")} {
		if _, err := os.Stat(filepath.Join(dir, "objects")); err == nil {
			return dir, nil
		}
	}
	return "", waybill.Errorf(waybill.NotFound, "no Git repository at %s", path)
}

var commitID = regexp.MustCompile(`^[0-9a-f]{40}$`)

func isCommit(s string) bool { return commitID.MatchString(s) }
