package repo_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// BenchmarkManifests validates the manifests of a real repository of 10,000 files, 1,000 of which are manifests: all of
// them, as after a start of the server, and as after a push that changed one. Both start after the fetch and come to all
// declarations.
func BenchmarkManifests(b *testing.B) {
	g := testkit.NewGit(b)
	bare := g.Bare("many.git")
	clone := g.Clone(bare, "work")
	const connectors = 1000
	files := map[string]string{}
	for i := range connectors {
		dir := fmt.Sprintf("team-%d/feed-%d/", i%20, i)
		files[dir+"waybill.yaml"] = fmt.Sprintf(connector, i, "Feed")
		files[dir+"Dockerfile"] = "FROM busybox:1.36\n"
		for j := range 8 {
			files[dir+fmt.Sprintf("src/%d.go", j)] = fmt.Sprintf("package x%d // %d\n", j, i)
		}
	}
	mirrors, err := repo.Open(filepath.Join(g.Dir, "mirrors"), repo.Options{})
	if err != nil {
		b.Fatal(err)
	}
	r := waybill.Repository{ID: "01J0", Name: "many", Owner: "feeds", URL: bare}
	push := func(message string, files map[string]string) string {
		commit := clone.Commit(message, files)
		clone.Push("main")
		if _, err := mirrors.Fetch(b.Context(), r, "refs/heads/main"); err != nil {
			b.Fatal(err)
		}
		return commit
	}
	commits := []string{push("Many", files)}
	for i := range 40 {
		commits = append(commits, push("One", map[string]string{"team-7/feed-7/waybill.yaml": fmt.Sprintf(connector, 7, fmt.Sprintf("Feed %d", i))}))
	}
	newLoader := func() *manifest.Loader {
		loader, err := manifest.New()
		if err != nil {
			b.Fatal(err)
		}
		return loader
	}
	load := func(b *testing.B, loader *manifest.Loader, commit string) {
		b.Helper()
		tree, err := mirrors.Tree(b.Context(), r, commit)
		if err != nil {
			b.Fatal(err)
		}
		got, err := loader.Load(b.Context(), tree, manifest.Options{Owner: "feeds"})
		if err != nil || len(got.Declarations) != connectors || len(got.Findings) > 0 {
			b.Fatalf("%d declarations, %v, %v", len(got.Declarations), got.Findings, err)
		}
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			load(b, newLoader(), commits[1])
		}
		report(b, 1500)
	})
	b.Run("changed", func(b *testing.B) {
		loader := newLoader()
		load(b, loader, commits[0])
		n := 0
		for b.Loop() {
			n++
			load(b, loader, commits[1+n%40])
		}
		report(b, 50)
	})
}

// report states the measured time of one round beside its target, both in milliseconds.
func report(b *testing.B, target float64) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed())/float64(time.Millisecond)/float64(b.N), "ms/op")
	b.ReportMetric(target, "target-ms/op")
}

const connector = `apiVersion: waybill.dev/v1
kind: Connector
metadata: {name: feed-%d, title: %s, owner: feeds}
spec:
  type: datasource
  datasource: {categories: [shop-systems]}
  application: {command: /bin/feed, arguments: [import], healthCheck: {arguments: [--help]}}
  fields:
    - {key: base_url, type: input, label: Shop address, required: true}
    - {key: page_size, type: select, label: Page size, default: "100", options: [{value: "100", label: "100"}, {value: "500", label: "500"}]}
  run: {schedule: "CRON_TZ=Europe/Berlin 0 */6 * * *", timeout: 30m}
`
