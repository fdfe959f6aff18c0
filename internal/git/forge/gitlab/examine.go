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

// Examine tries the token and what it may do in r. Nothing is changed: writing is tried on a commit that does not exist.
func (f *Forge) Examine(ctx context.Context, r waybill.Repository) []forge.Finding {
	var out forge.Report
	if !f.examineToken(ctx, &out) || r.Path == "" && r.ForgeID == "" {
		return out
	}
	p, err := f.project(ctx, "examine", r)
	if !out.Repository(err, r.Path, err == nil && p.Archived, "is there") {
		return out
	}
	out.Add(f.tryWrite(ctx, r), "statuses of "+r.Path, "may be written")
	if h, err := f.hooks("examine", r); err == nil {
		out.Hook(ctx, h, r)
	}
	return out
}

// examineToken says which scopes the token has and until when.
func (f *Forge) examineToken(ctx context.Context, out *forge.Report) bool {
	c, err := f.client("examine")
	if err != nil {
		return out.Add(err, "token", "")
	}
	t, err := got(c.PersonalAccessTokens.GetSinglePersonalAccessToken(gitlab.WithContext(ctx)))
	if err = f.fault(ctx, err); waybill.IsCode(err, waybill.Unauthenticated) {
		err = waybill.Wrap(waybill.Unauthenticated, err, f.web.Host+" does not know the token: it is wrong, expired or revoked; make a new one in Preferences, Access tokens")
	}
	if err == nil && !slices.Contains(t.Scopes, "api") {
		err = waybill.Errorf(waybill.Denied, "the token has the scopes %s; statuses, notes and webhooks need api", strings.Join(t.Scopes, ", "))
	}
	if err != nil {
		return out.Add(err, "token", "")
	}
	says := "is good, with the scopes " + strings.Join(t.Scopes, ", ")
	if t.ExpiresAt != nil {
		end := time.Time(*t.ExpiresAt)
		err = forge.Ending(end, f.o.Now())
		says += ", until " + end.Format(time.DateOnly)
	}
	out.Add(err, "token", says)
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
