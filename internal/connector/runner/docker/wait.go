package docker

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Wait is [runner.Runner]. While the program runs it follows the log; engines of the 20.10 series lose the end of a log
// they follow, so what is missing is read in a second pass, after the engine has closed the log.
func (e *Engine) Wait(ctx context.Context, id string, stdout, stderr io.Writer) (runner.Exit, error) {
	out, errs := &output{w: stdout}, &output{w: stderr}
	if err := e.follow(ctx, id, out, errs); err != nil && failure(out, errs) == nil {
		return runner.Exit{}, translate(ctx, err, "wait for a container")
	}
	if failure(out, errs) == nil {
		out.rewind()
		errs.rewind()
		if err := e.copyLogs(ctx, id, false, out, errs); err != nil && failure(out, errs) == nil {
			return runner.Exit{}, translate(ctx, err, "read the output of a container")
		}
	}
	if err := failure(out, errs); err != nil && !errors.Is(err, runner.ErrEnough) {
		return runner.Exit{}, waybill.Wrap(waybill.Internal, err, "the output of the program cannot be kept")
	}
	return e.exit(ctx, id, string(errs.head))
}

// failure returns the errors of the writers.
func failure(out, errs *output) error { return errors.Join(out.err, errs.err) }

// follow copies output until the program ends, or until a writer fails.
func (e *Engine) follow(ctx context.Context, id string, out, errs *output) error {
	ctx, cancel := context.WithCancelCause(ctx)
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_ = e.copyLogs(ctx, id, true, out, errs) // the second pass reports what is wrong with the log
		if err := failure(out, errs); err != nil && !errors.Is(err, runner.ErrEnough) {
			cancel(err) // no reason to wait any longer
		}
	}()
	err := e.ended(ctx, id, container.WaitConditionNotRunning)
	cancel(nil)
	<-copied
	return err
}

// copyLogs copies the output from the beginning; with follow until the program ends.
func (e *Engine) copyLogs(ctx context.Context, id string, follow bool, out, errs io.Writer) error {
	logs, err := e.api.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Follow: follow})
	if err != nil {
		return err
	}
	defer func() { _ = logs.Close() }() // read to its end, or given up
	_, err = stdcopy.StdCopy(out, errs, logs)
	return err
}

// ended waits for a state of a container.
func (e *Engine) ended(ctx context.Context, id string, when container.WaitCondition) error {
	results, errs := e.api.ContainerWait(ctx, id, when)
	select {
	case err := <-errs:
		return err
	case r := <-results:
		if r.Error != nil {
			return errors.New(r.Error.Message)
		}
		return nil
	}
}

// exit reads how an ended program ended. complaint is the beginning of its stderr.
func (e *Engine) exit(ctx context.Context, id, complaint string) (runner.Exit, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c, err := e.api.ContainerInspect(ctx, id)
	if err != nil {
		return runner.Exit{}, translate(ctx, err, "inspect a container")
	}
	switch name := nameOf([]string{c.Name}); {
	case c.State.Status == container.StateCreated:
		return runner.Exit{}, waybill.Errorf(waybill.Conflict, "container %s was never started", name)
	case c.State.Running: // the engine broke off the wait
		return runner.Exit{}, waybill.Errorf(waybill.Unavailable, "container %s still runs", name)
	}
	started, ended := parseTime(c.State.StartedAt), parseTime(c.State.FinishedAt)
	if started.After(ended) { // the engine notes the start when it gets to it, which may be after a quick end
		started = ended
	}
	exit := runner.Exit{
		Code: c.State.ExitCode,
		// The engine also notes a child that was killed while its parent went on and ended well.
		OutOfMemory: c.State.OOMKilled && c.State.ExitCode != 0,
		Started:     started,
		Ended:       ended,
	}
	if reason, ok := noProgram(complaint, exit.Code); ok {
		return exit, waybill.Errorf(waybill.Invalid, "%s", reason)
	}
	return exit, nil
}

// noProgram reads why the engine's init could not start the program, such as
// "[FATAL tini (7)] exec /bin/feed failed: No such file or directory".
func noProgram(complaint string, code int) (reason string, ok bool) {
	if code != 127 && code != 126 && code != 1 {
		return "", false
	}
	line, _, _ := strings.Cut(complaint, "\n")
	rest, ok := strings.CutPrefix(line, "[FATAL tini (")
	if !ok {
		return "", false
	}
	_, rest, ok = strings.Cut(rest, "] exec ")
	program, why, found := strings.Cut(rest, " failed: ")
	if !ok || !found {
		return "", false
	}
	return "the image cannot run " + program + ": " + lowerFirst(why), true
}

// lowerFirst makes a sentence part of another.
func lowerFirst(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// headSize is how much of an output is kept to look at.
const headSize = 512

// output passes a stream on, remembers how much, its beginning and the first error, and can skip what it passed on
// when the stream is read again.
type output struct {
	w      io.Writer
	passed int64
	skip   int64
	head   []byte
	err    error
}

// rewind expects the stream from its beginning again.
func (o *output) rewind() { o.skip = o.passed }

// Write reports p as written also where it is skipped.
func (o *output) Write(p []byte) (int, error) {
	n := len(p)
	skip := min(o.skip, int64(n))
	o.skip -= skip
	p = p[skip:]
	if room := headSize - len(o.head); room > 0 {
		o.head = append(o.head, p[:min(room, len(p))]...)
	}
	if len(p) > 0 {
		if _, err := o.w.Write(p); err != nil {
			o.err = err
			return 0, err
		}
		o.passed += int64(len(p))
	}
	return n, nil
}

// clean returns the engine's words without the layers they passed through.
func clean(err error) string {
	s := strings.TrimPrefix(err.Error(), "Error response from daemon: ")
	if _, after, ok := strings.Cut(s, "caused: "); ok && strings.HasPrefix(s, "OCI runtime") {
		s = after
	}
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(s, ": unknown")
}
