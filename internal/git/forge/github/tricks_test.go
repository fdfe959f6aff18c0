package github

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// trick is how the world misbehaves once, when a request fits.
type trick struct {
	fits string // in "method path"
	play func(rw http.ResponseWriter, r *http.Request, next http.Handler)
}

// trick makes the next request that fits go wrong, n times.
func (w *world) trick(n int, fits string, play func(http.ResponseWriter, *http.Request, http.Handler)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range n {
		w.tricks = append(w.tricks, trick{fits, play})
	}
}

// tricky plays tricks before anything else.
func (w *world) tricky(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		var play func(http.ResponseWriter, *http.Request, http.Handler)
		for i, t := range w.tricks {
			if strings.Contains(r.Method+" "+r.URL.Path, t.fits) {
				play = t.play
				w.tricks = append(w.tricks[:i:i], w.tricks[i+1:]...)
				break
			}
		}
		w.mu.Unlock()
		if play == nil {
			next.ServeHTTP(rw, r)
			return
		}
		play(rw, r, next)
	})
}

// answer answers without doing anything.
func answer(code int, body string, headers ...string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i+1 < len(headers); i += 2 {
			rw.Header().Set(headers[i], headers[i+1])
		}
		rw.WriteHeader(code)
		_, _ = rw.Write([]byte(body))
	}
}

// lost does what it is asked and drops the answer.
func lost(rw http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	hangUp(rw)
}

func hangUp(rw http.ResponseWriter) {
	if h, ok := rw.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
		}
	}
}

// broken does nothing and drops the connection.
func broken(rw http.ResponseWriter, _ *http.Request, _ http.Handler) { hangUp(rw) }

// failsAfter does what it is asked and says that it failed.
func failsAfter(rw http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	rw.WriteHeader(http.StatusBadGateway)
}

// hangs never answers.
func hangs(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body) // only then does the server see that the client went away
	<-r.Context().Done()
}

// huge does what it is asked and answers without end.
func huge(rw http.ResponseWriter, r *http.Request, next http.Handler) {
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
