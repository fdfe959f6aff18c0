package build_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/build"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestDigestIdentifiesContextAndRecipe(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	files := tree{
		"feed/Dockerfile":    "ARG BASE=busybox:1.36\nFROM $BASE AS a\nCOPY . /x\nFROM scratch AS b\nCOPY --from=a /x /x\n",
		"feed/.dockerignore": "*.log\nDockerfile\ncache/*\n", "feed/a": "a", "feed/a.log": "a", "feed/sub/b": "b", "feed/run*": "x",
		"feed/link@": "a", "feed/waybill.yaml": "kind: Connector\n", "other/x": "x",
	}
	ask := func(t *testing.T, files tree, set func(*build.Request)) build.Content {
		t.Helper()
		r := request(files)
		r.Folder = "feed"
		if set != nil {
			set(&r)
		}
		c, err := l.Digest(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := ask(t, files, nil)
	if len(before.Context) != 64 || len(before.Recipe) != 64 {
		t.Fatalf("digests are %+v", before)
	}
	tests := map[string]struct {
		changes         tree
		set             func(*build.Request)
		context, recipe bool // what must change
	}{
		"nothing":          {nil, nil, false, false},
		"content":          {tree{"feed/a": "z"}, nil, true, false},
		"new file":         {tree{"feed/c": "c"}, nil, true, false},
		"removed file":     {tree{"feed/sub/b": ""}, nil, true, false},
		"renamed file":     {tree{"feed/sub/b": "", "feed/sub/c": "b"}, nil, true, false},
		"mode":             {tree{"feed/run*": "", "feed/run": "x"}, nil, true, false},
		"link target":      {tree{"feed/link@": "b"}, nil, true, false},
		"link to file":     {tree{"feed/link@": "", "feed/link": "a"}, nil, true, false},
		"ignored content":  {tree{"feed/a.log": "z"}, nil, false, false},
		"new ignored file": {tree{"feed/b.log": "z"}, nil, false, false},
		"emptied folder":   {tree{"feed/cache/x": "z"}, nil, true, false}, // the image has the folder
		"manifest":         {tree{"feed/waybill.yaml": "kind: Other\n", "feed/sub/waybill.yaml": "kind: Other\n"}, nil, false, false},
		"outside":          {tree{"other/x": "z"}, nil, false, false},
		"Dockerfile":       {tree{"feed/Dockerfile": files["feed/Dockerfile"] + "\n# more\n"}, nil, false, true},
		"commit and name":  {nil, func(r *build.Request) { r.Labels, r.Tag = map[string]string{"a": "b"}, "x:1" }, false, false},
		"target":           {nil, func(r *build.Request) { r.Spec.Target = "a" }, false, true},
		"argument":         {nil, func(r *build.Request) { r.Spec.Args = map[string]string{"A": "b"} }, false, true},
		"ignored argument": {nil, func(r *build.Request) { r.Spec.Args = map[string]string{"BUILDKIT_SYNTAX": "b"} }, false, false},
		"base image":       {nil, func(r *build.Request) { r.Spec.Args = map[string]string{"BASE": "none.example/x"} }, false, true},
		"network":          {nil, func(r *build.Request) { r.Spec.Network = "bridge" }, false, true},
		"platform":         {nil, func(r *build.Request) { r.Spec.Platform = "linux/arm64" }, false, true},
		"timeout":          {nil, func(r *build.Request) { r.Spec.Timeout = time.Hour }, false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := ask(t, files.with(tt.changes), tt.set)
			if got := after.Context != before.Context; got != tt.context {
				t.Errorf("context digest changed: %v, want %v", got, tt.context)
			}
			if got := after.Recipe != before.Recipe; got != tt.recipe {
				t.Errorf("recipe digest changed: %v, want %v", got, tt.recipe)
			}
		})
	}
}

func TestDigestKnowsTheBaseImageBehindItsName(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	base := build.Repository + "build-test-base:1"
	r := request(tree{"Dockerfile": "FROM " + base + "\n", "x": t.Name()})
	var recipes []string
	for _, content := range []string{"one", "two"} {
		b := request(tree{"Dockerfile": "FROM scratch\nCOPY x /\n", "x": t.Name() + content})
		b.Tag = base
		l.build(t, b)
		c, err := l.Digest(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		recipes = append(recipes, c.Recipe)
	}
	if recipes[0] == recipes[1] {
		t.Error("another image under the same name makes the same recipe")
	}
}

// crowd is a tree of many files.
type crowd struct {
	tree
	count int
}

func (c crowd) Walk(_ context.Context, fn func(waybill.File) error) error {
	for i := range c.count {
		if err := fn(waybill.File{Path: fmt.Sprintf("f%d", i), Mode: 0o644, Blob: "b"}); err != nil {
			return err
		}
	}
	return nil
}

func TestDigestLimitsTheContext(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	dockerfile := tree{"Dockerfile": "FROM scratch\n"}
	tests := map[string]struct {
		files crowd
		want  string
	}{
		"count": {crowd{dockerfile, 200_001}, "the build context has more than 200000 files: set build.context to a smaller folder"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(nil)
			r.Tree = tt.files
			if _, err := l.Digest(t.Context(), r); err == nil || err.Error() != tt.want || !waybill.IsCode(err, waybill.Invalid) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestTagName(t *testing.T) {
	t.Parallel()
	tag := build.TagName("shop-feed", 2, build.Content{Context: "c", Recipe: "r"})
	if rest, ok := strings.CutPrefix(tag, "waybill/shop-feed:2-"); !ok || len(rest) != 12 {
		t.Errorf("tag is %q", tag)
	}
	if tag == build.TagName("shop-feed", 2, build.Content{Context: "c", Recipe: "other"}) {
		t.Error("another recipe has the same tag")
	}
}
