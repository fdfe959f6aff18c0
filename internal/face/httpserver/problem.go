package httpserver

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Problem is an error as a client sees it (RFC 9457), with the stable code of the error.
// The cause of an error is never part of it.
type Problem struct {
	Type      string       `json:"type,omitempty" doc:"Always about:blank: code says what kind of problem this is." default:"about:blank"`
	Title     string       `json:"title" doc:"The name of the HTTP status." example:"Not Found"`
	Status    int          `json:"status" doc:"The HTTP status." example:"404"`
	Code      waybill.Code `json:"code" doc:"What kind of error happened; never changes between versions." enum:"invalid,unauthenticated,denied,not_found,conflict,too_large,limited,unavailable,internal"`
	Detail    string       `json:"detail" doc:"What happened, in a sentence for people." example:"no connector shop-fed"`
	RequestID string       `json:"request_id,omitempty" doc:"Names this request in the server's log."`
	Errors    []Violation  `json:"errors,omitempty" doc:"What is wrong with the request, value by value."`
}

// Violation is one wrong value of a request.
type Violation struct {
	Location string `json:"location,omitempty" doc:"Where the value is." example:"body.url"`
	Message  string `json:"message" doc:"What is wrong with it."`
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status; the API framework asks for it.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType makes JSON a problem document; the API framework asks for it.
func (p *Problem) ContentType(ct string) string {
	if ct == "application/json" {
		return "application/problem+json"
	}
	return ct
}

// ours is all that a client learns of an error that is not a domain error.
const ours = "something went wrong on the server"

// ProblemOf returns what a client may know about err: the message of a domain error, and for any other error only
// that something went wrong here.
func ProblemOf(ctx context.Context, err error) *Problem {
	var known *Problem
	if errors.As(err, &known) {
		return known
	}
	code, detail := waybill.CodeOf(err), ours
	var tooLarge *http.MaxBytesError
	if e := (*waybill.Error)(nil); errors.As(err, &e) {
		detail = err.Error()
	} else if errors.As(err, &tooLarge) {
		code, detail = waybill.TooLarge, "the request body is too large"
	}
	return newProblem(code, StatusOf(code), detail, RequestID(ctx))
}

func newProblem(code waybill.Code, status int, detail, requestID string) *Problem {
	return &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Code: code, Detail: detail, RequestID: requestID,
	}
}

// WriteError answers a request with the problem document of err and logs the cause of an error that is ours.
func WriteError(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	LogError(r.Context(), log, err)
	write(w, r, ProblemOf(r.Context(), err))
}

func write(w http.ResponseWriter, r *http.Request, p *Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(p) // the client is gone: nobody is left to tell
	}
}

// LogError logs err with its causes when it is ours: code internal or unavailable. Other errors are the client's, who is told.
func LogError(ctx context.Context, log *slog.Logger, err error) {
	code := waybill.CodeOf(err)
	if code != waybill.Internal && code != waybill.Unavailable || errors.Is(err, context.Canceled) {
		return
	}
	log.ErrorContext(ctx, "request failed", "request_id", RequestID(ctx), "code", string(code), "error", Chain(err))
}

// Chain returns the messages of err and of the causes that domain errors keep out of theirs, outermost first.
func Chain(err error) string {
	text := err.Error()
	for e := (*waybill.Error)(nil); errors.As(err, &e) && e.Cause != nil; err = e.Cause {
		if cause := e.Cause.Error(); !strings.Contains(text, cause) {
			text += ": " + cause
		}
	}
	return text
}

// The API framework keeps its error constructors in package variables. They are replaced here, once, while the program
// is loaded, so that no two servers of one process race for it.
var _ = useProblems()

func useProblems() bool {
	huma.NewError = newFrameworkError
	huma.NewErrorWithContext = func(c huma.Context, status int, msg string, errs ...error) huma.StatusError {
		p := frameworkProblem(status, msg, errs...)
		p.RequestID = RequestID(c.Context())
		return p
	}
	return true
}

func newFrameworkError(status int, msg string, errs ...error) huma.StatusError {
	return frameworkProblem(status, msg, errs...)
}

// frameworkProblem turns what the API framework found wrong with a request into a problem document.
func frameworkProblem(status int, msg string, errs ...error) *Problem {
	p := newProblem(CodeOf(status), status, msg, "")
	for _, err := range errs {
		var detail huma.ErrorDetailer
		switch {
		case err == nil:
		case errors.As(err, &detail):
			d := detail.ErrorDetail()
			p.Errors = append(p.Errors, Violation{Location: d.Location, Message: d.Message})
		case status < http.StatusInternalServerError:
			p.Errors = append(p.Errors, Violation{Message: err.Error()})
		}
	}
	if len(p.Errors) > 0 && p.Code == waybill.Invalid {
		p.Detail = describe(p.Errors[0])
	}
	return p
}

// describe quotes a violation as a sentence for people.
func describe(v Violation) string {
	if v.Location == "" {
		return v.Message
	}
	return v.Location + ": " + v.Message
}
