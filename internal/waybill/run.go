package waybill

import (
	"slices"
	"time"
)

// RunState is where a run stands.
type RunState string

// The run states. All but queued and running are final.
const (
	RunQueued    RunState = "queued"
	RunRunning   RunState = "running"
	RunSucceeded RunState = "succeeded"
	RunFailed    RunState = "failed"
	RunCancelled RunState = "cancelled"
	RunTimedOut  RunState = "timed-out"
	RunLost      RunState = "lost" // its container vanished without an exit code
)

// RunStates lists every state.
func RunStates() []RunState {
	return []RunState{RunQueued, RunRunning, RunSucceeded, RunFailed, RunCancelled, RunTimedOut, RunLost}
}

// Final reports whether s never changes again.
func (s RunState) Final() bool { return s != RunQueued && s != RunRunning }

var nextRun = map[RunState][]RunState{
	RunQueued:  {RunRunning, RunFailed, RunCancelled},
	RunRunning: {RunSucceeded, RunFailed, RunCancelled, RunTimedOut, RunLost},
}

// Trigger says why a run was started.
type Trigger string

// The triggers.
const (
	TriggerManual   Trigger = "manual"
	TriggerSchedule Trigger = "schedule"
	TriggerDeploy   Trigger = "deploy"
)

// ExitClass says whose fault an exit code is.
type ExitClass string

// The exit classes: contracts, section Run contract.
const (
	ClassOK        ExitClass = "ok"
	ClassUser      ExitClass = "user"      // 64–79: the end user's input (sysexits)
	ClassRemote    ExitClass = "remote"    // 80–99: the remote system
	ClassConnector ExitClass = "connector" // everything else
	ClassTimeout   ExitClass = "timeout"
	ClassMemory    ExitClass = "memory"
	ClassPlatform  ExitClass = "platform" // never started, or lost: ours
)

// ClassOf maps an exit code to its class. outOfMemory and timedOut say what Waybill itself observed.
func ClassOf(code int, outOfMemory, timedOut bool) ExitClass {
	switch {
	case outOfMemory:
		return ClassMemory
	case timedOut || code == 124:
		return ClassTimeout
	case code == 0:
		return ClassOK
	case code >= 64 && code <= 79:
		return ClassUser
	case code >= 80 && code <= 99:
		return ClassRemote
	default:
		return ClassConnector
	}
}

// Run is one execution of a connector at a site.
type Run struct {
	ID          string // ULID
	Connector   string
	Major       int
	Site        string
	Environment Environment
	Release     string // Release.ID that was live when the run started
	Commit      string
	Image       string
	Trigger     Trigger
	Attempt     int // from 1; higher when it tries again what failed
	Actor       string
	Values      map[string]string // field values given with --set; they win over the assignment
	State       RunState
	Class       ExitClass // empty until final
	ExitCode    *int      // nil until the program exited
	PID         int       // on the host, 0 until started
	Container   string    // id of the runner's container
	Reason      string    // why it is not succeeded, in a sentence
	Stdout      string    // blob ids
	Stderr      string
	Cancel      bool // somebody asked for an end
	Created     time.Time
	Started     time.Time
	Ended       time.Time
}

// Move changes the state of r, or reports Conflict and leaves it untouched.
func (r *Run) Move(to RunState, now time.Time) error {
	if !slices.Contains(nextRun[r.State], to) {
		return Errorf(Conflict, "run %s is %s and cannot become %s", r.ID, r.State, to)
	}
	r.State = to
	if to == RunRunning {
		r.Started = now
	}
	if to.Final() {
		r.Ended = now
	}
	return nil
}
