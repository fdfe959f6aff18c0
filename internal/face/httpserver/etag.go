package httpserver

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// ETag tags JSON answers to reads with a hash of their content, and answers 304 when the client has that content
// already. Streams and errors pass through untouched.
func ETag() Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if changes(r.Method) {
				next.ServeHTTP(w, r)
				return
			}
			t := &tagger{ResponseWriter: w, match: r.Header.Get("If-None-Match")}
			next.ServeHTTP(t, r)
			t.finish()
		})
	}
}

// tagger holds a JSON answer back until its hash is known.
type tagger struct {
	http.ResponseWriter
	match   string
	holding bool
	body    bytes.Buffer
}

// WriteHeader decides whether the answer is one to hold back.
func (t *tagger) WriteHeader(status int) {
	if status == http.StatusOK && strings.HasPrefix(t.Header().Get("Content-Type"), "application/json") {
		t.holding = true
		return
	}
	t.ResponseWriter.WriteHeader(status)
}

// Write collects a held answer and passes any other on.
func (t *tagger) Write(p []byte) (int, error) {
	if t.holding {
		return t.body.Write(p)
	}
	return t.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController flush streams.
func (t *tagger) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (t *tagger) finish() {
	if !t.holding {
		return
	}
	sum := sha256.Sum256(t.body.Bytes())
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	t.Header().Set("ETag", tag)
	t.Header().Set("Cache-Control", "private, no-cache")
	if matches(t.match, tag) {
		t.Header().Del("Content-Type")
		t.ResponseWriter.WriteHeader(http.StatusNotModified)
		return
	}
	t.ResponseWriter.WriteHeader(http.StatusOK)
	_, _ = t.ResponseWriter.Write(t.body.Bytes()) // the client is gone: nobody is left to tell
}

// matches reports whether an If-None-Match header names tag (RFC 9110, section 13.1.2).
func matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == "*" || candidate == tag {
			return true
		}
	}
	return false
}
