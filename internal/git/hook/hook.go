// Package hook is the pusher's side of a push to plain Git: it tells the server which refs moved and shows what comes
// of it. Git runs it as post-receive, after the refs have moved; nothing here can refuse a push.
package hook

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/git/progress"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

const (
	// waitAtMost is how long a pusher waits for a push to be worked on.
	waitAtMost = 60 * time.Second
	// noWait is the push option that skips the wait.
	noWait = "waybill.nowait"
	// maxRefs bounds what is reported of one push; polling finds the rest.
	maxRefs = 20_000
)

// Push is one run of the hook.
type Push struct {
	GitDir string                   // of the repository that was pushed to
	Stdin  io.Reader                // lines "<old> <new> <ref>"
	Out    io.Writer                // what is written here is shown to the pusher
	Getenv func(name string) string // push options and the pusher's name
	Now    func() time.Time
	Key    string        // names the delivery; unique
	Wait   time.Duration // 0 means 60 s
}

// PostReceive reports the push and follows it until it is done, the wait is over, or nobody listens any more.
// Whatever goes wrong is one line for the pusher: the error is only for a pusher who is gone.
func PostReceive(ctx context.Context, p Push) error {
	updates := readUpdates(p.Stdin)
	if len(updates) == 0 {
		return nil
	}
	s, err := ReadSettings(p.GitDir)
	if waybill.IsCode(err, waybill.NotFound) {
		return nil // a shared hooks folder, and a repository that Waybill does not watch
	}
	if err != nil {
		return p.say("not reported: %s; the push is stored and found by polling", err)
	}
	if p.Wait == 0 {
		p.Wait = waitAtMost
	}
	ctx, cancel := context.WithTimeout(ctx, p.Wait)
	defer cancel()
	server := newServer(s, p.Now)
	accepted, err := server.report(ctx, waybill.Event{Kind: "push", Key: p.Key, Refs: updates, Actor: p.actor()})
	switch {
	case err != nil:
		return p.say("%s", err)
	case accepted.Progress == "":
		return nil // reported before
	case p.hasOption(noWait):
		return p.say("not waiting; see %s", cmp.Or(accepted.See, s.Server))
	}
	return p.follow(ctx, server, accepted.Progress)
}

// say tells the pusher one thing.
func (p Push) say(format string, args ...any) error {
	_, err := fmt.Fprintf(p.Out, "waybill: "+format+"\n", args...)
	return err
}

// readUpdates reads the refs that moved; those that are neither branches nor tags are nobody's business.
func readUpdates(r io.Reader) []waybill.RefUpdate {
	var updates []waybill.RefUpdate
	lines := bufio.NewScanner(r)
	for lines.Scan() && len(updates) < maxRefs {
		parts := strings.SplitN(lines.Text(), " ", 3)
		if len(parts) == 3 && webhooks.Watched(parts[2]) {
			updates = append(updates, waybill.RefUpdate{Old: parts[0], New: parts[1], Name: parts[2]})
		}
	}
	return updates
}

// actor is who pushed, as the server that received the push knows them.
func (p Push) actor() string {
	for _, name := range []string{"REMOTE_USER", "GL_USER", "LOGNAME", "USER"} {
		if v := p.Getenv(name); v != "" {
			return v
		}
	}
	return ""
}

// hasOption reports whether the pusher gave a push option.
func (p Push) hasOption(option string) bool {
	n, _ := strconv.Atoi(p.Getenv("GIT_PUSH_OPTION_COUNT"))
	for i := range n {
		if p.Getenv("GIT_PUSH_OPTION_"+strconv.Itoa(i)) == option {
			return true
		}
	}
	return false
}

// arrival is an event, or the end of the stream.
type arrival struct {
	event progress.Event
	err   error
}

// follow prints the progress of the push.
func (p Push) follow(ctx context.Context, s *server, address string) error {
	printer := progress.NewPrinter(p.Out)
	stream, err := s.open(ctx, address)
	if err != nil {
		return p.say("accepted, but its progress cannot be followed: %s", err)
	}
	arrivals := make(chan arrival)
	gone := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		read(stream, arrivals, gone)
	}()
	defer func() {
		close(gone)
		_ = stream.Close()
		<-done
	}()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case a := <-arrivals:
			if a.err != nil {
				return p.leave(ctx, printer, s.settings.Server)
			}
			if err := printer.Print(a.event, p.Now()); err != nil || a.event == (progress.Done{}) {
				return err
			}
		case <-tick.C:
			if err := printer.Tick(p.Now()); err != nil {
				return err
			}
		case <-ctx.Done():
			return p.leave(ctx, printer, s.settings.Server)
		}
	}
}

// leave ends the output of a push that is not done.
func (p Push) leave(ctx context.Context, printer *progress.Printer, fallback string) error {
	why := "the server went away; it goes on with this push when it is back. See"
	if ctx.Err() != nil {
		why = "the work goes on. See"
	}
	if !printer.Open() {
		return p.say("%s %s", why, fallback)
	}
	return printer.Leave(why, fallback)
}

// read hands over the events of a stream until it ends or nobody listens.
func read(stream io.Reader, to chan<- arrival, gone <-chan struct{}) {
	events := progress.NewDecoder(stream)
	for {
		e, err := events.Next()
		select {
		case to <- arrival{event: e, err: err}:
		case <-gone:
			return
		}
		if err != nil {
			return
		}
	}
}
