package run

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/runner/docker"
	"github.com/waybill-dev/waybill/internal/foundation/blob"
	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// blobs keeps logs as files.
type blobs struct{ *blob.Store }

func (b blobs) Create(id string) (io.WriteCloser, error) {
	w, err := b.Append(id)
	if err != nil {
		return nil, err
	}
	return w, w.Truncate()
}

// real is a fixture on a real engine with real logs.
type real struct {
	*fixture
	docker *docker.Engine
	blobs  *blob.Store
}

func newReal(t *testing.T, script string, changes ...change) *real {
	t.Helper()
	testkit.Docker(t)
	changes = append([]change{func(c *waybill.Connector) {
		c.Application = waybill.Application{Command: "/bin/sh", Arguments: []string{"-c", script}}
	}}, changes...)
	f := &real{fixture: newFixture(t, changes...)}
	f.release.Image = testkit.BusyBox
	f.release = f.goLiveAs(f.release)
	var err error
	if f.docker, err = docker.Open(docker.Options{Installation: strings.ToLower(rand.Text()), Network: "none"}); err != nil {
		t.Fatal(err)
	}
	if f.blobs, err = blob.Open(t.TempDir(), time.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		left, err := f.docker.List(ctx)
		for _, c := range left {
			t.Errorf("container %s is left", c.Name)
			err = errors.Join(err, f.docker.Remove(ctx, c.ID))
		}
		if err := errors.Join(err, f.docker.Close(), f.blobs.Close()); err != nil {
			t.Error(err)
		}
	})
	f.Engine = f.engine()
	return f
}

// engine returns an engine as the server builds it.
func (f *real) engine() *Engine {
	return New(Options{
		DB: f.DB, Runner: f.docker, Logs: blobs{f.blobs}, Now: time.Now, Log: slog.New(slog.DiscardHandler), Grace: time.Second,
	})
}

// log returns what is kept of an output.
func (f *real) log(id string) string {
	f.t.Helper()
	r, err := f.blobs.Open(id)
	if err != nil {
		f.t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

// printed waits until a run has printed something.
func (f *real) printed(r waybill.Run) {
	f.t.Helper()
	follow := f.blobs.Follow(f.t.Context(), r.Stdout, func() bool { return false })
	if _, err := follow.Read(make([]byte, 1)); err != nil {
		f.t.Fatal(err)
	}
	if err := follow.Close(); err != nil {
		f.t.Error(err)
	}
}

func TestRealRuns(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		script string
		change change
		state  waybill.RunState
		class  waybill.ExitClass
		reason string
		stdout string
		stderr string
	}{
		"success": {
			script: `echo "{\"url\":\"$BASE_URL\",\"size\":\"$PAGE_SIZE\",\"site\":\"$WAYBILL_SITE\"}"; echo note >&2`,
			state:  waybill.RunSucceeded, class: waybill.ClassOK,
			stdout: `{"url":"file:///data","size":"100","site":"feeds-dev"}` + "\n", stderr: "note\n",
		},
		"user": {script: "exit 65", state: waybill.RunFailed, class: waybill.ClassUser, reason: "exit code 65: the input cannot be used"},
		"memory": {
			script: "sleep 0.5; exec tail -c 100m /dev/zero", change: func(c *waybill.Connector) { c.Run.Memory = 16 << 20 },
			state: waybill.RunFailed, class: waybill.ClassMemory, reason: "it needed more than 16 MiB of memory",
		},
		"timeout": {
			script: "echo begun; trap '' TERM; while :; do sleep 1; done", change: func(c *waybill.Connector) { c.Run.Timeout = time.Second },
			state: waybill.RunTimedOut, class: waybill.ClassTimeout, reason: "it did not end within 1s", stdout: "begun\n",
		},
		"no program": {
			change: func(c *waybill.Connector) { c.Application.Command = "/bin/nope" },
			state:  waybill.RunFailed, class: waybill.ClassConnector, reason: "the image cannot run /bin/nope: no such file or directory",
			stderr: "[FATAL tini (",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changes := []change{}
			if test.change != nil {
				changes = append(changes, test.change)
			}
			f := newReal(t, test.script, changes...)
			r := f.start()
			f.handle(r.ID, "done")
			got := f.run(r.ID)
			if got.State != test.state || got.Class != test.class || got.Reason != test.reason {
				t.Errorf("run = %s, %s, %q; want %s, %s, %q", got.State, got.Class, got.Reason, test.state, test.class, test.reason)
			}
			if out, errs := f.log(r.Stdout), f.log(r.Stderr); out != test.stdout || !strings.HasPrefix(errs, test.stderr) {
				t.Errorf("logs = %q and %q, want %q and %q", out, errs, test.stdout, test.stderr)
			}
			if got.Started.IsZero() || got.Ended.Before(got.Started) {
				t.Errorf("times = %v to %v", got.Started, got.Ended)
			}
		})
	}
}

func TestRealEndlessOutput(t *testing.T) {
	t.Parallel()
	f := newReal(t, "yes 0123456789012345678901234567890123456789012345678901234567890123456789")
	f.MaxOutput = 1 << 18
	r := f.start()
	f.handle(r.ID, "done")
	got := f.run(r.ID)
	if got.State != waybill.RunFailed || got.Reason != "it printed more than 256 KiB; the rest is not kept" {
		t.Errorf("run = %+v", got)
	}
	if n := len(f.log(r.Stdout)); n != 1<<18 {
		t.Errorf("%d bytes were kept, want 256 KiB", n)
	}
}

func TestRealCancel(t *testing.T) {
	t.Parallel()
	f := newReal(t, "echo begun; sleep 600")
	r := f.start()
	wait := f.handling(t.Context(), r.ID)
	f.printed(r)
	if got := f.run(r.ID); got.PID == 0 || got.Container == "" {
		t.Errorf("run = %+v, want a process and a container", got)
	}
	if err := f.Cancel(t.Context(), r.ID, waybill.Actor{}); err != nil {
		t.Fatal(err)
	}
	if result := wait(); result.String() != "done" {
		t.Fatalf("Handle = %s: %v", result, result.Err())
	}
	if got := f.run(r.ID); got.State != waybill.RunCancelled || *got.ExitCode != 143 {
		t.Errorf("run = %+v", got)
	}
}

// killed starts a run and kills its server once the program has printed something.
func (f *real) killed() waybill.Run {
	f.t.Helper()
	r := f.start()
	ctx, kill := context.WithCancel(f.t.Context())
	wait := f.handling(ctx, r.ID)
	f.printed(r)
	kill()
	if result := wait(); result.String() != "retry" {
		f.t.Fatalf("Handle = %s: %v", result, result.Err())
	}
	f.Engine = f.engine()
	return r
}

func TestRealAdoption(t *testing.T) {
	t.Parallel()
	f := newReal(t, "echo one; i=0; while [ $i -lt 20 ]; do sleep 0.1; i=$((i+1)); done; echo two; exit 80")
	r := f.killed()
	if removed, err := f.Sweep(t.Context()); removed != 0 || err != nil {
		t.Errorf("Sweep = %d, %v; want it to spare the running container", removed, err)
	}
	f.handle(r.ID, "done")
	got := f.run(r.ID)
	if got.State != waybill.RunFailed || got.Class != waybill.ClassRemote || *got.ExitCode != 80 {
		t.Errorf("run = %+v", got)
	}
	if out := f.log(r.Stdout); out != "one\ntwo\n" {
		t.Errorf("log = %q, want each line once", out)
	}
}

func TestRealLost(t *testing.T) {
	t.Parallel()
	f := newReal(t, "echo one; sleep 600")
	r := f.killed()
	if err := f.docker.Remove(t.Context(), containerName(r)); err != nil {
		t.Fatal(err)
	}
	f.handle(r.ID, "done")
	if got := f.run(r.ID); got.State != waybill.RunLost || got.Class != waybill.ClassPlatform {
		t.Errorf("run = %+v", got)
	}
}

// TestRealCrashBetweenStartAndRecord kills the server when the container runs and the store does not know it.
func TestRealCrashBetweenStartAndRecord(t *testing.T) {
	t.Parallel()
	f := newReal(t, "cat /proc/sys/kernel/random/uuid; sleep 0.2; exit 7")
	r := f.start()
	ctx, kill := context.WithCancel(t.Context())
	reached := f.at("run.running", func(func() error) error {
		kill()
		return errors.New("killed")
	})
	if result := f.handling(ctx, r.ID)(); !reached() || result.String() != "retry" {
		t.Fatalf("reached %v, Handle = %s", reached(), result)
	}
	before, err := f.docker.List(t.Context())
	if err != nil || len(before) != 1 {
		t.Fatalf("containers = %+v, %v; want one", before, err)
	}
	f.Engine = f.engine()
	f.handle(r.ID, "done")
	got := f.run(r.ID)
	if got.State != waybill.RunFailed || *got.ExitCode != 7 || got.Container != before[0].ID {
		t.Errorf("run = %+v, want exit code 7 in container %s", got, before[0].ID)
	}
	if out := f.log(r.Stdout); strings.Count(out, "\n") != 1 {
		t.Errorf("log = %q, want the line of one program", out)
	}
}

func TestRealQueue(t *testing.T) {
	t.Parallel()
	f := newReal(t, "echo row")
	r := f.start()
	q := queue.New(f.DB, queue.Options{Owner: "test"})
	q.Handle(Kind, 2, 2, f.Handle)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- q.Run(ctx) }()
	f.reached(r.ID, waybill.RunSucceeded)
	cancel()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
