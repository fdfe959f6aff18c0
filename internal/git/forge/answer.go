package forge

import (
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

// Refusal is the cause of the error that an answer became.
type Refusal struct {
	Status  int
	Message string // of the forge, one line
	Request string // method and path
}

// Error says what was asked and answered.
func (r *Refusal) Error() string { return fmt.Sprintf("%s: %d %s", r.Request, r.Status, r.Message) }

// judge makes an error of an answer that is one.
func (w *Wire) judge(req *http.Request, resp *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return resp, err
	}
	body := resp.Body // something puts another in its place
	defer func() { _ = body.Close() }()
	if resp.StatusCode < http.StatusBadRequest {
		return w.something(req, resp)
	}
	r := &Refusal{Status: resp.StatusCode, Message: said(body), Request: req.Method + " " + req.URL.Path}
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
	case http.StatusForbidden, http.StatusLocked: // archived
		return waybill.Denied
	case http.StatusNotFound, http.StatusGone, http.StatusUnavailableForLegalReasons:
		return waybill.NotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
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
