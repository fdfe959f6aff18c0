package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/plan"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func app(edits ...appEdit) waybill.Declaration {
	return waybill.Declaration{
		Identity: waybill.Identity{Kind: waybill.KindApp, Name: "invoice-sync", Major: 1},
		File:     "app/waybill.yaml", Folder: "app", Line: 1, Lines: map[string]int{"metadata.name": 4, "spec": 9}, App: invoiceSync(edits...),
	}
}

func published(version string, edits ...appEdit) waybill.Published {
	return waybill.Published{Semver: version, Declaration: app(edits...)}
}

// more prints what show leaves out.
func more(changes []waybill.Change, findings waybill.Findings) string {
	text := []string{show(changes, findings)}
	for _, c := range changes {
		for _, r := range c.Reasons {
			text = append(text, "because "+r)
		}
		if len(c.Affected) > 0 {
			text = append(text, "affects "+strings.Join(c.Affected, " "))
		}
	}
	return strings.TrimSpace(strings.Join(text, "\n"))
}

func TestComputeApps(t *testing.T) {
	t.Parallel()
	name := func(a *waybill.App) { a.Title = "Sync" }
	scope := func(a *waybill.App) { a.Scopes = append(a.Scopes, waybill.ScopeRequest{Scope: "x:read"}) }
	gone := func(a *waybill.App) { a.Install.Settings = nil }
	follow := func(a *waybill.App) { a.Release.DraftBranch = "next" }
	draft := func(edits ...appEdit) *waybill.Declaration { d := app(edits...); return &d }
	uses := []waybill.Use{{Subject: "install:beta", Environment: waybill.Prod}, {Subject: "install:acme", Environment: waybill.Prod}, {Subject: "install:test", Environment: waybill.Dev}}
	for _, c := range []struct {
		name      string
		ref       string
		edits     []appEdit
		draft     *waybill.Declaration
		published []waybill.Published
		want      string
	}{
		{"first push", main, nil, nil, nil, "app/invoice-sync create → dev\naffects install:test"},
		{"nothing changed", main, nil, draft(), nil, "app/invoice-sync unchanged"},
		{"nothing changed since the draft", main, []appEdit{scope}, draft(scope), []waybill.Published{published("1.0.0")}, "app/invoice-sync unchanged"},
		{"no draft yet", main, nil, nil, []waybill.Published{published("1.0.0")}, "app/invoice-sync patch → dev"},
		{"text", main, []appEdit{name}, draft(), nil, "app/invoice-sync patch → dev [metadata.title]"},
		{"the class is that against what is published", main, []appEdit{scope, name}, draft(scope), []waybill.Published{published("1.0.0")}, "app/invoice-sync consent → dev [metadata.title spec.scopes]\nbecause new required scope \"x:read\"\naffects install:test"},
		{"back to what is published", main, nil, draft(scope), []waybill.Published{published("1.0.0")}, "app/invoice-sync patch → dev [spec.scopes]"},
		{"feature branch", "refs/heads/feature", []appEdit{gone}, draft(), nil, "app/invoice-sync major [spec.install]\nbecause setting \"ledger\" is gone\nbecause setting \"mode\" is gone"},
		{"bound to another branch", main, []appEdit{follow}, nil, nil, "app/invoice-sync create"},
		{"the bound branch", "refs/heads/next", []appEdit{follow}, nil, nil, "app/invoice-sync create → dev\naffects install:test"},
		// tags
		{"first version", "refs/tags/v0.1.0", nil, draft(), nil, "app/invoice-sync create → prod 0.1.0\naffects install:acme install:beta"},
		{"patch", "refs/tags/v1.0.1", []appEdit{name}, draft(), []waybill.Published{published("1.0.0")}, "app/invoice-sync patch → prod 1.0.1 [metadata.title]"},
		{"nothing but a number", "refs/tags/v1.0.1", nil, draft(), []waybill.Published{published("1.0.0")}, "app/invoice-sync patch → prod 1.0.1"},
		{"consent in a new major", "refs/tags/v2.0.0", []appEdit{scope}, nil, []waybill.Published{published("1.0.0")}, "app/invoice-sync consent → prod 2.0.0 [spec.scopes]\nbecause new required scope \"x:read\"\naffects install:acme install:beta"},
		{
			"consent in the same major", "refs/tags/v1.1.0",
			[]appEdit{scope},
			nil,
			[]waybill.Published{published("1.0.0")},
			"app/invoice-sync consent 1.1.0 [spec.scopes]\n" +
				`app/waybill.yaml:9:1: error WB203: 1.1.0 after 1.0.0 promises that workspaces need not agree again, but: new required scope "x:read" (tag "v2.0.0", or take that back)` +
				"\nbecause new required scope \"x:read\"",
		},
		{
			"major in the same major", "refs/tags/v1.1.0",
			[]appEdit{gone},
			nil,
			[]waybill.Published{published("1.0.0")},
			"app/invoice-sync major 1.1.0 [spec.install]\n" +
				`app/waybill.yaml:9:1: error WB203: 1.1.0 after 1.0.0 promises that workspaces keep what they rely on, but: setting "ledger" is gone (tag "v2.0.0", or take that back)` +
				"\nbecause setting \"ledger\" is gone\nbecause setting \"mode\" is gone",
		},
		{"compared with the next lower version", "refs/tags/v1.0.1", []appEdit{name}, nil, []waybill.Published{published("2.0.0", scope), published("1.0.0"), published("0.9.0", gone)}, "app/invoice-sync patch → prod 1.0.1 [metadata.title]"},
		{"versions count as numbers", "refs/tags/v1.11.0", nil, nil, []waybill.Published{published("1.9.0", name), published("1.10.0")}, "app/invoice-sync patch → prod 1.11.0"},
		{"the same tag again", "refs/tags/v1.0.0", nil, nil, []waybill.Published{published("1.0.0")}, "app/invoice-sync unchanged"},
		{
			"a published number with other content", "refs/tags/v1.0.0", []appEdit{name}, nil, []waybill.Published{published("1.0.0")}, "app/invoice-sync patch 1.0.0 [metadata.title]\n" +
				`app/waybill.yaml:9:1: error WB202: version 1.0.0 of invoice-sync is published, and the tag "v1.0.0" holds another metadata.title (a published number never changes; tag the next one, such as "v1.0.1")`,
		},
		{"pre-release", "refs/tags/v1.0.0-rc.1", nil, nil, nil, "app/invoice-sync unchanged\n" +
			`app/waybill.yaml:9:1: warning WB208: tag "v1.0.0-rc.1" releases nothing: the pattern "v*" names no pre-releases (write spec.release.published.tag: "v*-*" to release them)`},
		{"any major", "refs/tags/v7.0.0", nil, nil, nil, "app/invoice-sync create → prod 7.0.0\naffects install:acme install:beta"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := app(c.edits...)
			changes, findings := plan.Compute(plan.Input{
				Wanted: []waybill.Declaration{d}, Repository: waybill.Repository{ID: ours, DefaultBranch: "main"}, Ref: c.ref, Commit: "b",
				Observed: []waybill.Observed{{Identity: d.Identity, Repository: ours, Declared: c.draft, Published: c.published, Uses: uses}},
			})
			if diff := cmp.Diff(c.want, more(changes, findings)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestComputeRemovals checks what is gone, what only seems so, and what a rename is.
func TestComputeRemovals(t *testing.T) {
	t.Parallel()
	team := waybill.Declaration{
		Identity: waybill.Identity{Kind: waybill.KindTeam, Name: "feeds", Major: 1}, File: "teams/waybill.yaml",
		Platform: &waybill.Platform{Team: &waybill.TeamSpec{MaxRuns: 5}},
	}
	feed, sync := declare(), app()
	stored := []waybill.Observed{
		{Identity: feed.Identity, Repository: ours, Newest: release(waybill.OK, "a", ""), Uses: []waybill.Use{{Subject: "site:feeds-dev", Environment: waybill.Dev}, {Subject: "site:shop", Environment: waybill.Prod}}},
		{Identity: sync.Identity, Repository: ours, Declared: &sync},
		{Identity: team.Identity, Repository: ours, Declared: &team, Uses: []waybill.Use{{Subject: "connector:shop-feed"}}},
	}
	renamed := declare(func(d *waybill.Declaration) { d.Name = "garden-feed" })
	smaller := team
	smaller.Platform = &waybill.Platform{Team: &waybill.TeamSpec{MaxRuns: 1}}
	all := []waybill.Declaration{feed, sync, team}
	for _, c := range []struct {
		name    string
		ref     string
		wanted  []waybill.Declaration
		broken  []waybill.Identity
		foreign bool
		want    string
	}{
		{name: "nothing is gone", ref: main, wanted: all, want: "shop-feed unchanged\napp/invoice-sync unchanged\nteam/feeds unchanged"},
		{name: "all is gone", ref: main, want: "shop-feed remove → dev\napp/invoice-sync remove → dev\nteam/feeds remove → prod\n" +
			"because dev loses it after a while; prod stays until a person removes it\naffects site:feeds-dev\n" +
			"because its draft ends; what is published stays until a person takes it back\naffects connector:shop-feed"},
		{name: "broken is not gone", ref: main, wanted: all[1:], broken: []waybill.Identity{feed.Identity}, want: "app/invoice-sync unchanged\nteam/feeds unchanged"},
		{name: "another branch", ref: "refs/heads/feature", want: ""},
		{name: "a tag", ref: "refs/tags/v1.0.0", want: ""},
		{name: "another repository", ref: main, foreign: true, want: ""},
		{name: "renamed", ref: main, wanted: []waybill.Declaration{renamed, sync, team}, want: "garden-feed create → dev\napp/invoice-sync unchanged\nteam/feeds unchanged\nshop-feed remove → dev\n" +
			"because another name is another declaration: nothing of \"shop-feed\" is carried over\naffects site:feeds-dev\n" +
			"because dev loses it after a while; prod stays until a person removes it\n" +
			"because renaming to \"garden-feed\" is deleting and creating\naffects site:feeds-dev"},
		{name: "a limit", ref: main, wanted: []waybill.Declaration{feed, sync, smaller}, want: "shop-feed unchanged\napp/invoice-sync unchanged\nteam/feeds change → prod [spec.limits]\naffects connector:shop-feed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := waybill.Repository{ID: ours, DefaultBranch: "main"}
			if c.foreign {
				r.ID = theirs
			}
			changes, findings := plan.Compute(plan.Input{Wanted: c.wanted, Broken: c.broken, Observed: stored, Repository: r, Ref: c.ref, Commit: "b"})
			if diff := cmp.Diff(c.want, more(changes, findings)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestComputeNames checks that connectors and apps share their names and other kinds have their own.
func TestComputeNames(t *testing.T) {
	t.Parallel()
	sync := app()
	feed := declare(func(d *waybill.Declaration) { d.Name = "invoice-sync" })
	team := waybill.Declaration{
		Identity: waybill.Identity{Kind: waybill.KindTeam, Name: "invoice-sync", Major: 1}, Platform: &waybill.Platform{Team: &waybill.TeamSpec{}},
	}
	changes, findings := plan.Compute(plan.Input{
		Wanted: []waybill.Declaration{feed, team}, Repository: waybill.Repository{ID: ours, DefaultBranch: "main"}, Ref: main, Commit: "b",
		Observed: []waybill.Observed{{Identity: sync.Identity, Owner: "finance-tools", Repository: theirs, Declared: &sync}},
	})
	want := "team/invoice-sync create → prod\n" +
		`waybill.yaml:4:9: error WB102: the name "invoice-sync" is taken by an app of team finance-tools in another repository (choose another metadata.name)`
	if diff := cmp.Diff(want, show(changes, findings)); diff != "" {
		t.Error(diff)
	}
}
