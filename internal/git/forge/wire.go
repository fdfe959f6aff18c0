package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Limits of one request to the API of a forge.
const (
	requestTimeout = 15 * time.Second
	maxAnswer      = 16 << 20 // bytes
	maxRedirects   = 3
)

// Wire carries the requests of one operation to the API of a forge, as an [http.RoundTripper]: it adds credentials,
// bounds the answer, asks only for what changed, and makes an Error with a code of every answer that is none.
type Wire struct {
	Base http.RoundTripper // nil: http.DefaultTransport
	Host string            // host:port that the credentials are for; nobody else gets them
	// Operation is the label of metrics.
	Operation string
	// Authorize adds credentials; nil: none are needed. Renew, when set, is asked once after a 401 whether there are
	// better ones.
	Authorize func(*http.Request) error
	Renew     func() bool
	Now       func() time.Time
	// Observe hears of each answer; code 0 is none, remaining -1 that the forge does not say.
	Observe func(operation string, code, remaining int)
	Cache   *Cache // nil: nothing is remembered
}

// Client returns a client for requests by w. A redirect to another host is an error.
func (w *Wire) Client(timeout time.Duration) *http.Client {
	if timeout == 0 {
		timeout = requestTimeout
	}
	return &http.Client{Transport: w, Timeout: timeout, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if req.URL.Host != w.Host || len(via) > maxRedirects {
			return waybill.Errorf(waybill.Unavailable, "%s sends us on to %s", w.Host, req.URL.Host)
		}
		return nil
	}}
}

// Refusal is the cause of the error that an answer became.
type Refusal struct {
	Status  int
	Message string // of the forge, one line
	Request string // method and path
}

// Error says what was asked and answered.
func (r *Refusal) Error() string { return fmt.Sprintf("%s: %d %s", r.Request, r.Status, r.Message) }

// RoundTrip sends req. Answers below 400 come back, the others are errors with a *Refusal as their cause, unless they
// ask to wait.
func (w *Wire) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.once(req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || w.Renew == nil || !w.Renew() {
		return w.judge(req, resp, err)
	}
	_ = resp.Body.Close()
	again := req.Clone(req.Context())
	if req.Body != nil {
		if req.GetBody == nil {
			return w.judge(req, resp, err)
		}
		if again.Body, err = req.GetBody(); err != nil {
			return nil, err
		}
	}
	resp, err = w.once(again)
	return w.judge(again, resp, err)
}

// once sends req, with credentials, bounds the answer and says that it was heard.
func (w *Wire) once(req *http.Request) (*http.Response, error) {
	if req.URL.Host != w.Host {
		return nil, waybill.Errorf(waybill.Unavailable, "%s sends us on to %s", w.Host, req.URL.Host)
	}
	out := req.Clone(req.Context())
	if w.Authorize != nil {
		if err := w.Authorize(out); err != nil {
			return nil, err
		}
	}
	known, asked := w.Cache.ask(out)
	base := w.Base
	if base == nil {
		base = http.DefaultTransport
	}
	resp, err := base.RoundTrip(out)
	if err != nil {
		w.observe(0, -1)
		return nil, err
	}
	w.observe(resp.StatusCode, number(resp.Header, "X-RateLimit-Remaining", "RateLimit-Remaining"))
	resp.Body = &bounded{body: resp.Body, left: maxAnswer, host: w.Host}
	if asked && resp.StatusCode == http.StatusNotModified {
		_ = resp.Body.Close()
		return known.answer(resp), nil
	}
	return w.Cache.keep(out, resp)
}

func (w *Wire) observe(code, remaining int) {
	if w.Observe != nil {
		w.Observe(w.Operation, code, remaining)
	}
}

// judge makes an error of an answer that is one.
func (w *Wire) judge(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
	if err != nil || resp.StatusCode < http.StatusBadRequest {
		return resp, err
	}
	defer func() { _ = resp.Body.Close() }()
	r := &Refusal{Status: resp.StatusCode, Message: said(resp.Body), Request: req.Method + " " + req.URL.Path}
	if until, limited := w.wait(resp, r.Message); limited {
		return nil, waybill.Wrap(waybill.Limited, &RetryAfter{Until: until}, w.Host+" asks to slow down: "+r.Message)
	}
	return nil, waybill.Wrap(codeOf(resp.StatusCode), r, fmt.Sprintf("%s says: %s (%d)", w.Host, r.Message, r.Status))
}

// codeOf maps answers to codes.
func codeOf(status int) waybill.Code {
	switch status {
	case http.StatusUnauthorized:
		return waybill.Unauthenticated
	case http.StatusForbidden:
		return waybill.Denied
	case http.StatusNotFound, http.StatusGone, http.StatusUnavailableForLegalReasons:
		return waybill.NotFound
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked:
		return waybill.Conflict
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return waybill.Unavailable
	}
	if status >= http.StatusInternalServerError {
		return waybill.Unavailable
	}
	return waybill.Invalid
}

// How long to wait where a forge asks to but does not say how long, and the longest that it is believed.
const (
	unsaidPause = time.Minute
	maxPause    = 2 * time.Hour
)

// wait reports whether an answer asks to wait, and until when. Forges limit with 403 or 429, with or without headers;
// the words are all that tells a limit without headers from a refusal.
func (w *Wire) wait(resp *http.Response, message string) (time.Time, bool) {
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests {
		return time.Time{}, false
	}
	now := w.Now()
	words := strings.ToLower(message)
	limited := resp.StatusCode == http.StatusTooManyRequests || strings.Contains(words, "rate limit") || strings.Contains(words, "abuse detection")
	until := now.Add(unsaidPause)
	switch after, reset := resp.Header.Get("Retry-After"), number(resp.Header, "X-RateLimit-Reset", "RateLimit-Reset"); {
	case after != "":
		limited = true
		if n, err := strconv.Atoi(after); err == nil {
			until = now.Add(time.Duration(min(max(n, 1), int(maxPause/time.Second))) * time.Second)
		} else if t, err := http.ParseTime(after); err == nil {
			until = t
		}
	case number(resp.Header, "X-RateLimit-Remaining", "RateLimit-Remaining") == 0 && reset > 0:
		limited = true
		until = time.Unix(int64(reset), 0)
	}
	if until.Before(now) {
		until = now.Add(time.Second) // clocks differ
	}
	if until.Sub(now) > maxPause {
		until = now.Add(maxPause)
	}
	return until, limited
}

// number reads the first header that holds one; -1 when none does.
func number(h http.Header, names ...string) int {
	for _, name := range names {
		if n, err := strconv.Atoi(h.Get(name)); err == nil && n >= 0 {
			return n
		}
	}
	return -1
}

// maxMessage bounds what is quoted of an answer.
const maxMessage = 300

// said reads the message of an answer that is an error: the fields that forges use, or the beginning of the text.
func said(body io.Reader) string {
	const enough = 64 << 10
	raw, _ := io.ReadAll(io.LimitReader(body, enough)) // what could be read is quoted
	var fields struct {
		Message          json.RawMessage   `json:"message"`
		Error            json.RawMessage   `json:"error"`
		ErrorDescription string            `json:"error_description"`
		Errors           []json.RawMessage `json:"errors"`
	}
	text := string(raw)
	if json.Unmarshal(raw, &fields) == nil {
		parts := []string{plainText(fields.Message), plainText(fields.Error), fields.ErrorDescription}
		for _, e := range fields.Errors {
			parts = append(parts, plainText(e))
		}
		if joined := strings.Join(strings.Fields(strings.Join(parts, " ")), " "); joined != "" {
			text = joined
		}
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "�")), " ")
	if r := []rune(text); len(r) > maxMessage {
		text = string(r[:maxMessage]) + "…"
	}
	if text == "" {
		return "no words"
	}
	return text
}

// plainText is a string without its quotes, an object's message, or any other JSON as it is.
func plainText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var o struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(raw, &o) == nil && o.Message != "" {
		return o.Message
	}
	return string(raw)
}

// Fault makes an Error of what a client by Wire returned: those of Wire as they are, anything else means that the
// forge is away, or answers what nobody can read.
func Fault(ctx context.Context, host string, err error) error {
	var e *waybill.Error
	var u *url.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case ctx.Err() != nil:
		return waybill.Wrap(waybill.Unavailable, err, "the request to "+host+" was given up")
	case errors.As(err, &u) && u.Timeout():
		return waybill.Wrap(waybill.Unavailable, err, host+" does not answer in time")
	case errors.As(err, &u):
		return waybill.Wrap(waybill.Unavailable, err, host+" cannot be reached")
	}
	return waybill.Wrap(waybill.Unavailable, err, host+" answers what cannot be read")
}

// bounded is a body that ends in an error after so many bytes.
type bounded struct {
	body io.ReadCloser
	left int64
	host string
}

// Read reads until the limit.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, waybill.Errorf(waybill.Unavailable, "%s answers with more than %d MiB", b.host, maxAnswer>>20)
	}
	n, err := b.body.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// Close closes the body.
func (b *bounded) Close() error { return b.body.Close() }

// rewind gives resp a body of its own.
func rewind(resp *http.Response, body []byte) *http.Response {
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp
}
