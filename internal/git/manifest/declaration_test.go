package manifest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// declared loads one manifest that must be legal.
func declared(t *testing.T, text string) waybill.Declaration {
	t.Helper()
	r := load(t, files{"feed/waybill.yaml": text, "feed/Dockerfile": "FROM scratch"}, manifest.Options{Owner: "feeds"})
	if len(r.Declarations) != 1 || len(r.Findings) > 0 {
		t.Fatalf("findings:\n%s", strings.Join(lines(r.Findings), "\n"))
	}
	return r.Declarations[0]
}

func TestDeclaration(t *testing.T) {
	t.Parallel()
	hundred := "100"
	got := declared(t, "# a comment\n---\n"+feed)
	want := waybill.Declaration{
		Identity: waybill.Identity{Kind: "Connector", Name: "shop-feed", Major: 1},
		File:     "feed/waybill.yaml", Folder: "feed", Line: 3, Digest: got.Digest, Lines: got.Lines, Columns: got.Columns,
		Connector: &waybill.Connector{
			Title: "Shop feed", Owner: "feeds", Labels: map[string]string{}, Type: "datasource", Flow: "default", Mode: "environment",
			Build: waybill.Build{Context: ".", Dockerfile: "Dockerfile", Args: map[string]string{}, Network: "bridge", Timeout: 20 * time.Minute},
			Application: waybill.Application{
				Command: "/bin/feed", Arguments: []string{"import"},
				HealthCheck: &waybill.HealthCheck{Arguments: []string{"--help"}, Timeout: 5 * time.Second},
			},
			Authentication: []string{},
			Fields: []waybill.Field{
				{Key: "base_url", Type: "input", Label: "Shop address", Required: true, Placeholder: "https://shop.example"},
				{
					Key: "page_size", Type: "select", Label: "Page size", Default: &hundred,
					Options: []waybill.Option{{Value: "100", Label: "100"}, {Value: "500", Label: "500"}},
				},
			},
			Categories: []string{"shop-systems"},
			Run: waybill.RunSettings{
				Schedule: "CRON_TZ=Europe/Berlin 0 */6 * * *", Timeout: 30 * time.Minute, Concurrency: "skip", CPU: "1",
				Memory: 512 << 20, Egress: []string{},
			},
			Release: waybill.ReleaseRules{
				DevConfig: map[string]string{},
				Access:    waybill.Scope{Accounts: []string{}, Projects: []string{}, Sites: []string{}},
				Targets:   waybill.Scope{Accounts: []string{}, Projects: []string{}, Sites: []string{}},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPlaces checks where a plan says that a part is wrong: at its value, or at what stands above it.
func TestPlaces(t *testing.T) {
	t.Parallel()
	d := declared(t, "# a comment\n---\n"+feed+"  release: {prod: {tag: \"x*\"}}\n  execution:\n    mode: environment\n")
	for part, want := range map[string][2]int{
		"": {3, 1}, "metadata": {5, 1}, "metadata.name": {6, 9}, "metadata.labels": {5, 1}, "spec": {9, 1}, "spec.fields": {16, 3},
		"spec.run.timeout": {19, 3}, "spec.release.prod.tag": {20, 25}, "spec.release.dev.branch": {20, 3}, "spec.execution.mode": {22, 11},
		"nothing": {3, 1},
	} {
		if line, column := d.Place(part); [2]int{line, column} != want {
			t.Errorf("%s is at %d:%d, want %v", part, line, column, want)
		}
	}
}

// TestDigest checks that the digest follows what is declared and not how it is written.
func TestDigest(t *testing.T) {
	t.Parallel()
	base := declared(t, feed).Digest
	for name, text := range map[string]string{
		"comments":         "# hello\n" + strings.ReplaceAll(feed, "\n", " # x\n"),
		"written defaults": strings.Replace(feed, "run: {", "run: {concurrency: skip, ", 1) + "  flow: default\n  version: 1\n  execution: {}\n",
		"quotes":           strings.Replace(feed, "name: shop-feed", `"name": 'shop-feed'`, 1),
		"order":            strings.Replace(feed, "  title: Shop feed\n  owner: feeds\n", "  owner: feeds\n  title: Shop feed\n", 1),
	} {
		if got := declared(t, text).Digest; got != base {
			t.Errorf("%s change the digest", name)
		}
	}
	for name, text := range map[string]string{
		"title":        strings.Replace(feed, "Shop feed", "Other", 1),
		"field order":  strings.Replace(feed, "key: base_url", "key: page_sizes", 1),
		"empty string": strings.Replace(feed, "  owner: feeds", "  owner: feeds\n  description: \"\"", 1),
	} {
		if got := declared(t, text).Digest; got == base {
			t.Errorf("another %s leaves the digest", name)
		}
	}
}

// TestFindingsNameTheirDeclaration checks which findings speak for a connector and which only for the commit.
func TestFindingsNameTheirDeclaration(t *testing.T) {
	t.Parallel()
	second := strings.Replace(feed, "type: datasource", "type: datasorce\n  version: 2", 1)
	nameless := strings.Replace(feed, "name: shop-feed", "name: X", 1)
	r := load(t, files{"Dockerfile": "x", "waybill.yaml": second + "---\n" + nameless + "---\na: [\n"}, manifest.Options{Owner: "feeds"})
	var got []string
	for _, f := range r.Findings {
		got = append(got, string(f.Code)+" "+f.Declaration)
	}
	if diff := cmp.Diff([]string{"WB015 shop-feed@2", "WB101 ", "WB005 "}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoadFolders(t *testing.T) {
	t.Parallel()
	tree := files{
		"a/waybill.yaml": feed, "a/Dockerfile": "x", "a/b/waybill.yaml": "broken: [", "waybill.yaml": "broken: [",
	}
	r := load(t, tree, manifest.Options{Owner: "feeds", Folders: []string{"a"}})
	if r.Files != 1 || len(r.Declarations) != 1 || len(r.Findings) > 0 {
		t.Errorf("Load = %d files, %d declarations, %v", r.Files, len(r.Declarations), r.Findings)
	}
	if r := load(t, tree, manifest.Options{}); r.Files != 3 || len(r.Findings) != 2 {
		t.Errorf("Load = %d files, %v", r.Files, r.Findings)
	}
}

func TestLoadNothing(t *testing.T) {
	t.Parallel()
	if r := load(t, files{"README.md": "x"}, manifest.Options{}); r.Files != 0 || r.Declarations != nil || r.Findings != nil {
		t.Errorf("Load = %+v", r)
	}
}

// failing is a tree whose storage is away.
type failing struct{ files }

func (failing) Walk(context.Context, func(waybill.File) error) error {
	return waybill.Errorf(waybill.Unavailable, "away")
}

func TestLoadPassesErrorsOn(t *testing.T) {
	t.Parallel()
	if _, err := newLoader(t).Load(t.Context(), failing{}, manifest.Options{}); !waybill.IsCode(err, waybill.Unavailable) {
		t.Errorf("Load = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newLoader(t).Load(ctx, files{"waybill.yaml": feed}, manifest.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Load = %v", err)
	}
}

// TestLoadConcurrently loads with one Loader from many goroutines.
func TestLoadConcurrently(t *testing.T) {
	t.Parallel()
	l := newLoader(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			name := fmt.Sprintf("feed-%d", i)
			tree := files{"waybill.yaml": strings.Replace(feed, "shop-feed", name, 1), "Dockerfile": "x"}
			for range 20 {
				r, err := l.Load(t.Context(), tree, manifest.Options{Owner: "feeds"})
				if err != nil || len(r.Declarations) != 1 || r.Declarations[0].Name != name {
					t.Errorf("Load = %+v, %v", r, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkLoadThousand loads a repository of a thousand connectors in as many folders.
func BenchmarkLoadThousand(b *testing.B) {
	l := newLoader(b)
	tree := files{}
	for i := range 1000 {
		folder := fmt.Sprintf("c%d/", i)
		tree[folder+"waybill.yaml"] = strings.Replace(feed, "shop-feed", fmt.Sprintf("feed-%d", i), 1)
		for j := range 9 {
			tree[folder+fmt.Sprintf("src/%d.go", j)] = "x"
		}
		tree[folder+"Dockerfile"] = "FROM scratch"
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			if r, err := l.Load(b.Context(), tree, manifest.Options{Owner: "feeds"}); err != nil || len(r.Declarations) != 1000 {
				b.Fatal(err, lines(r.Findings))
			}
		}
	})
	b.Run("one folder", func(b *testing.B) {
		for b.Loop() {
			if r, err := l.Load(b.Context(), tree, manifest.Options{Owner: "feeds", Folders: []string{"c7"}}); err != nil || len(r.Declarations) != 1 {
				b.Fatal(err, lines(r.Findings))
			}
		}
	})
}
