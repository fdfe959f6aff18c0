// Package progress is what a server tells a pusher while a push is worked on: server-sent events on the wire, and the
// lines they become on the pusher's terminal.
package progress

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Accepted is the JSON body of the answer to a hook.
type Accepted struct {
	Delivery string `json:"delivery"`      // Delivery.ID
	Progress string `json:"progress"`      // address of the event stream: absolute, or a path on the same server
	See      string `json:"see,omitempty"` // page of the pushed commit
}

// Event is one of [Ref], [Step], [Finding], [End] and [Done].
type Event interface{ event() string }

// Ref opens the block of one ref. A push of several refs has a block for each. Events of different refs may be
// mixed on the wire: the pusher sees one block after the other. The same ref again adds what is known since.
type Ref struct {
	Ref        string `json:"ref"`        // full ref name
	Commit     string `json:"commit"`     // the tip as Waybill resolved it, in hex; empty until it is resolved
	Repository string `json:"repository"` // owner/name
	// Declarations is how many declarations the commit holds, 0 when not known yet. With more than one, every step
	// line names its declaration.
	Declarations int `json:"declarations,omitempty"`
}

// Step says where a step stands. It is shown once its outcome is final; a step that takes longer than two seconds
// is announced before.
type Step struct {
	Ref         string          `json:"ref,omitempty"` // full ref name; empty means the ref opened last
	Declaration string          `json:"declaration,omitempty"`
	Step        waybill.Step    `json:"step"`
	Outcome     waybill.Outcome `json:"outcome"`
	Description string          `json:"description,omitempty"`
	DurationMS  int64           `json:"duration_ms,omitempty"` // shown when a person would notice it
	URL         string          `json:"url,omitempty"`         // page of this step
}

// Finding is one mistake: file:line:column, severity, code, message and hint, as [waybill.Finding] prints itself.
type Finding struct {
	Ref  string `json:"ref,omitempty"`
	Text string `json:"text"`
}

// End closes the block of a ref.
type End struct {
	Ref   string        `json:"ref,omitempty"`
	State waybill.State `json:"state"`
	// Description is shown unless a step has said already why the push failed: leave it out when the steps have said it all.
	Description string `json:"description,omitempty"`
	URL         string `json:"url,omitempty"` // absolute; the last line of the block
}

// Done is the last event: nothing more will come.
type Done struct{}

func (Ref) event() string     { return "ref" }
func (Step) event() string    { return "step" }
func (Finding) event() string { return "finding" }
func (End) event() string     { return "end" }
func (Done) event() string    { return "done" }

// Encode writes e as one server-sent event (HTML Living Standard, section 9.2). The caller flushes.
func Encode(w io.Writer, e Event) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "event: "+e.event()+"\ndata: "+string(data)+"\n\n")
	return err
}

// KeepAlive writes a comment, which readers ignore and which finds out about connections that are gone.
func KeepAlive(w io.Writer) error {
	_, err := io.WriteString(w, ": waiting\n\n")
	return err
}

// maxLine bounds one line of a stream.
const maxLine = 1 << 20

// Decoder reads events.
type Decoder struct{ lines *bufio.Scanner }

// NewDecoder reads events from r.
func NewDecoder(r io.Reader) *Decoder {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	return &Decoder{lines: lines}
}

// Next returns the next event. Events of an unknown kind are passed over, so that newer servers can say more.
// io.EOF at the end of the stream; Invalid for data that is not what its kind promises.
func (d *Decoder) Next() (Event, error) {
	kind, data := "", []byte(nil)
	for d.lines.Scan() {
		line := d.lines.Bytes()
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(line) == 0:
			e, err := decode(kind, data)
			if e != nil || err != nil {
				return e, err
			}
			kind, data = "", nil
		case string(name) == "event":
			kind = strings.TrimSpace(string(value))
		case string(name) == "data":
			data = append(data, value...)
		}
	}
	if err := d.lines.Err(); err != nil {
		return nil, waybill.Wrap(waybill.Unavailable, err, "the progress stream broke off")
	}
	return nil, io.EOF
}

// decode reads the data of one event; nil for an unknown kind.
func decode(kind string, data []byte) (Event, error) {
	switch kind {
	case "ref":
		return unmarshal[Ref](kind, data)
	case "step":
		return unmarshal[Step](kind, data)
	case "finding":
		return unmarshal[Finding](kind, data)
	case "end":
		return unmarshal[End](kind, data)
	case "done":
		return Done{}, nil
	}
	return nil, nil
}

func unmarshal[E Event](kind string, data []byte) (Event, error) {
	var e E
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, waybill.Wrap(waybill.Invalid, err, "event "+kind+" cannot be read")
	}
	return e, nil
}
