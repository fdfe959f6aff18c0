package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// examples reads the folder of the examples.
func examples(t *testing.T) files {
	t.Helper()
	tree := files{}
	root := filepath.Join("..", "..", "..", "examples")
	err := filepath.WalkDir(root, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		rel, _ := filepath.Rel(root, name)
		tree[filepath.ToSlash(rel)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// TestExamples checks that what people copy is valid, all together and each alone, and that it shows every kind.
func TestExamples(t *testing.T) {
	t.Parallel()
	tree := examples(t)
	r := load(t, tree, manifest.Options{Platform: true})
	if len(r.Findings) > 0 {
		t.Errorf("findings:\n%s", strings.Join(lines(r.Findings), "\n"))
	}
	kinds := map[string]bool{}
	for _, d := range r.Declarations {
		kinds[d.Kind] = true
	}
	for _, kind := range waybill.Kinds() {
		if !kinds[kind] {
			t.Errorf("no example of %s", kind)
		}
	}
	if r.Unchecked != 0 {
		t.Errorf("%d references of the examples lead out of them", r.Unchecked)
	}
	for folder, o := range map[string]manifest.Options{
		"shop-feed": {Owner: "feeds"}, "channel-export": {Owner: "feeds"}, "invoice-sync": {Owner: "finance-tools"}, "platform": {Platform: true},
	} {
		alone := load(t, waybill.Sub(tree, folder), o)
		if len(alone.Findings) > 0 || len(alone.Declarations) == 0 {
			t.Errorf("%s:\n%s", folder, strings.Join(lines(alone.Findings), "\n"))
		}
	}
}

// TestPlatformAppliesToOthers checks that what a server takes from the platform repository holds for the others.
func TestPlatformAppliesToOthers(t *testing.T) {
	t.Parallel()
	tree := examples(t)
	platform := load(t, waybill.Sub(tree, "platform"), manifest.Options{Platform: true})
	o := manifest.Options{
		Owner: "feeds", Policies: map[string]waybill.PolicySpec{},
		References: &manifest.References{Declarations: platform.Declarations},
	}
	for _, d := range platform.Declarations {
		if d.Platform.Policy != nil {
			o.Policies[d.Name] = *d.Platform.Policy
		}
	}
	shop := files{"Dockerfile": "FROM alpine:3\n"}
	for name, text := range tree {
		if rest, ok := strings.CutPrefix(name, "shop-feed/"); ok && rest != "Dockerfile" {
			shop[rest] = text
		}
	}
	shop["waybill.yaml"] = strings.Replace(shop["waybill.yaml"], "    timeout: 5m\n", "    timeout: 5m\n    retries: 7\n", 1)
	want := []string{
		`waybill.yaml:9:1: error WB903: policy baseline does not allow the base image "alpine:3" (allowed are: busybox:*, registry.example.org/*)`,
		"waybill.yaml:35:14: error WB904: policy baseline: a run is tried at most 5 times again; then somebody has to look",
	}
	got := lines(load(t, shop, o).Findings)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
