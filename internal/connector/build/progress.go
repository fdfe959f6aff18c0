package build

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/go-units"
	"github.com/moby/buildkit/client"
	digestid "github.com/opencontainers/go-digest"
)

// How much of a step's output is kept for its error message, and how long a line may grow before it is written.
const (
	tailLines = 3
	maxLine   = 16 << 10
)

// progress writes what the engine does as plain lines, "#5 [2/3] RUN make" and so on, and remembers how steps failed.
type progress struct {
	mu    sync.Mutex
	w     io.Writer
	steps map[digestid.Digest]*step
}

// step is one vertex of the build.
type step struct {
	index   int // from 1, in the order of appearance
	name    string
	started time.Time
	done    bool
	err     string
	partial string // output after the last line end
	tail    []string
	printed map[string]bool // completed parts, such as the layers of a pull
}

func newProgress(w io.Writer) *progress {
	return &progress{w: w, steps: map[digestid.Digest]*step{}}
}

// run prints until status is closed.
func (p *progress) run(status <-chan *client.SolveStatus) {
	for s := range status {
		p.update(s)
	}
}

// warn prints a remark of the Dockerfile frontend.
func (p *progress) warn(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	say(p.w, "WARN: %s", text)
}

func (p *progress) update(s *client.SolveStatus) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var completed []*client.Vertex
	for _, v := range s.Vertexes {
		p.begin(v)
		if v.Completed != nil {
			completed = append(completed, v)
		}
	}
	for _, part := range s.Statuses {
		p.part(part)
	}
	for _, l := range s.Logs {
		p.output(l)
	}
	for _, v := range completed {
		p.end(v)
	}
}

func (p *progress) begin(v *client.Vertex) {
	st := p.steps[v.Digest]
	if st == nil {
		st = &step{name: v.Name, printed: map[string]bool{}}
		p.steps[v.Digest] = st
	}
	if st.index > 0 || v.Started == nil && v.Completed == nil {
		return
	}
	st.index = 1
	for _, other := range p.steps {
		if other != st {
			st.index = max(st.index, other.index+1)
		}
	}
	if v.Started != nil {
		st.started = *v.Started
	}
	say(p.w, "#%d %s", st.index, st.name)
}

func (p *progress) end(v *client.Vertex) {
	st := p.steps[v.Digest]
	if st.done {
		return
	}
	st.done, st.err = true, v.Error
	p.lines(st, time.Time{}, "\n")
	switch {
	case strings.HasSuffix(v.Error, "context canceled"):
		say(p.w, "#%d CANCELED", st.index)
	case v.Error != "":
		cause, _, _ := strings.Cut(v.Error, "\n")
		say(p.w, "#%d ERROR: %s", st.index, cause)
	case v.Cached:
		say(p.w, "#%d CACHED", st.index)
	default:
		say(p.w, "#%d DONE %.1fs", st.index, v.Completed.Sub(st.started).Seconds())
	}
}

// part prints a completed part of a step: a transfer or a layer.
func (p *progress) part(s *client.VertexStatus) {
	st := p.steps[s.Vertex]
	if st == nil || s.Completed == nil || st.printed[s.ID] {
		return
	}
	st.printed[s.ID] = true
	size := ""
	if s.Current > 0 {
		size = " " + units.HumanSize(float64(s.Current))
	}
	say(p.w, "#%d %s%s done", st.index, s.ID, size)
}

func (p *progress) output(l *client.VertexLog) {
	st := p.steps[l.Vertex]
	if st == nil {
		return
	}
	p.lines(st, l.Timestamp, string(l.Data))
	if len(st.partial) > maxLine {
		p.lines(st, l.Timestamp, "\n")
	}
}

// lines adds text to the output of a step and prints every full line of it, without a time when at is zero.
// Of a line that overwrites itself, the last state counts.
func (p *progress) lines(st *step, at time.Time, text string) {
	lines := strings.Split(st.partial+text, "\n")
	last := len(lines) - 1
	st.partial = lines[last]
	for _, l := range lines[:last] {
		l = strings.TrimRight(strings.ToValidUTF8(l, "\uFFFD"), "\r")
		l = l[strings.LastIndexByte(l, '\r')+1:]
		if l == "" && at.IsZero() {
			continue
		}
		say(p.w, "#%d%s %s", st.index, since(st.started, at), l)
		if short := strings.TrimSpace(l); short != "" {
			st.tail = append(st.tail, short)
			st.tail = slices.Delete(st.tail, 0, max(0, len(st.tail)-tailLines))
		}
	}
}

// since is the time into a step, as BuildKit's plain display shows it.
func since(start, at time.Time) string {
	if start.IsZero() || at.IsZero() {
		return ""
	}
	return fmt.Sprintf(" %.3f", at.Sub(start).Seconds())
}

// failed returns the step that broke the build: the first in order that has an error of its own.
func (p *progress) failed() (id digestid.Digest, tail []string, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := 0
	for d, st := range p.steps {
		if st.err == "" || strings.HasSuffix(st.err, "context canceled") || first != 0 && st.index > first {
			continue
		}
		first, id, tail, ok = st.index, d, st.tail, true
	}
	return id, tail, ok
}
