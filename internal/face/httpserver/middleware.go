package httpserver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Middleware adds one behaviour to a handler.
type Middleware func(http.Handler) http.Handler

// Wrap applies middlewares so that the first one sees a request first.
func Wrap(h http.Handler, middlewares ...Middleware) http.Handler {
	for _, m := range slices.Backward(middlewares) {
		h = m(h)
	}
	return h
}

type requestIDKey struct{}

// RequestID returns the id that names a request in logs and problem documents; empty outside a request.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// Identify gives every request a random id and tells it to the client as X-Request-Id.
func Identify() Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var b [8]byte
			_, _ = rand.Read(b[:]) // never fails (crypto/rand)
			id := hex.EncodeToString(b[:])
			w.Header().Set("X-Request-Id", id)
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
		})
	}
}

// Recover answers a request whose handler panicked with 500 and logs the stack.
func Recover(log *slog.Logger) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				p := recover()
				switch p {
				case nil:
					return
				case http.ErrAbortHandler:
					panic(p)
				}
				log.ErrorContext(r.Context(), "handler panicked", "request_id", RequestID(r.Context()),
					"path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				write(w, r, newProblem(waybill.Internal, http.StatusInternalServerError, ours, RequestID(r.Context())))
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// AccessLog logs every request at debug level once it is answered. It logs no query: sign-in links carry a secret there.
func AccessLog(log *slog.Logger, now func() time.Time) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !log.Enabled(r.Context(), slog.LevelDebug) {
				next.ServeHTTP(w, r)
				return
			}
			start, rec := now(), &recorder{ResponseWriter: w, status: http.StatusOK}
			defer func() {
				log.DebugContext(r.Context(), "request answered", "request_id", RequestID(r.Context()),
					"method", r.Method, "path", r.URL.Path, "status", rec.status, "bytes", rec.bytes,
					"duration_ms", now().Sub(start).Milliseconds())
			}()
			next.ServeHTTP(rec, r)
		})
	}
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader remembers the status.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (r *recorder) Write(p []byte) (int, error) {
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// LimitBody lets a handler read at most n bytes of a request; more is code too_large.
func LimitBody(n int64) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, n)
			next.ServeHTTP(w, r)
		})
	}
}

// AnyHost in a list of names lets every name pass, for listeners that browsers do not reach.
const AnyHost = "*"

// CheckHost refuses requests whose Host is neither an address, nor localhost, nor one of names: a page of a stranger
// whose domain was pointed here (DNS rebinding) must not speak with the server.
func CheckHost(log *slog.Logger, names ...string) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !knownHost(r.Host, names) {
				WriteError(w, r, log, waybill.Errorf(waybill.Denied,
					"this server does not answer to the name %q (set its public URL to allow a name)", r.Host))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func knownHost(hostport string, names []string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" {
		return true
	}
	return slices.ContainsFunc(names, func(n string) bool { return n == AnyHost || strings.EqualFold(n, host) })
}
