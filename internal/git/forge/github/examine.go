package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

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

// Examine tries the credentials and what they may do in r. Nothing is changed: what needs write access is tried on a
// commit that does not exist, which GitHub refuses differently from one who may not.
func (f *Forge) Examine(ctx context.Context, r waybill.Repository) []forge.Finding {
	var out report
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

// soon is how long before its end a token is worth a word.
const soon = 7 * 24 * time.Hour

// examineToken says whose token it is, until when, and which scopes it has.
func (f *Forge) examineToken(ctx context.Context, out *report) bool {
	user, resp, err := f.withToken("examine").Users.Get(ctx, "")
	if err = f.fault(ctx, err); waybill.IsCode(err, waybill.Unauthenticated) {
		err = waybill.Wrap(waybill.Unauthenticated, err, f.web.Host+" does not know the token: it is wrong, expired or revoked; make a new one in Settings, Developer settings")
	}
	if !out.add(err, "token", "") {
		return false
	}
	says := "belongs to " + user.GetLogin()
	end := resp.TokenExpiration.Time
	if !end.IsZero() {
		says += ", ends on " + end.UTC().Format("2006-01-02")
	}
	(*out)[len(*out)-1].Says = says
	if !end.IsZero() && end.Sub(f.o.Now()) < soon {
		out.add(waybill.Errorf(waybill.Unauthenticated, "the token ends on %s; make a new one now", end.UTC().Format("2006-01-02")), "token", "")
	}
	scopes, classic := resp.Header["X-Oauth-Scopes"]
	if !classic {
		out.add(nil, "scopes", "a fine-grained token does not tell its permissions; each is tried in a repository")
		return true
	}
	out.add(missingScopes(strings.Join(scopes, ",")), "scopes", strings.Join(scopes, ", "))
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
func (f *Forge) examineApp(ctx context.Context, out *report) bool {
	c, err := f.asApp("examine")
	if err != nil {
		return out.add(err, "app", "")
	}
	app, _, err := c.Apps.Get(ctx, "")
	if err = f.fault(ctx, err); waybill.IsCode(err, waybill.Unauthenticated) {
		err = waybill.Wrap(waybill.Unauthenticated, err, f.web.Host+" does not accept the key of the App: id and key do not belong together, the key was deleted, or this machine's clock is wrong")
	}
	if !out.add(err, "app", "") {
		return false
	}
	(*out)[len(*out)-1].Says = "is " + app.GetSlug()
	out.add(lacking(app.GetPermissions()), "rights", "checks, contents, metadata and pull requests as needed")
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
func (f *Forge) examineRepository(ctx context.Context, out *report, r waybill.Repository) {
	ask := waybill.Repository{ForgeID: r.ForgeID}
	if r.ForgeID == "" {
		ask = waybill.Repository{URL: f.web.JoinPath(r.Path).String()}
	}
	found, err := f.find(ctx, ask)
	if err = f.fault(ctx, err); waybill.IsCode(err, waybill.NotFound) {
		err = waybill.Wrap(waybill.NotFound, err, r.Path+" is not there, or the credentials may not see it")
	}
	if err == nil && found.GetArchived() {
		err = waybill.Errorf(waybill.Denied, "%s is archived: nothing can be written to it", found.GetFullName())
	}
	if !out.add(err, "repository "+r.Path, "is there, default branch "+found.GetDefaultBranch()) {
		return
	}
	r.Path = found.GetFullName()
	out.add(f.tryWrite(ctx, r), f.writes()+" of "+r.Path, "may be written")
	if f.o.App == nil {
		f.examineHook(ctx, out, r)
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

// examineHook says whether the hook of r is there and how GitHub's last request to it ended.
func (f *Forge) examineHook(ctx context.Context, out *report, r waybill.Repository) {
	what := "hook of " + r.Path
	c, at, err := f.open(ctx, "examine", r)
	if err != nil {
		out.add(err, what, "")
		return
	}
	there, err := f.hooks(ctx, c, at)
	if err != nil {
		out.add(f.mayNotHook(ctx, r, err), what, "")
		return
	}
	for _, h := range there {
		if r.Hook == "" || !strings.HasSuffix(h.GetConfig().GetURL(), "/"+r.Hook) {
			continue
		}
		out.add(hookTrouble(h), what, "is installed; GitHub's last request: "+lastResponse(h))
		return
	}
	out.add(waybill.Errorf(waybill.NotFound, "no hook leads here: pushes are found by polling; install it with waybill repo hook"), what, "")
}

func lastResponse(h *github.Hook) string {
	return strings.TrimSpace(fmt.Sprintf("%v %v", orNothing(h.LastResponse["code"]), orNothing(h.LastResponse["message"])))
}

func orNothing(v any) any {
	if v == nil {
		return ""
	}
	return v
}

// hookTrouble says why the hook does not work.
func hookTrouble(h *github.Hook) error {
	if !h.GetActive() {
		return waybill.Errorf(waybill.Invalid, "the hook is switched off")
	}
	if code, ok := h.LastResponse["code"].(float64); ok && (code < 200 || code > 299) {
		return waybill.Errorf(waybill.Unavailable, "GitHub's last request to the hook was answered %v: it must be reachable from there, at the public URL", lastResponse(h))
	}
	return nil
}
