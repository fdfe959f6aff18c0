package github

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Examine tries the credentials and what they may do in r. Nothing is changed: what needs write access is tried on a
// commit that does not exist, which GitHub refuses differently from one who may not.
func (f *Forge) Examine(ctx context.Context, r waybill.Repository) []forge.Finding {
	var out forge.Report
	known := f.examineApp
	if f.o.App == nil {
		known = f.examineToken
	}
	if !known(ctx, &out) || r.Path == "" && r.ForgeID == "" {
		return out
	}
	f.examineRepository(ctx, &out, r)
	return out
}

// examineToken says whose token it is, until when, and which scopes it has.
func (f *Forge) examineToken(ctx context.Context, out *forge.Report) bool {
	user, resp, err := f.withToken("examine").Users.Get(ctx, "")
	if err = f.fault(ctx, err); waybill.IsCode(err, waybill.Unauthenticated) {
		err = waybill.Wrap(waybill.Unauthenticated, err, f.web.Host+" does not know the token: it is wrong, expired or revoked; make a new one in Settings, Developer settings")
	}
	if err != nil {
		return out.Add(err, "token", "")
	}
	says := "belongs to " + user.GetLogin()
	end := resp.TokenExpiration.Time
	if !end.IsZero() {
		says += ", ends on " + end.UTC().Format(time.DateOnly)
	}
	out.Add(nil, "token", says)
	if err := forge.Ending(end, f.o.Now()); err != nil {
		out.Add(err, "token", "")
	}
	scopes, classic := resp.Header["X-Oauth-Scopes"]
	if !classic {
		out.Add(nil, "scopes", "a fine-grained token does not tell its permissions; each is tried in a repository")
		return true
	}
	out.Add(missingScopes(strings.Join(scopes, ",")), "scopes", strings.Join(scopes, ", "))
	return true
}

// missingScopes says which scopes of a classic token are missing.
func missingScopes(list string) error {
	has := map[string]bool{}
	for s := range strings.SplitSeq(list, ",") {
		has[strings.TrimSpace(s)] = true
	}
	var missing []string
	if !has["repo"] && !has["repo:status"] {
		missing = append(missing, "repo:status (to write statuses; repo for private repositories)")
	}
	if !has["repo"] && !has["public_repo"] {
		missing = append(missing, "public_repo (to comment; repo for private repositories)")
	}
	if !has["repo"] && !has["admin:repo_hook"] && !has["write:repo_hook"] {
		missing = append(missing, "admin:repo_hook (to install webhooks)")
	}
	if len(missing) > 0 {
		return waybill.Errorf(waybill.Denied, "the token lacks %s", strings.Join(missing, ", "))
	}
	return nil
}

// examineApp says which App it is and which rights it has.
func (f *Forge) examineApp(ctx context.Context, out *forge.Report) bool {
	c, err := f.asApp("examine")
	if err != nil {
		return out.Add(err, "app", "")
	}
	app, _, err := c.Apps.Get(ctx, "")
	if err = f.fault(ctx, err); waybill.IsCode(err, waybill.Unauthenticated) {
		err = waybill.Wrap(waybill.Unauthenticated, err, f.web.Host+" does not accept the key of the App: id and key do not belong together, the key was deleted, or this machine's clock is wrong")
	}
	if !out.Add(err, "app", "is "+app.GetSlug()) {
		return false
	}
	out.Add(lacking(app.GetPermissions()), "rights", "checks, contents, metadata and pull requests as needed")
	return true
}

// lacking says which rights of an App are missing.
func lacking(p *github.InstallationPermissions) error {
	var missing []string
	for _, right := range []struct{ name, has, wants string }{
		{"checks", p.GetChecks(), "write"}, {"pull_requests", p.GetPullRequests(), "write"}, {"contents", p.GetContents(), "read"},
	} {
		if right.has != right.wants && right.has != "write" {
			missing = append(missing, right.name+": "+right.wants)
		}
	}
	if len(missing) > 0 {
		return waybill.Errorf(waybill.Denied, "the App lacks %s; grant it in the App's settings and accept it in the installation", strings.Join(missing, ", "))
	}
	return nil
}

// examineRepository tries what Waybill does in a repository.
func (f *Forge) examineRepository(ctx context.Context, out *forge.Report, r waybill.Repository) {
	ask := waybill.Repository{ForgeID: r.ForgeID}
	if r.ForgeID == "" {
		ask = waybill.Repository{URL: f.web.JoinPath(r.Path).String()}
	}
	found, err := f.find(ctx, ask)
	if !out.Repository(f.fault(ctx, err), r.Path, found.GetArchived(), "is there, default branch "+found.GetDefaultBranch()) {
		return
	}
	r.Path = found.GetFullName()
	out.Add(f.tryWrite(ctx, r), f.writes()+" of "+r.Path, "may be written")
	if f.o.App != nil {
		return
	}
	if h, err := f.hooks(ctx, "examine", r); err == nil {
		out.Hook(ctx, h, r)
	}
}

func (f *Forge) writes() string {
	if f.o.App != nil {
		return "check runs"
	}
	return "statuses"
}

// tryWrite writes to a commit that does not exist: who may is told so, who may not is told that.
func (f *Forge) tryWrite(ctx context.Context, r waybill.Repository) error {
	m := forge.Message{Commit: strings.Repeat("0", 40), Statuses: []waybill.Status{{Context: waybill.AggregateContext, State: waybill.StatePending}}}
	c, at, err := f.open(ctx, "examine", r)
	if err != nil {
		return err
	}
	if f.o.App != nil {
		w := runWriter{Forge: f, client: c, at: at, commit: m.Commit, m: m, runs: map[string]shownRun{}}
		err = w.state(ctx, m.Statuses[0], nil)
	} else {
		w := statusWriter{Forge: f, client: c, at: at, commit: m.Commit}
		err = w.write(ctx, m.Statuses[0])
	}
	var refusal *forge.Refusal
	if errors.As(err, &refusal) && refusal.Status == http.StatusUnprocessableEntity {
		return nil
	}
	if waybill.IsCode(err, waybill.NotFound) || waybill.IsCode(err, waybill.Denied) {
		return waybill.Wrap(waybill.Denied, err, "the credentials may not write "+f.writes()+" (token: scope repo:status, or Commit statuses, read and write; App: Checks, read and write)")
	}
	return err
}
