package build_test

import (
	"testing"

	"github.com/waybill-dev/waybill/internal/connector/build"
)

func TestBuildMakesAnImageFromATree(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	files := tree{
		"Dockerfile": "FROM busybox:1.36\nCOPY . /app\nRUN cat /app/a/text.txt > /copy && echo built\nCMD [\"cat\", \"/copy\"]\n",
		"a/text.txt": "hello " + t.Name(), "a/run*": "#!/bin/sh\n", "link@": "a/text.txt", "waybill.yaml": "kind: Connector\n",
	}
	r := request(files)
	r.Labels = map[string]string{"org.opencontainers.image.revision": "1234567"}
	r.Tag = build.TagName("build-test", 1, build.Content{Context: "simple"})
	res, log := l.build(t, r)
	t.Log(log)
	if got := l.run(t, res.Image, "cat", "/copy"); got != "hello "+t.Name() {
		t.Errorf("the image holds %q", got)
	}
	contains(t, l.run(t, res.Image, "ls", "-lR", "/app"), "-rwxr-xr-x", "link -> a/text.txt", "1980")
	contains(t, log, "FROM docker.io/library/busybox:1.36", "built", "DONE")
}
