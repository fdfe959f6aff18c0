package reconcile

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// CommandKind is the kind of work that HandleCommand does: one delivery that asks for something.
const CommandKind = "command"

// Commands are obeyed this often in commandSpan; the others are dropped, so that nobody makes work without end by writing
// comments. Who is not known to write to a repository may ask far more often than people do.
const (
	commandsOfOne = 6  // of one person in one repository
	commandsOfAll = 60 // in one repository
	commandSpan   = time.Minute
)

// HandleCommand obeys a comment such as "/waybill plan", of people who may push, and a request to run checks again; it is
// the queue's handler for CommandKind. Its key is the id of the delivery that holds the event.
func (e *Engine) HandleCommand(ctx context.Context, item queue.Item) queue.Result {
	d, err := gitstore.Delivery(ctx, e.DB.Query(), item.Key)
	if waybill.IsCode(err, waybill.NotFound) {
		return queue.Done() // it was long ago
	}
	if err != nil {
		return e.verdict(err)
	}
	r, err := gitstore.Repository(ctx, e.DB.Query(), d.Repository)
	if waybill.IsCode(err, waybill.NotFound) {
		return queue.Done() // removed meanwhile
	}
	if err != nil {
		return e.verdict(err)
	}
	if item.Attempt <= 1 && !e.turns.take(e.Now(), r.ID, d.Event.Actor) {
		e.Log.WarnContext(ctx, "command dropped, there are too many", "repository", r.FullName(), "actor", d.Event.Actor)
		return queue.Done()
	}
	switch d.Event.Kind {
	case waybill.EventRerun:
		err = e.rerun(ctx, r, d.Event)
	case waybill.EventComment:
		err = e.obey(ctx, item, r, d.Event)
	default: // nothing is asked
	}
	return e.verdict(err)
}

// rerun examines a commit again because somebody pressed the button of its check, which forges show to those who may push.
func (e *Engine) rerun(ctx context.Context, r waybill.Repository, event waybill.Event) error {
	err := e.Retry(ctx, r.ID, event.Commit, waybill.Actor{Name: event.Actor, Channel: waybill.ChannelGit})
	if waybill.IsCode(err, waybill.Conflict) {
		e.Log.InfoContext(ctx, "commit cannot be examined again", "repository", r.FullName(), "commit", event.Commit, "error", err)
		return nil
	}
	return err
}

// obey does what a comment asks for, or notes why not.
func (e *Engine) obey(ctx context.Context, item queue.Item, r waybill.Repository, event waybill.Event) error {
	verb, ok := parseCommand(event.Comment)
	if !ok || event.Pull == nil {
		return nil
	}
	p, err := gitstore.Pull(ctx, e.DB.Query(), r.ID, event.Pull.Number)
	if waybill.IsCode(err, waybill.NotFound) {
		p = waybill.Pull{Repository: r.ID, Number: event.Pull.Number}
	} else if err != nil {
		return err
	}
	host, found := e.host(r)
	if !found {
		return waybill.Errorf(waybill.Invalid, "%s has no forge with pull requests", r.FullName())
	}
	asked, cancel := context.WithTimeout(ctx, forgeLimit)
	defer cancel()
	may, err := host.MayWrite(asked, r, event.Actor)
	if err != nil && !waybill.IsCode(err, waybill.NotFound) {
		return err
	}
	asks := `"/waybill ` + verb + `" of ` + event.Actor
	switch {
	case !may && p.Comment == "":
		return nil // nothing is written because of somebody who may not write
	case !may:
		return e.note(ctx, item, r, p, asks+" was not obeyed: that is for people who may push to this repository")
	case verb == "plan" || verb == "retry":
		return e.anew(ctx, item, r, p, waybill.Actor{Name: event.Actor, Channel: waybill.ChannelGit})
	default:
		return e.note(ctx, item, r, p, asks+": there is no such command; there are /waybill plan and /waybill retry")
	}
}

// parseCommand reads the verb of a comment that begins with /waybill.
func parseCommand(text string) (verb string, ok bool) {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	words := strings.Fields(line)
	if len(words) == 0 || words[0] != "/waybill" {
		return "", false
	}
	return strings.Join(words[1:], " "), true
}

// anew looks at a pull request again, as a new cause: its plan is made anew, and what did not succeed is built once more.
// One that was not seen yet is looked at for the first time.
func (e *Engine) anew(ctx context.Context, item queue.Item, r waybill.Repository, p waybill.Pull, by waybill.Actor) error {
	return e.DB.Write(ctx, "command.anew", func(tx *store.Tx) error {
		if err := item.Fence(ctx, tx); err != nil {
			return err
		}
		_, found, err := gitstore.LatestCheck(ctx, tx, r.ID, p.Ref)
		if err != nil {
			return err
		}
		if !found || !p.Open {
			return e.lookAt(ctx, tx, r, p.Number)
		}
		return e.reopen(ctx, tx, r, waybill.Ref{Name: p.Ref, Tip: p.Head}, p.Number, by)
	})
}

// note makes the comment of a pull request say something about a command.
func (e *Engine) note(ctx context.Context, item queue.Item, r waybill.Repository, p waybill.Pull, text string) error {
	err := e.DB.Write(ctx, "command.note", func(tx *store.Tx) error {
		if err := item.Fence(ctx, tx); err != nil {
			return err
		}
		if err := gitstore.SetPullNote(ctx, tx, r.ID, p.Number, text); err != nil {
			return err
		}
		return e.say(ctx, tx, r, p.Number)
	})
	if waybill.IsCode(err, waybill.NotFound) {
		return nil // never seen, so that there is nowhere to say it
	}
	return err
}

// turns counts commands, in memory: a restart forgives.
type turns struct {
	mu    sync.Mutex
	taken map[string][]time.Time
}

// take reports whether one more command of an actor in a repository may be looked at now, and counts it.
func (t *turns) take(now time.Time, repository, actor string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken == nil {
		t.taken = map[string][]time.Time{}
	}
	for key, times := range t.taken {
		for len(times) > 0 && now.Sub(times[0]) >= commandSpan {
			times = times[1:]
		}
		if t.taken[key] = times; len(times) == 0 {
			delete(t.taken, key)
		}
	}
	one := repository + " " + actor
	if len(t.taken[one]) >= commandsOfOne || len(t.taken[repository]) >= commandsOfAll {
		return false
	}
	t.taken[one] = append(t.taken[one], now)
	t.taken[repository] = append(t.taken[repository], now)
	return true
}
