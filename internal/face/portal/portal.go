// Package portal is the web portal: server-rendered pages over the store, with live updates by server-sent events.
//
// One file holds one page: its handler and the struct its template renders. Handlers read the store, turn domain
// values into page structs with pure functions, and return errors; the adapter in handler.go turns an error into the
// error page. A page is rendered into memory before its first byte is sent. What changes state is a form that is
// posted to an engine, offered only to people with a session.
package portal

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// logs are the kept outputs of builds and runs, by blob id.
type logs interface {
	Open(id string) (io.ReadSeekCloser, error)
	// Follow yields what is there and what comes, until ctx ends.
	Follow(ctx context.Context, id string, done func() bool) io.ReadCloser
}

// versions moves the pointers to what is live.
type versions interface {
	Rollback(ctx context.Context, connector string, major int, env waybill.Environment, by waybill.Actor) (waybill.Live, error)
	Promote(ctx context.Context, releaseID string, by waybill.Actor) (waybill.Live, error)
}

// retrier examines a commit again.
type retrier interface {
	Retry(ctx context.Context, repository, commit string, by waybill.Actor) error
}

// canceller asks for the end of a run.
type canceller interface {
	Cancel(ctx context.Context, id string, by waybill.Actor) error
}

// Start asks for one run of the live version of a connector major at a site.
type Start struct {
	Connector string
	Major     int
	Site      string
	By        waybill.Actor
}

// Options are what the pages stand on. All but Open are required.
type Options struct {
	DB       *store.DB
	Logs     logs
	Versions versions
	Retrier  retrier
	Runs     canceller
	Start    func(ctx context.Context, s Start) (waybill.Run, error)
	Now      func() time.Time
	Log      *slog.Logger
	Platform string // URL of the platform repository; empty: there is none
	// Open lets people without a session read the pages. Set it when only this machine reaches the server.
	Open bool
}

// Portal serves the pages. It expects who is asking in the context of a request (auth.From).
type Portal struct {
	Options
	assets assets
	pages  pages
	mux    *http.ServeMux
}

// New parses every template and asset, and reports the first that is broken.
func New(o Options) (*Portal, error) {
	p := &Portal{Options: o}
	var err error
	if p.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if p.pages, err = parsePages(p.assets, o.Now); err != nil {
		return nil, err
	}
	p.mux = p.routes()
	return p, nil
}

// ServeHTTP serves every path that is not another face's.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

func (p *Portal) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{file}", p.asset)
	for path, h := range map[string]handler{
		"GET /{$}":                       p.dashboard,
		"GET /events":                    p.dashboardEvents,
		"GET /connectors":                p.connectors,
		"GET /connectors/{name}":         p.connector,
		"GET /connectors/{name}/{tab}":   p.connector,
		"GET /connectors/{name}/events":  p.connectorEvents,
		"GET /runs":                      p.runs,
		"GET /settings":                  p.settings,
		"GET /runs/{id}":                 p.run,
		"GET /runs/{id}/events":          p.runEvents,
		"GET /runs/{id}/logs/{stream}":   p.runLog,
		"GET /releases/{id}":             p.release,
		"GET /releases/{id}/events":      p.releaseEvents,
		"GET /releases/{id}/log":         p.releaseLogPage,
		"GET /releases/{id}/logs/{step}": p.releaseLog,
	} {
		mux.Handle(path, p.reading(h))
	}
	const commit = "/repositories/{owner}/{name}/commits/{sha}"
	mux.Handle("GET "+commit, p.reading(p.commit))
	mux.Handle("GET "+commit+"/events", p.reading(p.commitEvents))
	mux.Handle("POST "+commit+"/retry", p.acting(p.retryCommit))
	for path, h := range map[string]handler{
		"POST /connectors/{name}/runs":     p.startRun,
		"POST /connectors/{name}/rollback": p.rollback,
		"POST /releases/{id}/promote":      p.promote,
		"POST /runs/{id}/cancel":           p.cancelRun,
	} {
		mux.Handle(path, p.acting(h))
	}
	mux.Handle("GET /session", p.handle(p.session))
	mux.Handle("/", p.handle(p.missing))
	return mux
}
