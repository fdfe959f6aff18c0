package server_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
)

// kill ends the server as kill -9 does.
func (p *process) kill() {
	p.w.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.w.t.Fatal(err)
	}
	<-p.done
}

// pause is how long each of the three programs of a slow world runs: the RUN step of its build, its health check and
// its run. Commands are looked for on the whole machine: every world has seconds of its own.
type pause struct{ build, check, run string }

// slowWorld is a world whose programs take their time. Its content is new with every test run, so that the engine has
// no step of it in its cache.
func slowWorld(t *testing.T, name string, p pause) *world {
	t.Helper()
	w := newWorld(t, name)
	program := strings.Replace(feed, "exit 0", "exec "+sleep(p.check), 1)
	program = strings.Replace(program, "echo '{\"id\":2}'", sleep(p.run)+"\necho '{\"id\":2}'", 1)
	w.clone.Commit("Slow down", map[string]string{
		"Dockerfile":   slow(p.build),
		"feed":         program + "# " + strconv.FormatInt(time.Now().UnixNano(), 36) + "\n",
		"waybill.yaml": strings.Replace(w.manifest(""), "{arguments: [--check]}", "{arguments: [--check], timeout: 50s}", 1),
	})
	return w
}

// rows is what the program of a world prints on standard output when it runs to its end.
const rows = `{"level":"info","message":"start"}
{"id":1,"greeting":"hello"}
{"id":2}
`

// TestKilledAtWork kills the server in the middle of a build, of a health check and of a run, where no transaction is
// near, and starts it again.
func TestKilledAtWork(t *testing.T) {
	t.Parallel()
	atWork := pause{"3.101", "3.102", "3.103"}
	w := slowWorld(t, "killed", atWork)
	commit := w.clone.Run("rev-parse", "HEAD")
	p := w.serve()
	output := w.background("main")
	for _, seconds := range []string{atWork.build, atWork.check} {
		w.eventually(sleep(seconds), func() bool { return w.executing(sleep(seconds)) })
		p.kill()
		p = w.start()
	}
	if seen := w.seen(<-output, commit); !strings.Contains(seen, "\n  the server went away; it goes on with this push when it is back. See\n") {
		t.Errorf("the pusher reads\n%s", seen)
	}
	w.converged(commit)

	run := ask[wire.Run](w, "runs", "start", w.connector, "--site", "feeds-dev")
	w.eventually("the run is in its middle", func() bool { return w.executing(sleep(atWork.run)) })
	p.kill()
	w.start()
	w.ends(run.ID, "succeeded")
	if diff := cmp.Diff(rows, w.waybill("logs", run.ID)); diff != "" {
		t.Errorf("standard output of the run (-want +got):\n%s", diff)
	}
}

// TestStoppedAtWork asks the server to stop in the middle of a build and of a run that last longer than it waits.
func TestStoppedAtWork(t *testing.T) {
	t.Parallel()
	atWork := pause{"7.201", "0.202", "7.203"}
	w := slowWorld(t, "stopped", atWork)
	commit := w.clone.Run("rev-parse", "HEAD")
	p := w.serve()
	w.clone.Push("-o", "waybill.nowait", "main")
	w.eventually("the image is being built", func() bool { return w.executing(sleep(atWork.build)) })
	p.stop()
	p = w.start()
	w.converged(commit)

	run := ask[wire.Run](w, "runs", "start", w.connector, "--site", "feeds-dev")
	w.eventually("the run is in its middle", func() bool { return w.executing(sleep(atWork.run)) })
	p.stop()
	w.start()
	w.ends(run.ID, "succeeded")
	if diff := cmp.Diff(rows, w.waybill("logs", run.ID)); diff != "" {
		t.Errorf("standard output of the run (-want +got):\n%s", diff)
	}
}

// TestContainerRemovedWhileDown takes the container of a run away while nobody looks.
func TestContainerRemovedWhileDown(t *testing.T) {
	t.Parallel()
	w := slowWorld(t, "removed", pause{"0.301", "0.302", "6303."})
	p := w.serve()
	w.clone.Push("main")
	run := ask[wire.Run](w, "runs", "start", w.connector, "--site", "feeds-dev")
	w.eventually("the run is in its middle", func() bool {
		return w.executing(sleep("6303.")) && ask[wire.Run](w, "runs", "show", run.ID).State == "running"
	})
	p.kill()
	if err := w.docker.ContainerRemove(t.Context(), "waybill-run-"+strings.ToLower(run.ID), container.RemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.ends(run.ID, "lost")
}

// converged waits for the end of a commit that goes to dev, and fails the test when anything is left or done twice.
func (w *world) converged(commit string) {
	w.t.Helper()
	w.settled(commit, "waybill/"+w.connector+"/dev")
	w.agree(commit)
	w.serves("dev " + commit[:7])
	if n := w.finalWrites(commit); n != 1 {
		w.t.Errorf("the end of the commit was written %d times", n)
	}
	if images, containers := len(w.images(w.t.Context())), w.containers(w.t.Context()); images != 1 || containers != 0 {
		w.t.Errorf("%d images, %d containers", images, containers)
	}
}

// ends waits for the end of a run and for that of its container.
func (w *world) ends(id, state string) wire.Run {
	w.t.Helper()
	var r wire.Run
	w.eventually("the run ends", func() bool { r = ask[wire.Run](w, "runs", "show", id); return r.Final() })
	if r.State != state {
		w.t.Errorf("run %s: %s, want %s", r.State, r.Reason, state)
	}
	w.eventually("its container is removed", func() bool { return w.containers(w.t.Context()) == 0 })
	return r
}
