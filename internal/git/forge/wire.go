package forge

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Limits of one request to the API of a forge.
const (
	requestTimeout = 15 * time.Second
	maxAnswer      = 16 << 20 // bytes
	maxHeader      = 64 << 10 // bytes
	maxRedirects   = 3
)

// Wire carries the requests of one operation to the API of a forge, as an [http.RoundTripper]: it adds credentials,
// bounds the answer, asks only for what changed, and makes an Error with a code of every answer that is none.
type Wire struct {
	Base http.RoundTripper
	Host string // host:port that the credentials are for; nobody else gets them
	// Timeout bounds each request and its answer; 0: 15 s.
	Timeout time.Duration
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

// NewWire returns what all operations at the API on a host share, with transport and timeout of c, if it is not nil.
func NewWire(host string, c *http.Client, now func() time.Time, observe func(operation string, code, remaining int)) Wire {
	w := Wire{Host: host, Now: now, Observe: observe, Cache: NewCache()}
	if c != nil {
		w.Base, w.Timeout = c.Transport, c.Timeout
	}
	if w.Base == nil {
		w.Base = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: maxHeader,
		}
	}
	return w
}

// For returns the wire of one operation.
func (w Wire) For(operation string) *Wire {
	w.Operation = operation
	return &w
}

// Client returns a client for requests by w.
func (w *Wire) Client() *http.Client {
	c := &http.Client{Transport: w, Timeout: w.Timeout, CheckRedirect: w.follow}
	if c.Timeout == 0 {
		c.Timeout = requestTimeout
	}
	return c
}

// follow lets redirects go on at their own host only, and none that makes a question of what was to be written. For good
// (301), forges answer so where a repository was before, which counts as not being there; for the moment, what stands
// before them does, to sign people in or to tell of maintenance.
func (w *Wire) follow(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case req.URL.Host != w.Host || req.URL.Scheme != first.URL.Scheme || len(via) > maxRedirects:
		return waybill.Errorf(waybill.Unavailable, "%s sends us on to %s", w.Host, (&url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host}).String())
	case req.Method != first.Method && req.Response.StatusCode == http.StatusMovedPermanently:
		return waybill.Errorf(waybill.NotFound, "%s has it elsewhere", w.Host)
	case req.Method != first.Method:
		return waybill.Errorf(waybill.Unavailable, "%s sends us on to %s instead of taking it", w.Host, req.URL.Path)
	}
	return nil
}

// RoundTrip sends req. Answers below 400 come back, the others are errors with a *Refusal as their cause, unless they
// ask to wait.
func (w *Wire) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.once(req)
	final := w.Renew == nil || req.Body != nil && req.GetBody == nil // nothing better comes, or what was sent is gone
	if err != nil || resp.StatusCode != http.StatusUnauthorized || final || !w.Renew() {
		return w.judge(req, resp, err)
	}
	_ = resp.Body.Close()
	again := req.Clone(req.Context())
	if req.Body != nil {
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
	resp, err := w.Base.RoundTrip(out)
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
