package gitea

import (
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	patience  = 20 * time.Second
	bodyLimit = 8 << 20 // 50 pull requests of Gitea, each with its repository twice, are 1 MiB
)

// bounded returns a client that gives up after a while, reads no endless answers, and takes the token to no other host.
func bounded(from *http.Client) *http.Client {
	c := http.Client{Timeout: patience}
	if from != nil {
		c = *from
	}
	if c.Transport == nil {
		c.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: patience, MaxResponseHeaderBytes: 64 << 10,
		}
	}
	c.Transport = limit{c.Transport}
	c.CheckRedirect = stay
	return &c
}

// stay follows redirects, with which Gitea answers for renamed repositories, on their own host only. It takes none that
// makes a question of what was to be written.
func stay(req *http.Request, via []*http.Request) error {
	if first := via[0].URL; len(via) > 3 || req.URL.Host != first.Host || req.URL.Scheme != first.Scheme {
		return errors.New("redirected to another host, or too often")
	}
	if req.Method != via[0].Method {
		return http.ErrUseLastResponse
	}
	return nil
}

// limit bounds the answers of a transport.
type limit struct{ inner http.RoundTripper }

// RoundTrip makes one request.
func (l limit) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := l.inner.RoundTrip(req)
	if err == nil {
		res.Body = &body{Closer: res.Body, limited: io.LimitReader(res.Body, bodyLimit)}
	}
	return res, err
}

// body ends at the limit, and what was cut is no JSON any more.
type body struct {
	io.Closer
	limited io.Reader
}

// Read reads up to the limit.
func (b *body) Read(p []byte) (int, error) { return b.limited.Read(p) }
