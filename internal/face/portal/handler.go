package portal

import (
	"errors"
	"net/http"

	"github.com/waybill-dev/waybill/internal/face/httpserver"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// handler serves one page or action. It returns an error only before its first byte.
type handler func(w http.ResponseWriter, r *http.Request) error

// handle answers with the error page when h reports an error.
func (p *Portal) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			p.fail(w, r, err)
		}
	})
}

// reading lets people in who may read; others are led to the page that says how to sign in.
func (p *Portal) reading(h handler) http.Handler {
	return p.handle(func(w http.ResponseWriter, r *http.Request) error {
		if !p.Open && !auth.From(r.Context()).Known() {
			http.Redirect(w, r, "/session", http.StatusSeeOther)
			return nil
		}
		return h(w, r)
	})
}

// acting lets people in who may change things.
func (p *Portal) acting(h handler) http.Handler {
	return p.handle(func(w http.ResponseWriter, r *http.Request) error {
		if err := auth.Allow(auth.From(r.Context()), auth.Act); err != nil {
			return err
		}
		return h(w, r)
	})
}

// missing answers paths that lead nowhere.
func (p *Portal) missing(_ http.ResponseWriter, r *http.Request) error {
	return waybill.Errorf(waybill.NotFound, "there is no page at %s", clip(r.URL.Path, 80))
}

// errorPage says what went wrong and what to do.
type errorPage struct {
	frame
	Status  int
	Code    waybill.Code
	Message string
	Next    string
	Request string // id
}

// fail answers with the error page. The cause goes to the log, never to the page.
func (p *Portal) fail(w http.ResponseWriter, r *http.Request, err error) {
	httpserver.LogError(r.Context(), p.Log, err)
	problem := httpserver.ProblemOf(r.Context(), err)
	page := errorPage{
		frame:  p.frame(r, problem.Title, ""),
		Status: problem.Status, Code: problem.Code, Message: problem.Detail,
		Next: nextAfter(problem.Code), Request: problem.RequestID,
	}
	if err := p.render(w, problem.Status, "error", page); err != nil {
		httpserver.WriteError(w, r, p.Log, errors.Join(err))
	}
}

// nextAfter says what people can do after an error of a page.
func nextAfter(code waybill.Code) string {
	switch code {
	case waybill.Unauthenticated:
		return "Sign in first: the page “Sign in” says how."
	case waybill.Denied:
		return "Ask somebody with an admin token to do it, or for a token of your own."
	case waybill.NotFound:
		return "Check the address. What was removed from Git is no longer shown."
	case waybill.Conflict:
		return "Somebody or something was faster. Go back, look at the current state, and decide again."
	case waybill.Unavailable, waybill.Limited:
		return "Try again in a moment."
	case waybill.Internal:
		return "This is ours, not yours. Send the request id to whoever runs this server."
	default:
		return "Go back and correct what was sent."
	}
}
