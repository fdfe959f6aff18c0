package portal

import (
	"bytes"
	"net/http"
	"sync"
)

// events writes server-sent events (HTML Living Standard, section 9.2). It may be used by several goroutines.
type events struct {
	mu sync.Mutex
	w  http.ResponseWriter
	rc *http.ResponseController
}

// newEvents begins the answer.
func newEvents(w http.ResponseWriter) *events {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies must not hold events back
	w.WriteHeader(http.StatusOK)
	return &events{w: w, rc: http.NewResponseController(w)}
}

// send writes one event.
func (e *events) send(name, id string, data []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.write(name, id, data)
}

// write writes one event; e.mu is held. Line ends of data become those of the format.
func (e *events) write(name, id string, data []byte) error {
	var b bytes.Buffer
	b.WriteString("event: " + name + "\n")
	if id != "" {
		b.WriteString("id: " + id + "\n")
	}
	data = bytes.ReplaceAll(data, []byte("\r"), nil)
	for line := range bytes.Lines(data) {
		b.WriteString("data: ")
		b.Write(bytes.TrimSuffix(line, []byte("\n")))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	_, err := e.w.Write(b.Bytes())
	return err
}

// flush sends what was written.
func (e *events) flush() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.rc.Flush()
}
