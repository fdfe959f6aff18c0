package httpserver

import (
	"log/slog"
	"net/http"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// contentSecurityPolicy allows what the pages use and nothing else: own styles, scripts, images and event streams.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// SecurityHeaders tells browsers to keep to this server.
func SecurityHeaders() Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", contentSecurityPolicy)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("X-Frame-Options", "DENY")
			h.Set("Referrer-Policy", "same-origin")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			next.ServeHTTP(w, r)
		})
	}
}

// CheckOrigin refuses state-changing requests that a browser sends for another site, and those that carry a cookie
// but do not say which site they come from. Programs send no cookie and no Origin and pass.
func CheckOrigin(log *slog.Logger) Middleware {
	protection := http.NewCrossOriginProtection()
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			unsaid := len(r.Cookies()) > 0 && r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") == ""
			if err := protection.Check(r); err != nil || changes(r.Method) && unsaid {
				WriteError(w, r, log, waybill.Wrap(waybill.Denied, err, "a request of another site is not accepted here"))
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func changes(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}
