package build_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/build"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestBuildMakesAnImageFromATree(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	unique := rand.Text() // no cache of an earlier run knows it
	r := request(tree{
		"connectors/feed/Dockerfile": "FROM busybox:1.36\nCOPY . /app\nRUN cat /app/a/text.txt > /copy && cat /copy\n",
		"connectors/feed/a/text.txt": "hello " + unique, "connectors/feed/a/run*": "#!/bin/sh\n", "connectors/feed/link@": "a/text.txt",
		"connectors/feed/a-b/x": "x", "connectors/feed/waybill.yaml": "kind: Connector\n", "connectors/other": "outside",
	})
	r.Folder = "connectors/feed"
	r.Labels = map[string]string{"org.opencontainers.image.revision": "1234567"}
	r.Tag = build.TagName("build-test", 1, build.Content{Context: t.Name()})
	res, log := l.build(t, r)
	if got := l.run(t, res.Image, "cat", "/copy"); got != "hello "+unique {
		t.Errorf("the image holds %q", got)
	}
	listing := l.run(t, res.Image, "ls", "-lR", "/app")
	contains(t, listing, "-rwxr-xr-x", "link -> a/text.txt", "1980", "a-b")
	if strings.Contains(listing, "waybill.yaml") || strings.Contains(listing, "other") {
		t.Errorf("the context holds what does not belong there:\n%s", listing)
	}
	contains(t, log, "] FROM docker.io/library/busybox:1.36\n", "] RUN cat", " hello "+unique+"\n", "DONE")
	found, ok, err := l.Find(t.Context(), r.Tag)
	if err != nil || !ok || found.ID != res.Image || found.Size != res.Size || found.Size == 0 {
		t.Errorf("image by its tag: %+v, %v, %v; want %+v", found, ok, err, res)
	}
	if got := found.Labels["org.opencontainers.image.revision"]; got != "1234567" {
		t.Errorf("revision label is %q", got)
	}

	again, log := l.build(t, r)
	if again.Image != res.Image {
		t.Errorf("the same content made %s, before %s", again.Image, res.Image)
	}
	contains(t, log, "CACHED")
}

func TestBuildUnderstandsToday(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r := request(tree{
		"Dockerfile": `# syntax=example.org/none/dockerfile:9
FROM busybox:1.36 AS base
ARG GREETING=none
RUN <<EOF
echo "$GREETING from a here-document" > /a
echo second >> /a
EOF
COPY <<EOF /b
here file
EOF
FROM base AS wanted
COPY --link file /c
RUN --mount=type=bind,source=file,target=/mounted --mount=type=cache,target=/cache cat /mounted > /d; ls /sys/class/net > /net
FROM base
RUN false
`,
		"file": "linked " + t.Name(),
	})
	r.Spec.Target = "wanted"
	r.Spec.Args = map[string]string{"GREETING": "hi", "BUILDKIT_SYNTAX": "example.org/none/other:1"}
	res, log := l.build(t, r)
	contains(t, log, "WARN: Dockerfile:1: syntax example.org/none/dockerfile:9 is ignored", "BUILDKIT_SYNTAX is ignored")
	got := l.run(t, res.Image, "cat", "/a", "/b", "/c", "/d", "/net")
	want := "hi from a here-document\nsecond\nhere file\nlinked " + t.Name() + "linked " + t.Name() + "lo\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestBuildPrintsWholeLines(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r := request(tree{"Dockerfile": "FROM busybox:1.36\nRUN printf '10%%\\r100%%\\n\\nend' # " + rand.Text() + "\n"})
	_, log := l.build(t, r)
	if !regexp.MustCompile(`(?m)^#4 \d+\.\d{3} 100%\n#4 \d+\.\d{3} \n#4 end\n#4 DONE \d+\.\ds$`).MatchString(log) {
		t.Error(log)
	}
}

func TestBuildRunsTheSameBuildTwiceAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	unique := rand.Text()
	r := request(tree{"Dockerfile": "FROM busybox:1.36\nCOPY x y /\nRUN sleep 0.1; cat /x\n", "x": unique, "y": "y"})
	var images [4]string
	var group sync.WaitGroup
	for i := range images {
		group.Go(func() {
			mine := r
			mine.Log = nil
			res, err := l.Build(t.Context(), mine)
			if err != nil {
				t.Errorf("build %d: %v", i, err)
			}
			images[i] = res.Image
		})
	}
	group.Wait()
	for _, id := range images {
		l.forget(t, id)
		if got := l.run(t, id, "cat", "/x"); got != unique {
			t.Errorf("image %s holds %q", id, got)
		}
	}
}

func TestBuildGivesBridgeOnRequest(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r := request(tree{"Dockerfile": "FROM busybox:1.36\nRUN ls /sys/class/net; : " + rand.Text() + "\n"})
	r.Spec.Network = "bridge"
	_, log := l.build(t, r)
	contains(t, log, "eth0")
}

func TestBuildHonoursDockerignore(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	files := tree{
		"Dockerfile": "FROM busybox:1.36\nCOPY . /app\n", "keep.txt": t.Name(), "drop.log": "x", "deep/drop.log": "x",
		"deep/keep.log": "x", "secret/key": "x", ".dockerignore": "**/*.log\n!deep/keep.log\nsecret\n",
	}
	find := []string{"sh", "-c", "cd /app && find . -type f | sort"}
	res, _ := l.build(t, request(files))
	want := "./.dockerignore\n./Dockerfile\n./deep/keep.log\n./keep.txt\n"
	if got := l.run(t, res.Image, find...); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	res, _ = l.build(t, request(files.with(tree{"Dockerfile.dockerignore": "*\n!keep.txt\n"})))
	if got := l.run(t, res.Image, find...); got != "./keep.txt\n" {
		t.Errorf("with Dockerfile.dockerignore: %q", got)
	}
}

func TestBuildSeesEveryChange(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	files := tree{"Dockerfile": "FROM busybox:1.36\nCOPY x /" + t.Name() + "\n", "x": "one"}
	for _, content := range []string{"one", "two", "six", "one"} { // same length, same time
		res, _ := l.build(t, request(files.with(tree{"x": content})))
		if got := l.run(t, res.Image, "cat", "/"+t.Name()); got != content {
			t.Errorf("the image holds %q, the tree %q", got, content)
		}
	}
}

func TestBuildFetchesOnlyFromAllowedHosts(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = fmt.Fprint(w, "fetched")
	}))
	t.Cleanup(srv.Close)
	r := request(tree{"Dockerfile": "FROM busybox:1.36\nRUN true\nADD " + srv.URL + "/x /x\n"})
	host := strings.TrimPrefix(srv.URL, "http://")

	_, err := newLab(t).fail(t, r)
	want := "Dockerfile:3: ADD " + srv.URL + "/x /x: sources from " + host + " are refused: the operator of Waybill can allow this host"
	if err.Error() != want || !waybill.IsCode(err, waybill.Invalid) {
		t.Errorf("got  %v\nwant %v", err, want)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the refused host saw %d requests", n)
	}
	allowed := newLab(t, host)
	res, _ := allowed.build(t, r)
	if got := allowed.run(t, res.Image, "cat", "/x"); got != "fetched" {
		t.Errorf("from the allowed host came %q", got)
	}
}

func TestBuildEndsWithItsContext(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r := request(tree{"Dockerfile": "FROM busybox:1.36\nRUN echo started; sleep 86461\n"})
	ctx, cancel := context.WithCancelCause(t.Context())
	newer := errors.New("superseded by a newer push")
	log := &journal{on: func(line string) {
		if strings.HasSuffix(line, " started\n") {
			cancel(newer)
		}
	}}
	r.Log = log
	if _, err := l.Build(ctx, r); !errors.Is(err, newer) {
		t.Fatalf("build ended with %v\n%s", err, log)
	}
	waitGone(t, "sleep\x0086461")
}

func TestBuildEndsAtItsTimeout(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	r := request(tree{"Dockerfile": "FROM busybox:1.36\nRUN sleep 86462\n"})
	r.Spec.Timeout = time.Second
	_, err := l.fail(t, r)
	if err.Error() != "the build took longer than build.timeout, 1s" || !waybill.IsCode(err, waybill.Invalid) {
		t.Errorf("got %v", err)
	}
	waitGone(t, "sleep\x0086462")
}

// waitGone waits until no process of this machine has the command line any more.
func waitGone(t *testing.T, cmdline string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		if !isRunning(cmdline) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%q is still running", cmdline)
		}
	}
}

func isRunning(cmdline string) bool {
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, n := range names {
		if text, err := os.ReadFile(n); err == nil && strings.Contains(string(text), cmdline) {
			return true
		}
	}
	return false
}

func TestBuildWithoutAnEngine(t *testing.T) {
	t.Parallel()
	e, err := build.Open(build.Options{Host: "unix://" + filepath.Join(t.TempDir(), "none.sock")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	r := request(tree{"Dockerfile": "FROM " + testkit.BusyBox + "\n"})
	if _, err := e.Build(t.Context(), r); !waybill.IsCode(err, waybill.Unavailable) {
		t.Errorf("build: %v", err)
	}
	if _, err := e.Digest(t.Context(), r); !waybill.IsCode(err, waybill.Unavailable) {
		t.Errorf("digest: %v", err)
	}
	if _, err := e.FreeBytes(t.Context()); !waybill.IsCode(err, waybill.Unavailable) {
		t.Errorf("free bytes: %v", err)
	}
}
