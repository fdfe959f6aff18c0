package portal

import "github.com/waybill-dev/waybill/internal/waybill"

// mark is how a state is shown: an icon of the sprite, a word, and a tone, which is the class of the colour.
type mark struct{ Icon, Word, Tone string }

// The tones. Each has a colour in both colour schemes and an icon of the same name.
const (
	toneOK         = "ok"
	toneRunning    = "running"
	toneWaiting    = "waiting"
	toneFailed     = "failed"
	toneError      = "error"
	toneSuperseded = "superseded"
	toneSkipped    = "skipped"
	toneHeld       = "held"
)

// toned is a mark whose icon is that of its tone.
func toned(tone, word string) mark { return mark{Icon: tone, Word: word, Tone: tone} }

// none is the mark of something that never happened.
func none(word string) mark { return toned(toneSkipped, word) }

// markOutcome shows where a step or a release stands.
func markOutcome(o waybill.Outcome) mark {
	switch o {
	case waybill.OK:
		return toned(toneOK, "ok")
	case waybill.Running:
		return toned(toneRunning, "running")
	case waybill.Waiting:
		return toned(toneWaiting, "waiting")
	case waybill.Failed:
		return toned(toneFailed, "failed")
	case waybill.Errored:
		return toned(toneError, "error")
	case waybill.Superseded:
		return toned(toneSuperseded, "superseded")
	default:
		return toned(toneSkipped, "skipped")
	}
}

// markRun shows where a run stands.
func markRun(s waybill.RunState) mark {
	switch s {
	case waybill.RunSucceeded:
		return toned(toneOK, "succeeded")
	case waybill.RunRunning:
		return toned(toneRunning, "running")
	case waybill.RunQueued:
		return toned(toneWaiting, "queued")
	case waybill.RunFailed:
		return toned(toneFailed, "failed")
	case waybill.RunTimedOut:
		return mark{Icon: toneHeld, Word: "timed out", Tone: toneFailed}
	case waybill.RunLost:
		return toned(toneError, "lost")
	default:
		return toned(toneSkipped, "cancelled")
	}
}

// markStatus shows a commit status. The outcome says more than the state of the forge, when it is known.
func markStatus(s waybill.Status) mark {
	if s.Outcome != "" {
		return markOutcome(s.Outcome)
	}
	return markState(s.State)
}

// markState shows the state of a commit as forges know it.
func markState(s waybill.State) mark {
	switch s {
	case waybill.StateSuccess:
		return toned(toneOK, "success")
	case waybill.StatePending:
		return toned(toneRunning, "pending")
	case waybill.StateFailure:
		return toned(toneFailed, "failure")
	default:
		return toned(toneError, "error")
	}
}

// markSeverity shows a finding.
func markSeverity(s waybill.Severity) mark {
	if s == waybill.SeverityWarning {
		return toned(toneError, "warning")
	}
	return toned(toneFailed, "error")
}

// faultOf says in a word whose fault an exit class is.
func faultOf(c waybill.ExitClass) string {
	switch c {
	case waybill.ClassOK:
		return ""
	case waybill.ClassUser:
		return "the input"
	case waybill.ClassRemote:
		return "the remote system"
	case waybill.ClassPlatform:
		return "the platform"
	case waybill.ClassTimeout:
		return "the time limit"
	case waybill.ClassMemory:
		return "the memory limit"
	default:
		return "the connector"
	}
}
