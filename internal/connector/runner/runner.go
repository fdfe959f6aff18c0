// Package runner is the contract for running a program in a container: start it, wait for it, stop it, remove it.
// Every adapter passes the suite in runnertest. What a program is given is contracts, section Run contract: no host
// network, no new privileges, all capabilities dropped, a read-only root with a writable /tmp, and the limits of its
// [Spec].
package runner

import (
	"context"
	"errors"
	"io"
	"time"
)

// Runner runs containers that outlive the process that started them.
//
// A container stays until Remove, also when its program has ended, so that its exit and its output can be read again
// after a crash. Errors are waybill errors: Unavailable while the engine is away, NotFound for an image or container
// that is not there, Invalid for a program that can never be started.
type Runner interface {
	// Start starts the container that spec describes and returns it. When a container of that name is there already,
	// running or ended, Start returns it and starts nothing, so that a repeated call starts one container. Conflict
	// means that the name belongs to a container of somebody else. After an error nothing of this call is left behind
	// unless the engine went away meanwhile; the next Start finds what is left.
	Start(ctx context.Context, spec Spec) (Container, error)

	// Wait copies the whole output since the start of the program, stdout and stderr apart, until the program ends, and
	// returns how it ended. Output is raw, but bytes that are not UTF-8 may become U+FFFD. It works for programs that
	// ended long ago, and may be called again. A writer that returns ErrEnough ends the copying only; any other write
	// error ends the wait and leaves the program running, as does the end of ctx, whose cause is then in the error's
	// chain. NotFound means that the container vanished; Invalid that the image has no such program.
	Wait(ctx context.Context, id string, stdout, stderr io.Writer) (Exit, error)

	// Stop asks the program to end (SIGTERM) and kills it after grace, rounded up to seconds. The container stays.
	// A container that ended or vanished is no error.
	Stop(ctx context.Context, id string, grace time.Duration) error

	// Remove kills what still runs and removes the container with everything it wrote. id may be its name.
	// A container that vanished is no error.
	Remove(ctx context.Context, id string) error
}

// ErrEnough is what a writer of Wait returns when it wants no more output.
var ErrEnough = errors.New("enough output")

// Lister finds containers again after a crash.
type Lister interface {
	// List returns every container of this installation, running or ended, in no particular order.
	List(ctx context.Context) ([]Container, error)
}

// Labels that every container of Waybill carries.
const (
	LabelInstallation = "dev.waybill.installation" // which Waybill it belongs to; set by the adapter
	LabelRun          = "dev.waybill.run"          // id of the run; set by who starts it
)

// Spec describes a container.
type Spec struct {
	Name    string            // unique on the engine: letters, digits, "-", "_" and "."
	Labels  map[string]string // in addition to those of the adapter
	Image   string            // local id, or a name the engine has; never fetched
	Command []string          // program and arguments; replaces ENTRYPOINT and CMD of the image; not empty
	Env     map[string]string // in addition to ENV of the image, over which it wins
	Network bool              // false: loopback only
	Limits  Limits
}

// Limits bound what a program may use.
type Limits struct {
	CPU    string // cores, such as "1" or "0.5"; empty: no limit
	Memory int64  // bytes, swap included; 0: no limit
	PIDs   int64  // processes and threads; 0: DefaultPIDs
}

// DefaultPIDs is the limit of processes when a Spec names none.
const DefaultPIDs = 256

// Container is a container as the engine knows it.
type Container struct {
	ID      string
	Name    string
	Labels  map[string]string
	Running bool
	PID     int       // of the first process, on the host; 0 when it has ended, and in lists
	Created time.Time // to the second in lists
	Started time.Time // zero in lists
}

// Exit says how a program ended.
type Exit struct {
	Code        int  // 128+n when signal n ended it
	OutOfMemory bool // killed because it reached Limits.Memory; engines miss it within moments of the start
	TimedOut    bool // only from Check: it did not end in time, and Code means nothing
	Started     time.Time
	Ended       time.Time
}

// Duration returns how long the program ran.
func (e Exit) Duration() time.Duration { return e.Ended.Sub(e.Started) }
