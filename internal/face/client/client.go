// Package client speaks with a Waybill server through its API. The command line and tests use it.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Limits of one request.
const (
	answerTimeout = 90 * time.Second // longer than a server makes a request wait
	maxAnswer     = 32 << 20         // bytes
)

// Client calls one server. Its methods report domain errors: those the server sends, and Unavailable when it cannot
// be reached.
type Client struct {
	server string
	token  string
	http   *http.Client
}

// New returns a client of the server at a URL such as http://127.0.0.1:8080. token may be empty.
func New(server, token string) *Client {
	return &Client{server: strings.TrimRight(server, "/"), token: token, http: &http.Client{}}
}

// Server returns the URL of the server.
func (c *Client) Server() string { return c.server }

// call is one request: in is sent as JSON unless nil.
type call struct {
	method, path string
	query        url.Values
	in           any
}

// do sends a request and reads its answer into out, unless out is nil.
func (c *Client) do(ctx context.Context, q call, out any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	res, err := c.send(ctx, q)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return c.unreachable(err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return waybill.Errorf(waybill.Internal, "the answer of %s is not that of a Waybill server: %w", c.server, err)
	}
	return nil
}

// open sends a request whose answer is a stream. The caller closes it.
func (c *Client) open(ctx context.Context, q call) (io.ReadCloser, error) {
	res, err := c.send(ctx, q)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// send sends a request, once more when the connection broke before an answer began: the Idempotency-Key makes that safe.
func (c *Client) send(ctx context.Context, q call) (*http.Response, error) {
	body, err := json.Marshal(q.in)
	if err != nil {
		return nil, waybill.Wrap(waybill.Internal, err, "cannot write the request")
	}
	key := rand.Text()
	var res *http.Response
	for range 2 {
		var r *http.Request
		if r, err = c.request(ctx, q, body, key); err != nil {
			return nil, waybill.Errorf(waybill.Invalid, "%q is not the URL of a server: %w", c.server, err)
		}
		if res, err = c.http.Do(r); err == nil {
			break
		}
		if !errors.Is(err, io.EOF) || ctx.Err() != nil {
			return nil, c.unreachable(err)
		}
	}
	if err != nil {
		return nil, c.unreachable(err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		defer func() { _ = res.Body.Close() }() // read already: there is nothing left to lose
		return nil, problem(res)
	}
	return res, nil
}

func (c *Client) request(ctx context.Context, q call, body []byte, key string) (*http.Request, error) {
	target := c.server + "/api/v1" + q.path
	if len(q.query) > 0 {
		target += "?" + q.query.Encode()
	}
	var in io.Reader
	if q.in != nil {
		in = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, q.method, target, in)
	if err != nil {
		return nil, err
	}
	if q.in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if q.method == http.MethodPost {
		r.Header.Set("Idempotency-Key", key)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	return r, nil
}

// problem reads the error that a server answered.
func problem(res *http.Response) error {
	var p struct {
		Code   waybill.Code `json:"code"`
		Detail string       `json:"detail"`
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil || p.Code == "" {
		return waybill.Errorf(waybill.Internal, "%s answered %s, which a Waybill server does not do", res.Request.URL.Host, res.Status)
	}
	return &waybill.Error{Code: p.Code, Message: p.Detail}
}

// unreachable says that the server does not answer, and what to do.
func (c *Client) unreachable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	return &waybill.Error{
		Code: waybill.Unavailable, Cause: err,
		Message: fmt.Sprintf("no server answers at %s: start one with `waybill serve`, or pass --server", c.server),
	}
}

// ask sends a request and returns its answer.
func ask[T any](ctx context.Context, c *Client, q call) (T, error) {
	var v T
	err := c.do(ctx, q, &v)
	return v, err
}

// all reads every page of a list, up to limit items; 0 means no limit.
func all[T any](ctx context.Context, c *Client, path string, query url.Values, limit int) ([]T, error) {
	const largest = 200
	items := []T{}
	if query == nil {
		query = url.Values{}
	}
	for {
		want := largest
		if limit > 0 {
			want = min(largest, limit-len(items))
		}
		query.Set("limit", fmt.Sprint(want))
		page, err := ask[wire.Page[T]](ctx, c, call{method: http.MethodGet, path: path, query: query})
		if err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
		if page.Next == "" || limit > 0 && len(items) >= limit {
			return items, nil
		}
		query.Set("cursor", page.Next)
	}
}

// values makes a query of names and values in turn, leaving out what is empty.
func values(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}
