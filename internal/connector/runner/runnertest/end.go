package runnertest

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func stopAsks(t *testing.T, s suite) {
	c := s.start(t, s.spec(t, "sleep 60"))
	begin := time.Now()
	if err := s.Backend.Stop(t.Context(), c.ID, 30*second); err != nil {
		t.Fatalf("Stop: %v", err)
	}
	if took := time.Since(begin); took > 20*second {
		t.Errorf("Stop took %v, want a program without a handler to end at once", took)
	}
	if r := s.wait(t, c.ID); r.Code != 143 || r.OutOfMemory {
		t.Errorf("exit = %+v, want 143", r.Exit)
	}
}

func stopKills(t *testing.T, s suite) {
	c := s.start(t, s.spec(t, "trap '' TERM; echo ready; while :; do sleep 1; done"))
	out := &notify{hit: make(chan struct{})}
	type ended struct {
		runner.Exit
		err error
	}
	done := make(chan ended, 1)
	go func() {
		exit, err := s.Backend.Wait(t.Context(), c.ID, out, io.Discard)
		done <- ended{exit, err}
	}()
	<-out.hit
	if err := s.Backend.Stop(t.Context(), c.ID, second); err != nil {
		t.Fatalf("Stop: %v", err)
	}
	if e := <-done; e.err != nil || e.Code != 137 || e.OutOfMemory {
		t.Errorf("Wait = %+v, %v; want 137, not for memory", e.Exit, e.err)
	}
	if err := s.Backend.Stop(t.Context(), c.ID, second); err != nil {
		t.Errorf("second Stop: %v", err)
	}
}

func missing(t *testing.T, s suite) {
	spec := s.spec(t, "true")
	spec.Image = "waybill-runnertest-no-such-image:1"
	_, err := s.Backend.Start(t.Context(), spec)
	wantCode(t, err, waybill.NotFound)

	for command, words := range map[string]string{
		"/bin/nope": "no such file or directory",
		"nope":      "no such file or directory",
		"/data":     "permission denied",
	} {
		spec = s.spec(t, "")
		spec.Command = []string{command, "--help"}
		c, err := s.Backend.Start(t.Context(), spec)
		if err == nil {
			_, err = s.Backend.Wait(t.Context(), c.ID, io.Discard, io.Discard)
		}
		wantCode(t, err, waybill.Invalid)
		if msg := err.Error(); !strings.Contains(msg, command) || !strings.Contains(msg, words) || len(msg) > 100 {
			t.Errorf("%s: error %q, want the command and %q in few words", command, msg, words)
		}
	}

	spec = s.spec(t, "")
	spec.Command = nil
	_, err = s.Backend.Start(t.Context(), spec)
	wantCode(t, err, waybill.Invalid)
}

func gone(t *testing.T, s suite) {
	c := s.start(t, s.spec(t, "sleep 60"))
	for range 2 {
		if err := s.Backend.Remove(t.Context(), c.ID); err != nil {
			t.Fatalf("Remove: %v", err)
		}
	}
	if err := s.Backend.Stop(t.Context(), c.ID, second); err != nil {
		t.Errorf("Stop of a removed container: %v", err)
	}
	_, err := s.Backend.Wait(t.Context(), c.ID, io.Discard, io.Discard)
	wantCode(t, err, waybill.NotFound)
}

func lists(t *testing.T, s suite) {
	running, ended := s.spec(t, "sleep 60"), s.spec(t, "true")
	s.start(t, running)
	s.wait(t, s.start(t, ended).ID)
	if c, ok := s.listed(t, running.Name); !ok || !c.Running || c.Labels[runner.LabelRun] != "test" || c.Created.IsZero() {
		t.Errorf("running container listed as %+v, %v", c, ok)
	}
	if c, ok := s.listed(t, ended.Name); !ok || c.Running {
		t.Errorf("ended container listed as %+v, %v", c, ok)
	}
	others := suite{Fixture{Backend: s.Other}}
	if c, ok := others.listed(t, running.Name); ok {
		t.Errorf("another installation lists %+v", c)
	}
}

func foreignName(t *testing.T, s suite) {
	spec := s.spec(t, "sleep 60")
	s.start(t, spec)
	_, err := s.Other.Start(t.Context(), spec)
	wantCode(t, err, waybill.Conflict)
}

func checks(t *testing.T, s suite) {
	spec := s.spec(t, "echo usage; echo hint >&2; exit 3")
	var log bytes.Buffer
	exit, err := runner.Check(t.Context(), s.Backend, spec, 60*second, &log)
	if err != nil || exit.Code != 3 || exit.TimedOut {
		t.Errorf("Check = %+v, %v; want code 3", exit, err)
	}
	if got := log.String(); !strings.Contains(got, "usage\n") || !strings.Contains(got, "hint\n") {
		t.Errorf("log = %q, want both outputs", got)
	}
	if c, ok := s.listed(t, spec.Name); ok {
		t.Errorf("container %+v is left", c)
	}
}

func checkTimeout(t *testing.T, s suite) {
	spec := s.spec(t, "trap '' TERM; echo working; while :; do sleep 1; done")
	var log bytes.Buffer
	exit, err := runner.Check(t.Context(), s.Backend, spec, second, &log)
	if err != nil || !exit.TimedOut {
		t.Errorf("Check = %+v, %v; want a timeout", exit, err)
	}
	wantText(t, "log", log.String(), "working\n")
	if c, ok := s.listed(t, spec.Name); ok {
		t.Errorf("container %+v is left", c)
	}
	spec.Command = []string{"/bin/nope"}
	_, err = runner.Check(t.Context(), s.Backend, spec, 60*second, &log)
	wantCode(t, err, waybill.Invalid)
}

func checkAgain(t *testing.T, s suite) {
	spec := s.spec(t, "sleep 60")
	s.start(t, spec)
	spec.Command = []string{"/bin/true"}
	if exit, err := runner.Check(t.Context(), s.Backend, spec, 60*second, io.Discard); err != nil || exit.Code != 0 {
		t.Errorf("Check = %+v, %v; want a fresh container", exit, err)
	}
}
