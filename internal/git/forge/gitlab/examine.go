package gitlab

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// report collects findings.
type report []forge.Finding

func (r *report) add(err error, what, says string) bool {
	if err != nil {
		says = err.Error()
	}
	*r = append(*r, forge.Finding{OK: err == nil, What: what, Says: says})
	return err == nil
}

// Examine tries the token and what it may do in r. Nothing is changed: writing is tried on a commit that does not exist.
func (f *Forge) Examine(ctx context.Context, r waybill.Repository) []forge.Finding {
	var out report
	if !f.examineToken(ctx, &out) || r.Path == "" && r.ForgeID == "" {
		return out
	}
	p, err := f.project(ctx, "examine", r)
	if waybill.IsCode(err, waybill.NotFound) {
		err = waybill.Wrap(waybill.NotFound, err, r.Path+" is not there, or the token may not see it")
	}
	if err == nil && p.Archived {
		err = waybill.Errorf(waybill.Denied, "%s is archived: nothing can be written to it", p.PathWithNamespace)
	}
	if !out.add(err, "repository "+r.Path, "is there") {
		return out
	}
	out.add(f.tryWrite(ctx, r), "statuses of "+r.Path, "may be written")
	f.examineHook(ctx, &out, r)
	return out
}

// soon is how long before its end a token is worth a word.
const soon = 7 * 24 * time.Hour

// examineToken says which scopes the token has and until when.
func (f *Forge) examineToken(ctx context.Context, out *report) bool {
	c, err := f.client("examine")
	if err != nil {
		return out.add(err, "token", "")
	}
	t, err := got(c.PersonalAccessTokens.GetSinglePersonalAccessToken(gitlab.WithContext(ctx)))
	if err = f.fault(ctx, err); waybill.IsCode(err, waybill.Unauthenticated) {
		err = waybill.Wrap(waybill.Unauthenticated, err, f.web.Host+" does not know the token: it is wrong, expired or revoked; make a new one in Preferences, Access tokens")
	}
	if err == nil && !slices.Contains(t.Scopes, "api") {
		err = waybill.Errorf(waybill.Denied, "the token has the scopes %s; statuses, notes and webhooks need api", strings.Join(t.Scopes, ", "))
	}
	if err != nil {
		return out.add(err, "token", "")
	}
	says := "is good, with the scopes " + strings.Join(t.Scopes, ", ")
	if t.ExpiresAt != nil {
		end := time.Time(*t.ExpiresAt)
		if end.Sub(f.o.Now()) < soon {
			err = waybill.Errorf(waybill.Unauthenticated, "the token ends on %s; make a new one now", end.Format(time.DateOnly))
		}
		says += ", until " + end.Format(time.DateOnly)
	}
	out.add(err, "token", says)
	return true
}

// tryWrite writes to a commit that does not exist: who may is told so, who may not is told that.
func (f *Forge) tryWrite(ctx context.Context, r waybill.Repository) error {
	c, project, err := f.open("examine", r)
	if err != nil {
		return err
	}
	w := statusWriter{Forge: f, client: c, project: project, commit: strings.Repeat("0", 40), begun: map[string]int64{}}
	err = w.write(ctx, waybill.Status{Context: waybill.AggregateContext, State: waybill.StatePending})
	var refusal *forge.Refusal
	if errors.As(err, &refusal) && refusal.Status == http.StatusNotFound && strings.Contains(refusal.Message, "ommit") {
		return nil
	}
	if waybill.IsCode(err, waybill.NotFound) || waybill.IsCode(err, waybill.Denied) {
		return waybill.Wrap(waybill.Denied, err, "the token may not write statuses (it needs the scope api and the role Developer)")
	}
	return err
}

// examineHook says whether the hook of r is there and whether GitLab has given it up.
func (f *Forge) examineHook(ctx context.Context, out *report, r waybill.Repository) {
	what := "hook of " + r.Path
	c, project, err := f.open("examine", r)
	if err != nil {
		out.add(err, what, "")
		return
	}
	there, err := f.hooks(ctx, c, project)
	if err != nil {
		out.add(f.mayNotHook(ctx, r, err), what, "")
		return
	}
	for _, h := range there {
		if r.Hook == "" || !strings.HasSuffix(h.URL, "/"+r.Hook) {
			continue
		}
		if h.AlertStatus != "" && h.AlertStatus != "executable" {
			err = waybill.Errorf(waybill.Unavailable, "GitLab has switched the hook off (%s) because requests to it failed: it must be reachable from there, at the public URL", h.AlertStatus)
		}
		out.add(err, what, "is installed")
		return
	}
	out.add(waybill.Errorf(waybill.NotFound, "no hook leads here: pushes are found by polling; install it with waybill repo hook"), what, "")
}
