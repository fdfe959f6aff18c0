// Package runnertest is the suite that every adapter of the runner contract passes.
package runnertest

import (
	"bytes"
	"crypto/rand"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Backend is what an adapter has to offer.
type Backend interface {
	runner.Runner
	runner.Lister
}

// Fixture is one installation on an engine.
type Fixture struct {
	Backend Backend
	// Other is another installation on the same engine.
	Other Backend
	// Image holds the BusyBox shell and its applets in /bin, sets COLOR=red and KEPT=yes, has `/bin/false` as entry
	// point, and declares the volume /data.
	Image string
}

// Run runs the suite. open is called once.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	t.Helper()
	s := suite{open(t)}
	for name, test := range map[string]func(*testing.T, suite){
		"starts once":                   startsOnce,
		"does not start what ended":     sameAfterTheEnd,
		"keeps outputs apart and raw":   outputs,
		"keeps the last lines":          lastLines,
		"streams while running":         streams,
		"copies much output":            muchOutput,
		"copies no more than wanted":    enoughOutput,
		"stops at a failing writer":     failingWriter,
		"reports exit codes":            exitCodes,
		"passes command and values":     commandAndEnv,
		"cages the program":             cage,
		"limits memory":                 memory,
		"limits processes":              processes,
		"has no network unless wanted":  network,
		"ends with the context":         contextEnds,
		"asks before it kills":          stopAsks,
		"kills what ignores it":         stopKills,
		"names what is missing":         missing,
		"refuses limits without sense":  badLimits,
		"does not mind what is gone":    gone,
		"lists only its own":            lists,
		"does not take a foreign name":  foreignName,
		"checks and removes":            checks,
		"checks within a time limit":    checkTimeout,
		"checks after a broken attempt": checkAgain,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

// suite carries what the tests share and the steps they have in common.
type suite struct{ Fixture }

// spec returns a container that runs a shell script; it is removed when the test ends.
func (s suite) spec(t *testing.T, script string) runner.Spec {
	t.Helper()
	spec := runner.Spec{
		Name:    "waybill-runnertest-" + strings.ToLower(rand.Text()),
		Labels:  map[string]string{runner.LabelRun: "test"},
		Image:   s.Image,
		Command: []string{"/bin/sh", "-c", script},
		Limits:  runner.Limits{CPU: "1", Memory: 64 << 20},
	}
	t.Cleanup(func() {
		if err := s.Backend.Remove(cleanupContext(t), spec.Name); err != nil {
			t.Errorf("Remove: %v", err)
		}
	})
	return spec
}

// start starts spec or fails the test.
func (s suite) start(t *testing.T, spec runner.Spec) runner.Container {
	t.Helper()
	c, err := s.Backend.Start(t.Context(), spec)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	return c
}

// result is what came out of a container.
type result struct {
	runner.Exit
	out, err string
}

// wait waits for the end of a container or fails the test.
func (s suite) wait(t *testing.T, id string) result {
	t.Helper()
	var out, errs bytes.Buffer
	exit, err := s.Backend.Wait(t.Context(), id, &out, &errs)
	if err != nil {
		t.Fatalf("Wait: %v", err)
	}
	return result{exit, out.String(), errs.String()}
}

// run starts a script and waits for its end.
func (s suite) run(t *testing.T, script string) result {
	t.Helper()
	return s.wait(t, s.start(t, s.spec(t, script)).ID)
}

// listed returns the container of that name in the list of its installation.
func (s suite) listed(t *testing.T, name string) (runner.Container, bool) {
	t.Helper()
	list, err := s.Backend.List(t.Context())
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	for _, c := range list {
		if c.Name == name {
			return c, true
		}
	}
	return runner.Container{}, false
}

func wantCode(t *testing.T, err error, code waybill.Code) {
	t.Helper()
	if !waybill.IsCode(err, code) {
		t.Fatalf("error %v has code %q, want %q", err, waybill.CodeOf(err), code)
	}
}

func wantText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %s, want %s", what, brief(got), brief(want))
	}
}

// brief quotes the beginning of s and says how long it is.
func brief(s string) string {
	const most = 200
	if len(s) <= most {
		return strconv.Quote(s)
	}
	return strconv.Quote(s[:most]) + "… (" + strconv.Itoa(len(s)) + " bytes)"
}

// second is the grace that tests give to programs.
const second = time.Second
