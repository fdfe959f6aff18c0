package httpserver

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// maxBody is how much of a request body is read at most. Hooks and the API set limits of their own below it.
const maxBody = 16 << 20

// Options are what the middleware needs.
type Options struct {
	Log *slog.Logger
	Now func() time.Time
	// Hosts are the names this server answers to, besides addresses and localhost; AnyHost stands for all.
	Hosts []string
	// Auth finds out who is asking.
	Auth authenticator
}

// Public puts the middleware of the main listener around h.
func Public(h http.Handler, o Options) http.Handler {
	return Wrap(h, Identify(), AccessLog(o.Log, o.Now), Recover(o.Log), SecurityHeaders(),
		CheckHost(o.Log, o.Hosts...), LimitBody(maxBody), CheckOrigin(o.Log), Authenticate(o.Log, o.Auth))
}

// Admin returns the handler of the admin listener: /metrics, /healthz, /readyz and /debug/pprof/.
func Admin(metrics http.Handler, ready func(context.Context) error, o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, "/metrics\n/healthz\n/readyz\n/debug/pprof/\n")
	})
	mux.Handle("GET /metrics", metrics)
	Health(mux, o.Log, ready)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return Wrap(mux, Identify(), AccessLog(o.Log, o.Now), Recover(o.Log), SecurityHeaders(), CheckHost(o.Log, o.Hosts...))
}

// readyTimeout is how long a check of readiness may take.
const readyTimeout = 2 * time.Second

// Health registers GET /healthz, which answers while the process lives, and GET /readyz, which answers 200 while ready
// returns nil and 503 otherwise.
func Health(mux *http.ServeMux, log *slog.Logger, ready func(context.Context) error) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := ready(ctx); err != nil {
			WriteError(w, r, log, waybill.Wrap(waybill.Unavailable, err, "not ready: "+err.Error()))
			return
		}
		plain(w, "ready\n")
	})
}

func plain(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(text)) // the client is gone: nobody is left to tell
}
