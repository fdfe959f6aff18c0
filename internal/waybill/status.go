package waybill

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// State is the state of a commit status, as forges know it.
type State string

// The states.
const (
	StateSuccess State = "success"
	StatePending State = "pending"
	StateFailure State = "failure" // the developer's fault
	StateError   State = "error"   // ours
)

// worse orders final states, best first.
var worse = []State{StateSuccess, StateFailure, StateError}

// Worse reports whether s is a worse result than o.
func (s State) Worse(o State) bool { return slices.Index(worse, s) > slices.Index(worse, o) }

// Final reports whether s is a result.
func (s State) Final() bool { return s != StatePending }

// AggregateContext is the one context to make required on a protected branch.
const AggregateContext = "waybill"

// Limits of what forges keep.
const (
	maxDescription = 140 // runes
	maxContext     = 255 // bytes
)

// Status is what a commit says about one context.
// Outcome and Started are for Waybill's own displays; forges receive the rest.
type Status struct {
	Context     string
	State       State
	Description string // at most 140 runes; equal for equal results
	URL         string // absolute, or a path below the public URL of the server
	Outcome     Outcome
	Started     time.Time
	Updated     time.Time
}

// ContextOf names the status context of one step of a declaration: waybill/<name>[@<major>]/<step>.
// A context above 255 bytes is cut and ends in a hash of the whole.
func ContextOf(id Identity, step Step) string {
	c := AggregateContext + "/" + id.Label() + "/" + string(step)
	if len(c) <= maxContext {
		return c
	}
	sum := sha256.Sum256([]byte(c))
	tail := "~" + hex.EncodeToString(sum[:8])
	return strings.ToValidUTF8(c[:maxContext-len(tail)], "") + tail
}

// Describe makes text fit a status: one line, at most 140 runes, cut in the middle.
func Describe(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "�")), " ")
	if utf8.RuneCountInString(text) <= maxDescription {
		return text
	}
	r := []rune(text)
	head := maxDescription * 2 / 3
	return string(r[:head]) + "…" + string(r[len(r)-(maxDescription-head-1):])
}

// Aggregate returns the status that sums up the other contexts of a commit: pending while open says that more is to
// come or while any context is pending, then the worst of base, which is the result of the check itself, and the
// contexts. Failure waits for its siblings, so that one cause writes one final state. A context that is worse than
// base is quoted.
func Aggregate(statuses []Status, open bool, base Status) Status {
	agg := Status{Context: AggregateContext, State: base.State, Description: Describe(base.Description)}
	for _, s := range statuses {
		switch {
		case s.Context == AggregateContext:
		case s.State == StatePending:
			open = true
		case s.State.Worse(agg.State):
			agg.State = s.State
			agg.Description = Describe(strings.TrimPrefix(s.Context, AggregateContext+"/") + ": " + s.Description)
		}
	}
	if open {
		agg.State, agg.Description = StatePending, "in progress"
	}
	return agg
}
