package portal

import (
	"net/http"

	"github.com/waybill-dev/waybill/internal/foundation/auth"
)

// sessionPage says who is signed in, and how to sign in.
type sessionPage struct {
	frame
	Known bool
	Open  bool // the pages can be read without a session
}

func (p *Portal) session(w http.ResponseWriter, r *http.Request) error {
	return p.render(w, http.StatusOK, "session", sessionPage{
		frame: p.frame(r, "Sign in", ""), Known: auth.From(r.Context()).Known(), Open: p.Open,
	})
}
