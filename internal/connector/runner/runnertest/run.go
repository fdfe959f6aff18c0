package runnertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// cleanupContext outlives the test, whose own context has ended when clean-ups run.
func cleanupContext(t *testing.T) context.Context {
	t.Helper()
	return context.WithoutCancel(t.Context())
}

func startsOnce(t *testing.T, s suite) {
	spec := s.spec(t, "cat /proc/sys/kernel/random/uuid; sleep 60")
	first := s.start(t, spec)
	again := s.start(t, spec)
	if first.ID != again.ID || first.PID != again.PID {
		t.Errorf("second Start gave %+v, want %+v", again, first)
	}
	if !first.Running || first.PID == 0 || first.Started.IsZero() || first.Name != spec.Name {
		t.Errorf("Start = %+v, want a running container named %s with a pid and a time", first, spec.Name)
	}
	if first.Labels[runner.LabelRun] != "test" || first.Labels[runner.LabelInstallation] == "" {
		t.Errorf("labels = %v, want the run and the installation", first.Labels)
	}
}

func sameAfterTheEnd(t *testing.T, s suite) {
	spec := s.spec(t, "cat /proc/sys/kernel/random/uuid")
	first := s.start(t, spec)
	before := s.wait(t, first.ID)
	again := s.start(t, spec)
	if again.ID != first.ID || again.Running {
		t.Errorf("Start after the end = %+v, want the ended container %s", again, first.ID)
	}
	after := s.wait(t, again.ID)
	if before != after {
		t.Errorf("second Wait = %+v, want %+v", after, before)
	}
}

func outputs(t *testing.T, s suite) {
	long := strings.Repeat("0123456789", 5000) // several of the engine's 16 KiB pieces
	r := s.run(t, `printf 'a\303\274\000b\r\n'; echo oops >&2; i=0; while [ $i -lt 5000 ]; do printf 0123456789; i=$((i+1)); done; echo; printf '{"level":"info"}' >&2`)
	wantText(t, "stdout", r.out, "aü\x00b\r\n"+long+"\n")
	wantText(t, "stderr", r.err, "oops\n{\"level\":\"info\"}")
}

// lastLines would fail about every second time on an engine that loses the end of a log it follows.
func lastLines(t *testing.T, s suite) {
	var want strings.Builder
	for i := range 20000 {
		want.WriteString(strconv.Itoa(i+1) + "\n")
	}
	want.WriteString("end")
	for i := range 4 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			r := s.run(t, "seq 1 20000; printf end; printf end >&2")
			wantText(t, "stdout", r.out, want.String())
			wantText(t, "stderr", r.err, "end")
		})
	}
}

// notify closes hit when something is written.
type notify struct {
	hit chan struct{}
	buf bytes.Buffer
}

func (n *notify) Write(p []byte) (int, error) {
	if n.buf.Len() == 0 && len(p) > 0 {
		close(n.hit)
	}
	return n.buf.Write(p)
}

func streams(t *testing.T, s suite) {
	c := s.start(t, s.spec(t, `echo first; sleep 60`))
	out := &notify{hit: make(chan struct{})}
	done := make(chan error, 1)
	go func() {
		_, err := s.Backend.Wait(t.Context(), c.ID, out, io.Discard)
		done <- err
	}()
	select {
	case <-out.hit:
	case err := <-done:
		t.Fatalf("Wait ended before the program: %v", err)
	}
	if err := s.Backend.Stop(t.Context(), c.ID, second); err != nil {
		t.Fatalf("Stop: %v", err)
	}
	if err := <-done; err != nil {
		t.Fatalf("Wait: %v", err)
	}
	wantText(t, "stdout", out.buf.String(), "first\n")
}

// counter counts what is written.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

func muchOutput(t *testing.T, s suite) {
	const size = 1 << 20
	c := s.start(t, s.spec(t, `yes 0123456789012345678901234567890123456789012345678901234567890 | head -c 1048576`))
	var out, errs counter
	exit, err := s.Backend.Wait(t.Context(), c.ID, &out, &errs)
	if err != nil || exit.Code != 0 {
		t.Fatalf("Wait = %+v, %v", exit, err)
	}
	if out.n != size || errs.n != 0 {
		t.Errorf("stdout %d and stderr %d bytes, want %d and 0", out.n, errs.n, size)
	}
}

var errFull = errors.New("no space")

// full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func failingWriter(t *testing.T, s suite) {
	spec := s.spec(t, `echo x; sleep 60`)
	c := s.start(t, spec)
	_, err := s.Backend.Wait(t.Context(), c.ID, full{}, io.Discard)
	wantCode(t, err, waybill.Internal)
	if !errors.Is(err, errFull) {
		t.Errorf("error %v does not carry its cause", err)
	}
	if got, ok := s.listed(t, spec.Name); !ok || !got.Running {
		t.Errorf("listed = %+v, %v; want the program to go on", got, ok)
	}
}

// some takes one write and wants no more.
type some struct{ counter }

func (s *some) Write(p []byte) (int, error) {
	if s.n > 0 {
		return 0, runner.ErrEnough
	}
	return s.counter.Write(p)
}

func enoughOutput(t *testing.T, s suite) {
	c := s.start(t, s.spec(t, `seq 1 1000; exit 3`))
	for range 2 { // while it runs, and after its end
		var out some
		exit, err := s.Backend.Wait(t.Context(), c.ID, &out, io.Discard)
		if err != nil || exit.Code != 3 || out.n == 0 {
			t.Errorf("Wait = %+v, %v with %d bytes; want the exit code", exit, err, out.n)
		}
	}
}

func exitCodes(t *testing.T, s suite) {
	for script, want := range map[string]int{"exit 0": 0, "exit 1": 1, "exit 64": 64, "exit 127": 127, "kill -9 $$": 137} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			r := s.run(t, script)
			if r.Code != want || r.OutOfMemory || r.TimedOut {
				t.Errorf("exit = %+v, want code %d", r.Exit, want)
			}
			if r.Started.IsZero() || r.Ended.Before(r.Started) {
				t.Errorf("times = %v and %v, want them in order", r.Started, r.Ended)
			}
		})
	}
}

func commandAndEnv(t *testing.T, s suite) {
	spec := s.spec(t, "")
	spec.Command = []string{"/bin/sh", "-c", `printf '<%s>' "$@"; echo; echo "$COLOR $KEPT $ADDED"`, "sh", "two words", `"q"`, "", "$HOME"}
	spec.Env = map[string]string{"COLOR": "blue", "ADDED": "a=b\nc"}
	r := s.wait(t, s.start(t, spec).ID)
	wantText(t, "stdout", r.out, "<two words><\"q\"><><$HOME>\nblue yes a=b\nc\n")
}

func contextEnds(t *testing.T, s suite) {
	spec := s.spec(t, "echo started; sleep 60")
	c := s.start(t, spec)
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("the server stops")
	out := &notify{hit: make(chan struct{})}
	go func() {
		<-out.hit
		cancel(stopped)
	}()
	_, err := s.Backend.Wait(ctx, c.ID, out, io.Discard)
	wantCode(t, err, waybill.Unavailable)
	if !errors.Is(err, stopped) {
		t.Errorf("error %v does not carry the cause of the end", err)
	}
	if got, ok := s.listed(t, spec.Name); !ok || !got.Running {
		t.Errorf("listed = %+v, %v; want the program to go on", got, ok)
	}
}
