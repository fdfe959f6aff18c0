package forge

import (
	"context"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Report collects what Examine finds.
type Report []Finding

// Add adds what came of what was tried: the error, or else says. It reports whether all is well.
func (r *Report) Add(err error, what, says string) bool {
	if err != nil {
		says = err.Error()
	}
	*r = append(*r, Finding{OK: err == nil, What: what, Says: says})
	return err == nil
}

// Repository adds what came of looking for one.
func (r *Report) Repository(err error, path string, archived bool, says string) bool {
	switch {
	case waybill.IsCode(err, waybill.NotFound):
		err = waybill.Wrap(waybill.NotFound, err, path+" is not there, or the credentials may not see it")
	case err == nil && archived:
		err = waybill.Errorf(waybill.Denied, "%s is archived: nothing can be written to it", path)
	}
	return r.Add(err, "repository "+path, says)
}

// Hook adds whether the hook of a repository is among h, and how it does.
func (r *Report) Hook(ctx context.Context, h Hooks, of waybill.Repository) {
	err := waybill.Errorf(waybill.NotFound, "no hook leads here: pushes are found by polling; install it with waybill repo hook")
	says := "is installed"
	there, failed := h.List(ctx)
	if failed != nil {
		err = failed
	}
	for _, hook := range there {
		if of.Hook != "" && strings.HasSuffix(hook.Address, "/"+of.Hook) {
			err, says = hook.Trouble, says+hook.Says
			break
		}
	}
	r.Add(err, "hook of "+of.Path, says)
}

// soon is how long before its end a token is worth a word.
const soon = 7 * 24 * time.Hour

// Ending says that a token ends soon; nil when it does not. Zero is no end.
func Ending(end, now time.Time) error {
	if end.IsZero() || end.Sub(now) >= soon {
		return nil
	}
	return waybill.Errorf(waybill.Unauthenticated, "the token ends on %s; make a new one now", end.UTC().Format(time.DateOnly))
}
