package forgetest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Play is what a server does to a request instead of letting next answer it.
type Play func(rw http.ResponseWriter, r *http.Request, next http.Handler)

// Tricks are how a server misbehaves, each once. It is safe for concurrent use.
type Tricks struct {
	mu    sync.Mutex
	list  []trick
	asked int
}

type trick struct {
	fits string // in "METHOD /path"
	play Play
}

// Add makes the next n requests that fit go wrong: those with fits in "METHOD /path".
func (t *Tricks) Add(n int, fits string, play Play) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for range n {
		t.list = append(t.list, trick{fits, play})
	}
}

// Left returns how many were not played yet.
func (t *Tricks) Left() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.list)
}

// Asked returns how many requests came.
func (t *Tricks) Asked() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asked
}

// Before plays tricks before anything else.
func (t *Tricks) Before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { t.take(r)(rw, r, next) })
}

func (t *Tricks) take(r *http.Request) Play {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked++
	for i, one := range t.list {
		if strings.Contains(r.Method+" "+r.URL.Path, one.fits) {
			t.list = slices.Delete(t.list, i, i+1)
			return one.play
		}
	}
	return Behave
}

// Behave answers as ever.
func Behave(rw http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(rw, r) }

// Answer answers without doing anything; headers are names and values in turn.
func Answer(code int, body string, headers ...string) Play {
	return func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i+1 < len(headers); i += 2 {
			rw.Header().Set(headers[i], headers[i+1])
		}
		rw.WriteHeader(code)
		_, _ = rw.Write([]byte(body))
	}
}

// Lost does what it is asked and drops the answer.
func Lost(rw http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	hangUp(rw)
}

// Broken does nothing and drops the connection.
func Broken(rw http.ResponseWriter, _ *http.Request, _ http.Handler) { hangUp(rw) }

func hangUp(rw http.ResponseWriter) {
	if h, ok := rw.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
		}
	}
}

// FailsAfter does what it is asked and says that it failed.
func FailsAfter(rw http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	rw.WriteHeader(http.StatusBadGateway)
}

// Hangs never answers.
func Hangs(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body) // only then does the server see that the client went away
	<-r.Context().Done()
}

// Huge does what it is asked and answers without end.
func Huge(rw http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	rw.WriteHeader(http.StatusCreated)
	_, _ = rw.Write([]byte(`{"description": "`))
	chunk := []byte(strings.Repeat("x", 1<<20))
	for range 64 {
		if _, err := rw.Write(chunk); err != nil {
			return
		}
	}
}

// Elsewhere sends who asks to a server that must not see any credentials.
func Elsewhere(t *testing.T) Play {
	other := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		t.Errorf("another server was asked %s with %q %q", r.URL, r.Header.Get("Authorization"), r.Header.Get("Private-Token"))
		rw.WriteHeader(http.StatusCreated)
	}))
	t.Cleanup(other.Close)
	return func(rw http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(rw, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}
}
