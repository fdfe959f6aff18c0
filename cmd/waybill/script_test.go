package main

import (
	"errors"
	"flag"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/waybill-dev/waybill/internal/face/api/apitest"
)

var update = flag.Bool("update", false, "write what commands print into the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"waybill": main})
}

// Scripts in testdata/script need no server. Those in testdata/script/server have one of their own, with a small world.
func TestScripts(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"testdata/script", "testdata/script/server"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no scripts in %s: %v", dir, err)
		}
		for _, file := range files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
				t.Parallel()
				var s *apitest.Server
				if strings.HasSuffix(dir, "server") {
					s = apitest.New(t)
					s.Fill(t)
				}
				testscript.Run(t, testscript.Params{
					Files: []string{file}, Setup: setup(s), UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
					Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
				})
			})
		}
	}
}

// setup gives a script a home of its own and, when there is a server, tells where it is.
func setup(s *apitest.Server) func(*testscript.Env) error {
	return func(env *testscript.Env) error {
		env.Setenv("GORACE", "atexit_sleep_ms=0") // a program under the race detector takes a second to exit otherwise
		env.Setenv("HOME", env.WorkDir)
		env.Setenv("XDG_STATE_HOME", "")
		if s == nil {
			return nil
		}
		env.Setenv("SERVER", s.URL)
		env.Setenv("WAYBILL_SERVER", s.URL)
		env.Setenv("WAYBILL_TOKEN", s.Admin.Reveal())
		env.Setenv("READ_TOKEN", s.Read.Reveal())
		for name, id := range map[string]string{
			"GOOD": apitest.Good, "BAD": apitest.Bad, "REPOSITORY": apitest.Repository, "DEV_RELEASE": apitest.DevRelease,
			"PROD1": apitest.Prod1, "PROD2": apitest.Prod2, "BAD_RELEASE": apitest.BadRelease, "GOOD_RUN": apitest.GoodRun, "BAD_RUN": apitest.BadRun,
		} {
			env.Setenv(name, id)
		}
		return nil
	}
}

// exits runs a command that must end with an exit code, given first.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits <code> <program> <argument>…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("cannot run: %v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
