// Package binary runs the git program in repositories that may belong to somebody else.
//
// Git refuses repositories of other users unless they are declared safe. Every command here declares exactly the
// repository it was made for, ignores the GIT_ variables of the process that started Waybill, never asks a
// question, and dies with its context.
package binary

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// maxErrorText bounds what is kept of a program's standard error.
const maxErrorText = 8 << 10

// grace is how long a cancelled command may hold its pipes open.
const grace = 5 * time.Second

// Command prepares `git <args>` in the repository at dir, which is declared safe. Cancelling ctx kills it.
func Command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	config := []string{"-c", "safe.directory=" + dir}
	if real, err := filepath.EvalSymlinks(dir); err == nil && real != dir {
		config = append(config, "-c", "safe.directory="+real)
	}
	cmd := exec.CommandContext(ctx, "git", append(config, args...)...) //nolint:gosec // G204: the arguments are constants, object ids and added paths
	cmd.Dir = dir
	cmd.Env = environment()
	cmd.WaitDelay = grace
	return cmd
}

// Output runs `git <args>` at dir with stdin and returns its standard output. A program that fails is Unavailable
// with its standard error as the cause; see [ExitCode].
func Output(ctx context.Context, dir string, stdin []byte, args ...string) ([]byte, error) {
	return Run(Command(ctx, dir, args...), stdin)
}

// Run runs cmd with stdin and returns its standard output; errors as for [Output].
func Run(cmd *exec.Cmd, stdin []byte) ([]byte, error) {
	var out bytes.Buffer
	var text Text
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &text
	if err := cmd.Run(); err != nil {
		return out.Bytes(), text.Explain(err)
	}
	return out.Bytes(), nil
}

// ExitCode returns the exit code of the program that err tells of, or -1.
func ExitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// Text keeps the beginning of what a program writes to its standard error.
type Text struct{ b bytes.Buffer }

// Write keeps what fits and swallows the rest.
func (t *Text) Write(p []byte) (int, error) {
	t.b.Write(p[:min(len(p), max(0, maxErrorText-t.b.Len()))])
	return len(p), nil
}

// Explain turns the error of a finished program into an Unavailable error; what the program said is for the log.
func (t *Text) Explain(err error) error {
	said := strings.TrimSpace(t.b.String())
	if errors.Is(err, exec.ErrNotFound) {
		return waybill.Wrap(waybill.Unavailable, err, "the git program is not installed")
	}
	if said != "" {
		err = &failure{said: said, err: err}
	}
	return waybill.Wrap(waybill.Unavailable, err, "git failed")
}

// failure is an exit with what the program said.
type failure struct {
	said string
	err  error
}

func (f *failure) Error() string { return f.err.Error() + ": " + f.said }

func (f *failure) Unwrap() error { return f.err }

// environment is that of the process without what would redirect git, and with what keeps it quiet and in English.
func environment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GIT_") && !strings.HasPrefix(v, "LC_") && !strings.HasPrefix(v, "LANG") {
			env = append(env, v)
		}
	}
	return append(env, "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
}
