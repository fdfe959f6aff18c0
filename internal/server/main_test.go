package server_test

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/face/cli"
	"github.com/waybill-dev/waybill/internal/server"
)

// crashEnv names a transaction and when to die: "release.build.image:before". The server then kills itself as kill -9
// would, after leaving the file that crashMarkEnv names, so that the test knows that the point was reached.
const (
	crashEnv     = "WAYBILL_TEST_CRASH"
	crashMarkEnv = "WAYBILL_TEST_CRASH_MARK"
)

// TestMain makes the test binary the waybill program when it is called with one of its commands: hooks and servers of
// the tests are real processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-test.") {
		os.Exit(command())
	}
	os.Exit(m.Run())
}

func command() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Run(ctx, cli.Env{
		Version: "test", Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, Now: time.Now,
		Serve: func(ctx context.Context, o cli.ServeOptions) error {
			return server.Serve(ctx, server.Options{
				Config: o.Config, Version: o.Version, Log: o.Log, Out: o.Out, Now: time.Now, StateFile: o.StateFile,
				Commit: crash(os.Getenv(crashEnv), os.Getenv(crashMarkEnv), o.Log),
			})
		},
	}, os.Args[1:])
}

// crash returns the wrapper of commits that dies at point, or nil without one.
func crash(point, mark string, log *slog.Logger) func([]string, func() error) error {
	name, when, ok := strings.Cut(point, ":")
	if !ok {
		return nil
	}
	die := func() {
		log.Info("crash point reached", "point", point)
		if err := os.WriteFile(mark, []byte(point), 0o600); err != nil {
			log.Error("mark not written", "error", err)
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until the signal arrives
	}
	return func(names []string, run func() error) error {
		if !slices.Contains(names, name) {
			return run()
		}
		if when == "before" {
			die()
		}
		if err := run(); err != nil {
			return err
		}
		die()
		return nil
	}
}
