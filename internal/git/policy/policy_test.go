package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func subject() Subject {
	return Subject{
		Declaration: waybill.Declaration{
			Identity: waybill.Identity{Kind: "Connector", Name: "shop-feed", Major: 1}, File: "waybill.yaml", Line: 1,
			Lines: map[string]int{"spec.run": 14, "spec.build": 9},
		},
		Document: []byte(`{"kind": "Connector", "metadata": {"owner": "feeds"}, "spec": {"run": {"timeout": "2h", "retries": 9}}}`),
		Bases:    []string{"docker.io/library/busybox:1.36", "scratch"},
	}
}

func texts(fs waybill.Findings) []string {
	var list []string
	for _, f := range fs {
		list = append(list, f.String())
	}
	return list
}

func TestBaseImages(t *testing.T) {
	t.Parallel()
	p := Policy{Name: "images", Message: "Build on images that security has checked.", Spec: waybill.PolicySpec{BaseImages: []string{"debian:*"}}}
	want := []string{`waybill.yaml:9:1: error WB910: base image "docker.io/library/busybox:1.36" is not allowed ` +
		`(policy images: Build on images that security has checked) (allowed: debian:*)`}
	if diff := cmp.Diff(want, texts(Check(t.Context(), []Policy{p}, subject()))); diff != "" {
		t.Error(diff)
	}
	p.Spec.BaseImages = []string{"debian:*", "busybox:*"}
	if got := Check(t.Context(), []Policy{p}, subject()); len(got) != 0 {
		t.Errorf("an allowed image: %v", got)
	}
}

func TestConstraints(t *testing.T) {
	t.Parallel()
	p := Policy{Name: "limits", Message: "Runs are short here.", Spec: waybill.PolicySpec{
		Constraints: "limits.cue", Source: []byte(`Connector: spec: run: {timeout: "30m" | "1h", retries: <=3}`),
	}}
	want := []string{
		"waybill.yaml:14:1: error WB911: spec.run.retries is not what the policy allows (policy limits: Runs are short here)",
		"waybill.yaml:14:1: error WB911: spec.run.timeout is not what the policy allows (policy limits: Runs are short here)",
	}
	if diff := cmp.Diff(want, texts(Check(t.Context(), []Policy{p}, subject()))); diff != "" {
		t.Error(diff)
	}
	p.Spec.Source = []byte(`App: spec: distribution: "private"`)
	if got := Check(t.Context(), []Policy{p}, subject()); len(got) != 0 {
		t.Errorf("a policy of another kind: %v", got)
	}
	p.Spec.Source = []byte(`Connector: {`)
	if got := Check(t.Context(), []Policy{p}, subject()); len(got) != 1 || got[0].Code != Unreadable {
		t.Errorf("an unreadable policy: %v", got)
	}
}
