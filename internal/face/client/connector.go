package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
)

// Connectors lists connectors by name.
func (c *Client) Connectors(ctx context.Context) ([]wire.Connector, error) {
	return all[wire.Connector](ctx, c, "/connectors", nil, 0)
}

// Connector shows a connector with its set-up.
func (c *Client) Connector(ctx context.Context, name string) (wire.ConnectorDetail, error) {
	return ask[wire.ConnectorDetail](ctx, c, call{method: http.MethodGet, path: "/connectors/" + url.PathEscape(name)})
}

// ConnectorHistory lists at most limit things that happened to a connector, newest first.
func (c *Client) ConnectorHistory(ctx context.Context, name string, limit int) ([]wire.Entry, error) {
	return all[wire.Entry](ctx, c, "/connectors/"+url.PathEscape(name)+"/history", nil, limit)
}

// Rollback makes the version live that was live before.
func (c *Client) Rollback(ctx context.Context, name string, in wire.Rollback) (wire.Live, error) {
	return ask[wire.Live](ctx, c, call{method: http.MethodPost, path: "/connectors/" + url.PathEscape(name) + "/rollback", in: in})
}

// ReleaseFilter selects releases; zero fields select all.
type ReleaseFilter struct {
	Connector, Environment, Commit string
	Open                           bool
	Limit                          int
}

// Releases lists releases, newest first.
func (c *Client) Releases(ctx context.Context, f ReleaseFilter) ([]wire.Release, error) {
	q := values("connector", f.Connector, "environment", f.Environment, "commit", f.Commit)
	if f.Open {
		q.Set("open", "true")
	}
	return all[wire.Release](ctx, c, "/releases", q, f.Limit)
}

// Release shows a release with its steps.
func (c *Client) Release(ctx context.Context, id string) (wire.Release, error) {
	return ask[wire.Release](ctx, c, call{method: http.MethodGet, path: "/releases/" + url.PathEscape(id)})
}

// Promote makes a release live.
func (c *Client) Promote(ctx context.Context, id string) (wire.Live, error) {
	return ask[wire.Live](ctx, c, call{method: http.MethodPost, path: "/releases/" + url.PathEscape(id) + "/promote"})
}

// ReleaseLog reads what a step printed; empty means the build. The caller closes it.
func (c *Client) ReleaseLog(ctx context.Context, id, step string, follow bool) (io.ReadCloser, error) {
	return c.open(ctx, call{
		method: http.MethodGet, path: "/releases/" + url.PathEscape(id) + "/log",
		query: values("step", step, "follow", flag(follow)),
	})
}

// RunFilter selects runs; zero fields select all.
type RunFilter struct {
	Connector, Site string
	States          []string
	Limit           int
}

// Runs lists runs, newest first.
func (c *Client) Runs(ctx context.Context, f RunFilter) ([]wire.Run, error) {
	q := values("connector", f.Connector, "site", f.Site)
	for _, s := range f.States {
		q.Add("state", s)
	}
	return all[wire.Run](ctx, c, "/runs", q, f.Limit)
}

// StartRun runs a connector.
func (c *Client) StartRun(ctx context.Context, in wire.StartRun) (wire.Run, error) {
	return ask[wire.Run](ctx, c, call{method: http.MethodPost, path: "/runs", in: in})
}

// Run shows a run, after waiting up to wait for its end. A server waits at most a minute.
func (c *Client) Run(ctx context.Context, id string, wait time.Duration) (wire.Run, error) {
	q := url.Values{}
	if s := int(wait / time.Second); s > 0 {
		q.Set("wait", strconv.Itoa(s))
	}
	return ask[wire.Run](ctx, c, call{method: http.MethodGet, path: "/runs/" + url.PathEscape(id), query: q})
}

// CancelRun asks a run to end.
func (c *Client) CancelRun(ctx context.Context, id string) (wire.Run, error) {
	return ask[wire.Run](ctx, c, call{method: http.MethodPost, path: "/runs/" + url.PathEscape(id) + "/cancel"})
}

// RunLog reads stdout or stderr of a run. The caller closes it.
func (c *Client) RunLog(ctx context.Context, id, stream string, follow bool) (io.ReadCloser, error) {
	return c.open(ctx, call{
		method: http.MethodGet, path: "/runs/" + url.PathEscape(id) + "/logs",
		query: values("stream", stream, "follow", flag(follow)),
	})
}

// Records lists the lines of a run that are JSON objects. kind is record, row or empty for both.
func (c *Client) Records(ctx context.Context, id, kind string) ([]wire.Line, error) {
	return all[wire.Line](ctx, c, "/runs/"+url.PathEscape(id)+"/records", values("kind", kind), 0)
}

// Sites lists sites by name.
func (c *Client) Sites(ctx context.Context) ([]wire.Site, error) {
	return all[wire.Site](ctx, c, "/sites", nil, 0)
}

// Assignments lists which connector is assigned where. Empty values select all.
func (c *Client) Assignments(ctx context.Context, site, connector string) ([]wire.Assignment, error) {
	p, err := ask[wire.Page[wire.Assignment]](ctx, c, call{
		method: http.MethodGet, path: "/assignments", query: values("site", site, "connector", connector),
	})
	return p.Items, err
}

func flag(on bool) string {
	if on {
		return "true"
	}
	return ""
}
