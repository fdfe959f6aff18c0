// Package httpserver is what every HTTP face stands on: the middleware around a mux, the one table from error codes to
// HTTP statuses, and problem documents (RFC 9457). It knows no resource and no page.
package httpserver
