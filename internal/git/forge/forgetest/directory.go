package forgetest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// named keeps what Find promises.
func named(r waybill.Repository) waybill.Repository {
	return waybill.Repository{ForgeID: r.ForgeID, Path: r.Path, URL: r.URL, DefaultBranch: r.DefaultBranch, Name: r.Name}
}

func find(t *testing.T, p *Place) {
	t.Helper()
	want := named(p.Repository)
	for what, asked := range map[string]waybill.Repository{
		"by address":                 {URL: want.URL},
		"by address without .git":    {URL: strings.TrimSuffix(want.URL, ".git")},
		"by address and a slash":     {URL: strings.TrimSuffix(want.URL, ".git") + "/"},
		"by number":                  {ForgeID: want.ForgeID},
		"by number, renamed already": {ForgeID: want.ForgeID, Path: "somebody/before"},
	} {
		got, err := p.Host.Find(t.Context(), asked)
		code(t, what, err, "")
		if diff := cmp.Diff(want, named(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	for what, asked := range map[string]waybill.Repository{
		"no such address":  {URL: strings.TrimSuffix(want.URL, ".git") + "-gone"},
		"no such number":   {ForgeID: "987654321"},
		"not a repository": {URL: strings.TrimSuffix(want.URL, want.Path+".git")},
		"a trap":           {URL: strings.TrimSuffix(want.URL, ".git") + "/../../x?y#z"},
		"somewhere else":   {URL: "https://elsewhere.test/" + want.Path},
		"an odd number":    {ForgeID: "1/../2"},
	} {
		_, err := p.Host.Find(t.Context(), asked)
		code(t, what, err, waybill.NotFound, waybill.Invalid)
	}
}

// hook: one for each address, however often it is installed.
func hook(t *testing.T, p *Place) {
	t.Helper()
	r, ours, other := p.Repository, "https://waybill.test/hooks/forge/one", "https://waybill.test/hooks/forge/other"
	hooks := func(what string, want ...string) {
		t.Helper()
		if p.Hooks == nil {
			return
		}
		got := p.Hooks(t)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: hooks (-want +got):\n%s", what, diff)
		}
	}
	r.HookSecret = "a-secret-of-one-hook"
	code(t, "install", p.Host.InstallHook(t.Context(), r, ours), "")
	code(t, "install another", p.Host.InstallHook(t.Context(), r, other), "")
	r.HookSecret = "another-secret-of-one-hook"
	code(t, "install again", p.Host.InstallHook(t.Context(), r, ours), "")
	hooks("installed", ours, other)
	code(t, "remove", p.Host.RemoveHook(t.Context(), r, ours), "")
	hooks("removed", other)
	code(t, "remove again", p.Host.RemoveHook(t.Context(), r, ours), "")
	code(t, "remove another", p.Host.RemoveHook(t.Context(), r, other), "")
	hooks("removed all")
}

// examine finds nothing wrong where nothing is, and says so in words where something is.
func examine(t *testing.T, p *Place) {
	t.Helper()
	for what, r := range map[string]waybill.Repository{"forge": {}, "repository": p.Repository} {
		if len(p.Host.Examine(t.Context(), r)) == 0 {
			t.Errorf("%s: nothing was examined", what)
		}
		for _, f := range p.Host.Examine(t.Context(), r) {
			if f.What == "" || f.Says == "" {
				t.Errorf("%s: %+v says nothing", what, f)
			}
			// The suite has no hook, and a repository without one is worth a word.
			if !f.OK && !strings.Contains(f.What, "hook") {
				t.Errorf("%s: %s: %s", what, f.What, f.Says)
			}
		}
		if bad := p.Revoked.Examine(t.Context(), r); !slices.ContainsFunc(bad, func(f forge.Finding) bool { return !f.OK }) {
			t.Errorf("%s: nothing is wrong with credentials that are: %+v", what, bad)
		}
	}
	if n := len(p.Statuses(t, p.Commit)); n != 0 {
		t.Errorf("examining left %d statuses", n)
	}
}

func credentials(t *testing.T, p *Place) {
	t.Helper()
	user, password, err := p.Host.Credentials(t.Context(), p.Repository)
	code(t, "credentials", err, "")
	if user == "" || password == "" {
		t.Errorf("user %q, password of %d bytes", user, len(password))
	}
}

// revoked: credentials that are not good any more may come back, so that no work is given up.
func revoked(t *testing.T, p *Place) {
	t.Helper()
	ctx, m := t.Context(), forge.Message{Commit: p.Commit, Statuses: []waybill.Status{status("waybill", waybill.StateSuccess, "ok")}}
	_, err := p.Revoked.Write(ctx, p.Repository, m)
	code(t, "write", err, waybill.Unauthenticated)
	_, err = p.Revoked.Find(ctx, p.Repository)
	code(t, "find", err, waybill.Unauthenticated)
	_, err = p.Revoked.Comment(ctx, p.Repository, p.Pull, forge.Marker)
	code(t, "comment", err, waybill.Unauthenticated)
	code(t, "hook", p.Revoked.InstallHook(ctx, p.Repository, "https://waybill.test/x"), waybill.Unauthenticated)
}

// cutShort: who is told to stop, stops, and knows nothing of what arrived.
func cutShort(t *testing.T, p *Place) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Host.Write(ctx, p.Repository, forge.Message{Commit: p.Commit, Statuses: []waybill.Status{status("waybill", waybill.StateSuccess, "ok")}})
	code(t, "write", err, waybill.Unavailable)
	_, err = p.Host.Find(ctx, p.Repository)
	code(t, "find", err, waybill.Unavailable)
	_, err = p.Host.OpenPulls(ctx, p.Repository)
	code(t, "pulls", err, waybill.Unavailable)
}
