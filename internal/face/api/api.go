package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/waybill-dev/waybill/internal/face/httpserver"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// base is where version 1 lives; description is where its OpenAPI document is.
const (
	base        = "/api/v1"
	description = "/api/openapi.yaml"
)

// releases moves live pointers.
type releases interface {
	Rollback(ctx context.Context, connector string, major int, env waybill.Environment, by waybill.Actor) (waybill.Live, error)
	Promote(ctx context.Context, releaseID string, by waybill.Actor) (waybill.Live, error)
}

// commits looks at commits again.
type commits interface {
	Retry(ctx context.Context, repository, commit string, by waybill.Actor) error
}

// logs reads what builds and programs printed.
type logs interface {
	Open(id string) (io.ReadSeekCloser, error)
	// Follow yields what is there and what comes, until done reports true and all was read.
	Follow(ctx context.Context, id string, done func() bool) io.ReadCloser
}

// tokens issues and revokes credentials.
type tokens interface {
	Issue(ctx context.Context, name string, scope auth.Scope, life time.Duration, by waybill.Actor) (auth.Token, auth.Secret, error)
	Link(ctx context.Context, by waybill.Actor) (auth.Secret, time.Time, error)
	Tokens(ctx context.Context) ([]auth.Token, error)
	Revoke(ctx context.Context, id string, by waybill.Actor) error
}

// Options are what the API needs.
type Options struct {
	DB           *store.DB
	Releases     releases
	Commits      commits
	Previews     previews
	Repositories repositories
	Runs         runs
	Logs         logs
	Tokens       tokens
	Log          *slog.Logger
	Now          func() time.Time
	Version      string
	Platform     string        // URL of the platform repository; empty: there is none
	PublicURL    func() string // without a slash at the end; known once the server listens
}

// API answers requests below /api/.
type API struct {
	Options
	huma huma.API
	seen *answers
}

// New returns the handler of everything below /api/. It expects [httpserver.Authenticate] around it.
func New(o Options) (http.Handler, error) {
	mux := http.NewServeMux()
	a := &API{Options: o, seen: newAnswers(o.Now), huma: humago.New(mux, config(o.Version))}
	for _, add := range []func(){
		a.addVersion, a.addRepositories, a.addForges, a.addConnectors, a.addReleases, a.addRuns, a.addLogs,
		a.addSites, a.addSettings, a.addCommits, a.addValidate, a.addHistory, a.addTokens,
	} {
		add()
	}
	yaml, err := a.huma.OpenAPI().YAML()
	if err != nil {
		return nil, waybill.Wrap(waybill.Internal, err, "cannot write the OpenAPI description")
	}
	mux.HandleFunc("GET "+description, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+yaml")
		_, _ = w.Write(yaml) // the client is gone: nobody is left to tell
	})
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		httpserver.WriteError(w, r, o.Log, waybill.Errorf(waybill.NotFound, "no such operation: %s %s (see %s)", r.Method, r.URL.Path, description))
	})
	return httpserver.ETag()(mux), nil
}

func config(version string) huma.Config {
	c := huma.DefaultConfig("Waybill", version)
	c.Info.Description = "From git push to a running connector. Times are UTC; a problem document carries a stable code."
	c.CreateHooks, c.OpenAPIPath, c.DocsPath, c.SchemasPath = nil, "", "", ""
	c.RejectUnknownQueryParameters = true
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "A token that begins with wb_."},
		"session": {Type: "apiKey", In: "cookie", Name: auth.CookieName, Description: "A browser that was signed in."},
	}
	return c
}

// operation describes an operation: method and path below /api/v1, its name and one sentence.
type operation struct {
	method, path, id, summary, tag string
	action                         auth.Action
	status                         int   // of success; 0: 200, or 204 without a body
	limit                          int64 // of the request in bytes; 0: 1 MiB
}

// add registers an operation: the caller is checked before anything is parsed, and an error becomes a problem document.
func add[I, O any](a *API, op operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(a.huma, huma.Operation{
		Method: op.method, Path: base + op.path, OperationID: op.id, Summary: op.summary, Tags: []string{op.tag},
		DefaultStatus: op.status, MaxBodyBytes: op.limit,
		Security:    []map[string][]string{{"token": {}}, {"session": {}}},
		Middlewares: huma.Middlewares{a.allow(op.action)},
		Metadata:    map[string]any{"action": op.action},
	}, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.fail(ctx, err)
		}
		return out, nil
	})
}

// allow lets a request pass whose sender may do action.
func (a *API) allow(action auth.Action) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		if err := auth.Allow(auth.From(c.Context()), action); err != nil {
			r, w := humago.Unwrap(c)
			if waybill.IsCode(err, waybill.Unauthenticated) {
				w.Header().Set("WWW-Authenticate", `Bearer realm="waybill"`)
			}
			httpserver.WriteError(w, r, a.Log, err)
			return
		}
		next(c)
	}
}

// fail turns err into what the client may know, and logs what is ours. Every error of an operation comes through here.
func (a *API) fail(ctx context.Context, err error) error {
	httpserver.LogError(ctx, a.Log, err)
	return httpserver.ProblemOf(ctx, err)
}

// body is the answer of an operation.
type body[T any] struct{ Body T }

func answer[T any](v T) *body[T] { return &body[T]{Body: v} }

// by returns who acts.
func by(ctx context.Context) waybill.Actor { return auth.From(ctx).Actor() }
