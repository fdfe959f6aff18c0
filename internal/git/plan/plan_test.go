package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/plan"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const (
	main   = "refs/heads/main"
	ours   = "01REPO"
	theirs = "01OTHER"
)

// edit changes a declaration.
type edit func(*waybill.Declaration)

func declare(edits ...edit) waybill.Declaration {
	d := waybill.Declaration{
		Identity: waybill.Identity{Kind: "Connector", Name: "shop-feed", Major: 1},
		File:     "waybill.yaml", Folder: ".", Line: 1, Digest: "sha256:1",
		Lines:   map[string]int{"metadata": 3, "metadata.name": 4, "spec": 7, "spec.type": 8},
		Columns: map[string]int{"": 1, "metadata": 1, "metadata.name": 9, "spec": 1, "spec.type": 9},
		Connector: &waybill.Connector{
			Title: "Shop feed", Owner: "feeds", Type: "datasource", Flow: "default", Mode: "environment",
			Build:       waybill.Build{Context: ".", Dockerfile: "Dockerfile"},
			Application: waybill.Application{Command: "/bin/feed", HealthCheck: &waybill.HealthCheck{Arguments: []string{"--help"}}},
			Fields:      []waybill.Field{{Key: "base_url", Type: "input", Label: "Address"}},
			Categories:  []string{"shop-systems"},
		},
	}
	for _, e := range edits {
		e(&d)
	}
	return d
}

func release(outcome waybill.Outcome, commit, content string, edits ...edit) *waybill.Release {
	return &waybill.Release{ID: "01R", Declaration: declare(edits...), Environment: waybill.Dev, Commit: commit, Context: content, Outcome: outcome}
}

var (
	title     = func(d *waybill.Declaration) { d.Connector.Title = "Other" }
	fields    = func(d *waybill.Declaration) { d.Connector.Fields = nil }
	command   = func(d *waybill.Declaration) { d.Connector.Application.Command = "/bin/other" }
	target    = func(d *waybill.Declaration) { d.Connector.Build.Target = "small" }
	branch    = func(d *waybill.Declaration) { d.Connector.Release.DevBranch = "next" }
	export    = func(d *waybill.Declaration) { d.Connector.Type = "export" }
	migration = func(d *waybill.Declaration) { d.Connector.Flow = "migration" }
	arguments = func(d *waybill.Declaration) { d.Connector.Mode = "arguments" }
	second    = func(d *waybill.Declaration) { d.Major = 2 }
	folder    = func(d *waybill.Declaration) { d.Folder = "feed" }
)

func pattern(p string) edit {
	return func(d *waybill.Declaration) { d.Connector.Release.ProdTag = p }
}

// show prints changes and findings as one line each.
func show(changes []waybill.Change, findings waybill.Findings) string {
	var lines []string
	for _, c := range changes {
		line := c.Identity.String() + " " + string(c.Class)
		if c.Environment != "" {
			line += " → " + string(c.Environment)
		}
		if c.Semver != "" {
			line += " " + c.Semver
		}
		if len(c.Parts) > 0 {
			line += " [" + strings.Join(c.Parts, " ") + "]"
		}
		lines = append(lines, line)
	}
	for _, f := range findings {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

func TestCompute(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		ref          string
		edits        []edit
		newest, live *waybill.Release
		content      string
		retry        bool
		owner        string // Repository.ID that owns the name
		want         string
	}{
		// dev branch
		{name: "first push", ref: main, want: "shop-feed create → dev"},
		{name: "nothing changed", ref: main, newest: release(waybill.OK, "a", ""), want: "shop-feed unchanged"},
		{name: "title", ref: main, edits: []edit{title}, newest: release(waybill.OK, "a", ""), want: "shop-feed metadata → dev [metadata.title]"},
		{name: "fields", ref: main, edits: []edit{fields}, newest: release(waybill.OK, "a", ""), want: "shop-feed redeploy → dev [spec.fields]"},
		{name: "command", ref: main, edits: []edit{command}, newest: release(waybill.OK, "a", ""), want: "shop-feed recheck → dev [spec.application]"},
		{name: "target without contents", ref: main, edits: []edit{target}, newest: release(waybill.OK, "a", ""), want: "shop-feed rebuild → dev [spec.build]"},
		{name: "heaviest wins", ref: main, edits: []edit{title, command, fields}, newest: release(waybill.OK, "a", ""), want: "shop-feed recheck → dev [spec.application spec.fields metadata.title]"},
		{name: "content", ref: main, content: "y", newest: release(waybill.OK, "a", "x"), want: "shop-feed rebuild → dev [content]"},
		{name: "same content", ref: main, content: "x", newest: release(waybill.OK, "a", "x"), want: "shop-feed unchanged"},
		{name: "build settings that build the same image", ref: main, edits: []edit{target}, content: "x", newest: release(waybill.OK, "a", "x"), want: "shop-feed redeploy → dev [spec.build]"},
		{name: "moved", ref: main, edits: []edit{folder}, newest: release(waybill.OK, "a", ""), want: "shop-feed rebuild → dev [folder]"},
		{name: "moved with the same content", ref: main, edits: []edit{folder}, content: "x", newest: release(waybill.OK, "a", "x"), want: "shop-feed redeploy → dev [folder]"},
		{name: "second major is new", ref: main, edits: []edit{second}, want: "shop-feed@2 create → dev"},
		// other branches
		{name: "feature branch, new", ref: "refs/heads/feature", want: "shop-feed create"},
		{name: "feature branch, changed", ref: "refs/heads/feature", edits: []edit{title}, newest: release(waybill.OK, "a", ""), want: "shop-feed metadata [metadata.title]"},
		{name: "bound to another branch", ref: main, edits: []edit{branch}, want: "shop-feed create"},
		{name: "the bound branch", ref: "refs/heads/next", edits: []edit{branch}, want: "shop-feed create → dev"},
		// after a release that did not succeed
		{name: "failed, same commit", ref: main, newest: release(waybill.Failed, "b", ""), want: "shop-feed unchanged"},
		{name: "failed, same commit, retry", ref: main, newest: release(waybill.Failed, "b", ""), retry: true, want: "shop-feed create → dev"},
		{name: "failed, other commit", ref: main, newest: release(waybill.Failed, "a", ""), want: "shop-feed create → dev"},
		{name: "errored, other commit, with live", ref: main, newest: release(waybill.Errored, "a", ""), live: release(waybill.OK, "0", "", command), want: "shop-feed recheck → dev [spec.application]"},
		{name: "failed deploy of what is live", ref: main, newest: release(waybill.Failed, "a", ""), live: release(waybill.OK, "0", ""), want: "shop-feed redeploy → dev"},
		{name: "back to what is live", ref: main, newest: release(waybill.Failed, "a", "", command), live: release(waybill.OK, "0", ""), want: "shop-feed unchanged"},
		{name: "superseded, same content later", ref: main, newest: release(waybill.Superseded, "a", ""), live: release(waybill.OK, "0", "", title), want: "shop-feed redeploy → dev [metadata.title]"},
		{name: "small change over a failed build", ref: main, edits: []edit{title}, content: "y", newest: release(waybill.Failed, "a", "y"), live: release(waybill.OK, "0", "x"), want: "shop-feed rebuild → dev [content metadata.title]"},
		{name: "retry of a success", ref: main, newest: release(waybill.OK, "b", ""), retry: true, want: "shop-feed unchanged"},
		// while a release is on its way
		{name: "on its way", ref: main, newest: release(waybill.Running, "a", ""), want: "shop-feed unchanged"},
		{name: "on its way, changed", ref: main, edits: []edit{title}, newest: release(waybill.Running, "a", ""), live: release(waybill.OK, "0", "", fields), want: "shop-feed redeploy → dev [spec.fields metadata.title]"},
		{name: "on its way, back to live", ref: main, newest: release(waybill.Waiting, "a", "", command), live: release(waybill.OK, "0", ""), want: "shop-feed recheck → dev"},
		// rolled back
		{name: "rolled back, nothing changed", ref: main, newest: release(waybill.OK, "a", ""), live: release(waybill.OK, "0", "", command), want: "shop-feed unchanged"},
		// tags
		{name: "release", ref: "refs/tags/v1.2.0", newest: release(waybill.OK, "b", ""), want: "shop-feed redeploy → prod 1.2.0"},
		{name: "release dev never saw", ref: "refs/tags/v1.2.0", want: "shop-feed create → prod 1.2.0"},
		{name: "release with another content", ref: "refs/tags/v1.2.0", content: "y", newest: release(waybill.OK, "b", "x"), want: "shop-feed rebuild → prod 1.2.0 [content]"},
		{name: "tag of something else", ref: "refs/tags/nightly", newest: release(waybill.OK, "b", ""), want: "shop-feed unchanged"},
		{name: "folder tag", ref: "refs/tags/shop-feed/v1.0.0", edits: []edit{folder}, want: "shop-feed create → prod 1.0.0"},
		{name: "root tag for a folder", ref: "refs/tags/v1.0.0", edits: []edit{folder}, want: "shop-feed unchanged"},
		{name: "own pattern", ref: "refs/tags/release-1.4.2", edits: []edit{pattern("release-*")}, want: "shop-feed create → prod 1.4.2"},
		{name: "pattern within a major", ref: "refs/tags/v1.4.2", edits: []edit{pattern("v1.*")}, want: "shop-feed create → prod 1.4.2"},
		{name: "star stops at slash", ref: "refs/tags/v1.0.0/x", want: "shop-feed unchanged"},
		{name: "pre-release that the pattern names", ref: "refs/tags/v1.0.0-rc.1", edits: []edit{pattern("v*-*")}, want: "shop-feed create → prod 1.0.0-rc.1"},
		{name: "pre-release", ref: "refs/tags/v1.0.0-rc.1", want: "shop-feed unchanged\n" +
			`waybill.yaml:7:1: warning WB208: tag "v1.0.0-rc.1" releases nothing: the pattern "v*" names no pre-releases (write spec.release.prod.tag: "v*-*" to release them)`},
		{name: "other major", ref: "refs/tags/v2.0.0", want: "shop-feed unchanged\n" +
			`waybill.yaml:7:1: error WB201: tag "v2.0.0" releases nothing: no connector declares major 2, shop-feed declares 1 (write spec.version: 2 in the tagged commit, or tag a version 1.x.y)`},
		{name: "no version", ref: "refs/tags/vnext", want: "shop-feed unchanged\n" +
			`waybill.yaml:7:1: error WB201: tag "vnext" releases nothing: "next" is no version (write a version such as v1.2.0, or a narrower spec.release.prod.tag)`},
		{name: "short version", ref: "refs/tags/v1.0", want: "shop-feed unchanged\n" +
			`waybill.yaml:7:1: error WB201: tag "v1.0" releases nothing: "1.0" is no version (write a version such as v1.2.0, or a narrower spec.release.prod.tag)`},
		// refused
		{name: "name of another repository", ref: main, owner: theirs, want: `waybill.yaml:4:9: error WB102: the name "shop-feed" is taken by a connector of team feeds in another repository (choose another metadata.name)`},
		{
			name: "type", ref: main, edits: []edit{export}, newest: release(waybill.OK, "a", ""), live: release(waybill.OK, "a", ""),
			want: `waybill.yaml:8:9: error WB104: spec.type of shop-feed is "datasource" and cannot become "export" (write "datasource", or declare a new connector under another metadata.name)`,
		},
		{
			name: "flow and mode", ref: main, edits: []edit{migration, arguments}, newest: release(waybill.OK, "a", ""),
			want: `waybill.yaml:7:1: error WB105: spec.flow of shop-feed is "default" and cannot become "migration" (write "default", or declare a new connector under another metadata.name)` + "\n" +
				`waybill.yaml:7:1: error WB106: spec.execution.mode of shop-feed is "environment" and cannot become "arguments" (write "environment", or declare a new connector under another metadata.name)`,
		},
		{name: "type, before anything succeeded", ref: main, edits: []edit{export}, newest: release(waybill.Failed, "a", ""), want: "shop-feed create → dev"},
		{name: "refused on every branch", ref: "refs/heads/feature", owner: theirs, want: `waybill.yaml:4:9: error WB102: the name "shop-feed" is taken by a connector of team feeds in another repository (choose another metadata.name)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := declare(c.edits...)
			in := plan.Input{
				Wanted: []waybill.Declaration{d}, Repository: waybill.Repository{ID: ours, DefaultBranch: "main"},
				Ref: c.ref, Commit: "b", Retry: c.retry, Contents: map[string]string{d.Identity.String(): c.content},
			}
			if c.newest != nil || c.owner != "" {
				owner := c.owner
				if owner == "" {
					owner = ours
				}
				in.Observed = []waybill.Observed{{Identity: d.Identity, Owner: "feeds", Repository: owner, Newest: c.newest, Live: c.live}}
			}
			changes, findings := plan.Compute(in)
			if diff := cmp.Diff(c.want, show(changes, findings)); diff != "" {
				t.Error(diff)
			}
			for _, change := range changes {
				if change.Content != c.content || change.Wanted.Name != d.Name {
					t.Errorf("change of %v carries content %q", change.Wanted.Identity, change.Content)
				}
			}
		})
	}
}

// TestComputeMajors checks that a tag reaches only the major it names, and that one acting declaration is enough.
func TestComputeMajors(t *testing.T) {
	t.Parallel()
	changes, findings := plan.Compute(plan.Input{
		Wanted:     []waybill.Declaration{declare(), declare(second)},
		Repository: waybill.Repository{ID: ours, DefaultBranch: "main"}, Ref: "refs/tags/v2.0.1", Commit: "b",
	})
	if diff := cmp.Diff("shop-feed unchanged\nshop-feed@2 create → prod 2.0.1", show(changes, findings)); diff != "" {
		t.Error(diff)
	}
}

// TestDifferForgivesEmpty checks that what a store makes of empty lists is no change.
func TestDifferForgivesEmpty(t *testing.T) {
	t.Parallel()
	stored := declare()
	stored.Connector.Labels = map[string]string{}
	stored.Connector.Secrets = []waybill.SecretRef{}
	stored.Connector.Build.Args = map[string]string{}
	if class, parts := plan.Differ(stored, declare(), "", ""); class != waybill.Unchanged || parts != nil {
		t.Errorf("Differ = %s %v", class, parts)
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	codes := plan.Codes()
	slices.Sort(codes)
	if len(slices.Compact(codes)) != len(plan.Codes()) {
		t.Error("a code is listed twice")
	}
}
