package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/waybill-dev/waybill/internal/git/progress"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

const (
	connectTimeout = 2 * time.Second
	// answerTimeout is how long the server may take to store a delivery.
	answerTimeout = 10 * time.Second
	maxAnswer     = 64 << 10
)

// server is the server a repository reports to.
type server struct {
	settings Settings
	now      func() time.Time
	client   *http.Client
}

func newServer(s Settings, now func() time.Time) *server {
	return &server{settings: s, now: now, client: &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout:   connectTimeout,
			ResponseHeaderTimeout: answerTimeout,
		},
		// A signature is for one server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// report sends the event and returns where its progress is told. The message of an error is for the pusher.
func (s *server) report(ctx context.Context, e waybill.Event) (progress.Accepted, error) {
	header, body, err := webhooks.SignPlain(e, s.settings.Secret, s.now())
	if err != nil {
		return progress.Accepted{}, err
	}
	address := s.settings.Server + "/hooks/plain/" + url.PathEscape(s.settings.Hook)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return progress.Accepted{}, waybill.Wrap(waybill.Invalid, err, "the address of the server is wrong: "+s.settings.Server)
	}
	req.Header = header
	res, err := s.client.Do(req)
	if err != nil {
		return progress.Accepted{}, waybill.Wrap(waybill.Unavailable, err,
			s.settings.Server+" does not answer; the push is stored and found when the server is back")
	}
	defer func() { _ = res.Body.Close() }()
	switch res.StatusCode {
	case http.StatusOK, http.StatusAccepted:
	case http.StatusUnauthorized, http.StatusNotFound:
		return progress.Accepted{}, waybill.Errorf(waybill.Denied,
			"%s does not know this hook (%d); the push is stored. To report the next one: waybill repo add", s.settings.Server, res.StatusCode)
	default:
		return progress.Accepted{}, waybill.Errorf(waybill.Unavailable,
			"%s answers %d; the push is stored and found by polling", s.settings.Server, res.StatusCode)
	}
	var a progress.Accepted
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&a); err != nil {
		return progress.Accepted{}, waybill.Wrap(waybill.Unavailable, err, s.settings.Server+" has the push, but its answer makes no sense")
	}
	return a, nil
}

// open starts the stream at address, which must be on the same server.
func (s *server) open(ctx context.Context, address string) (io.ReadCloser, error) {
	base, err := url.Parse(s.settings.Server + "/")
	if err != nil {
		return nil, waybill.Wrap(waybill.Invalid, err, "the address of the server is wrong")
	}
	u, err := base.Parse(address)
	if err != nil || u.Scheme != base.Scheme || u.Host != base.Host {
		return nil, waybill.Errorf(waybill.Invalid, "its address is on another server")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, waybill.Wrap(waybill.Invalid, err, "its address is wrong")
	}
	req.Header.Set("Accept", "text/event-stream")
	webhooks.SignGet(req, s.settings.Secret, s.now())
	res, err := s.client.Do(req)
	if err != nil {
		return nil, waybill.Wrap(waybill.Unavailable, err, "the server went away")
	}
	if res.StatusCode != http.StatusOK {
		_ = res.Body.Close()
		return nil, waybill.Errorf(waybill.Unavailable, "the server answers %d", res.StatusCode)
	}
	return res.Body, nil
}
