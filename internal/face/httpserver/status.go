package httpserver

import (
	"net/http"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// statuses is the one table from error codes to HTTP statuses. It is complete over waybill.Codes.
func statuses() map[waybill.Code]int {
	return map[waybill.Code]int{
		waybill.Invalid:         http.StatusUnprocessableEntity,
		waybill.Unauthenticated: http.StatusUnauthorized,
		waybill.Denied:          http.StatusForbidden,
		waybill.NotFound:        http.StatusNotFound,
		waybill.Conflict:        http.StatusConflict,
		waybill.TooLarge:        http.StatusRequestEntityTooLarge,
		waybill.Limited:         http.StatusTooManyRequests,
		waybill.Unavailable:     http.StatusServiceUnavailable,
		waybill.Internal:        http.StatusInternalServerError,
	}
}

// StatusOf returns the HTTP status of code; 500 for a code that is not in the table.
func StatusOf(code waybill.Code) int {
	if s, ok := statuses()[code]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// CodeOf returns the error code that says best what an HTTP status of 400 or more means.
// It serves errors that begin as a status, such as those of the API framework and of responses a client reads.
func CodeOf(status int) waybill.Code {
	for code, s := range statuses() {
		if s == status {
			return code
		}
	}
	switch {
	case status == http.StatusBadGateway || status == http.StatusGatewayTimeout:
		return waybill.Unavailable
	case status >= http.StatusInternalServerError:
		return waybill.Internal
	default:
		return waybill.Invalid
	}
}
