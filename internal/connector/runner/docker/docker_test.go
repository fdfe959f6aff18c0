package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/connector/runner/runnertest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestContract(t *testing.T) {
	t.Parallel()
	runnertest.Run(t, func(t *testing.T) runnertest.Fixture {
		t.Helper()
		a, b := open(t), open(t)
		a.network = internalNetwork(t, a)
		return runnertest.Fixture{Backend: a, Other: b, Image: busybox(t, a)}
	})
}

// open returns an engine for a new installation.
func open(t *testing.T) *Engine {
	t.Helper()
	e, err := Open(Options{Installation: rand.Text()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := e.api.Ping(t.Context()); err != nil {
		t.Fatalf("no Docker Engine answers; install and start docker.io: %v", err)
	}
	return e
}

// internalNetwork makes a network from which nothing outside the engine can be reached.
func internalNetwork(t *testing.T, e *Engine) string {
	t.Helper()
	name := "waybill-runnertest-" + strings.ToLower(rand.Text())
	if _, err := e.api.NetworkCreate(t.Context(), name, network.CreateOptions{Internal: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.api.NetworkRemove(context.WithoutCancel(t.Context()), name); err != nil {
			t.Errorf("remove the network: %v", err)
		}
	})
	return name
}

// busybox imports the image of the suite and removes it at the end.
func busybox(t *testing.T, e *Engine) string {
	t.Helper()
	name := "waybill-runnertest:" + strings.ToLower(rand.Text())
	answer, err := e.api.ImageImport(t.Context(), image.ImportSource{Source: rootFS(t), SourceName: "-"}, name, image.ImportOptions{
		Changes: []string{`ENTRYPOINT ["/bin/false"]`, "ENV COLOR=red KEPT=yes PATH=/bin", "VOLUME /data", "HEALTHCHECK CMD /bin/true"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, answer); err != nil {
		t.Fatal(err)
	}
	if err := answer.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := e.api.ImageRemove(context.WithoutCancel(t.Context()), name, image.RemoveOptions{Force: true})
		if err != nil {
			t.Errorf("remove the image: %v", err)
		}
	})
	return name
}

// rootFS packs the machine's static BusyBox with links for its applets.
func rootFS(t *testing.T) io.Reader {
	t.Helper()
	path, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatalf("install busybox-static: %v", err)
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	applets, err := exec.CommandContext(t.Context(), path, "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	add := func(h tar.Header, content []byte) {
		h.Size = int64(len(content))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"bin/", "data/", "etc/", "tmp/"} {
		add(tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755}, nil)
	}
	add(tar.Header{Typeflag: tar.TypeReg, Name: "bin/busybox", Mode: 0o755}, binary)
	for _, name := range strings.Fields(string(applets)) {
		if name != "busybox" {
			add(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + name, Linkname: "/bin/busybox", Mode: 0o777}, nil)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &buf
}

// The first requests of an engine may come together. The race detector is the judge.
func TestFirstRequestsTogether(t *testing.T) {
	t.Parallel()
	for range 20 {
		e, err := Open(Options{Installation: rand.Text()})
		if err != nil {
			t.Fatal(err)
		}
		var together errgroup.Group
		together.Go(func() error { _, err := e.List(t.Context()); return err })
		together.Go(func() error { return e.Remove(t.Context(), rand.Text()) })
		if err := errors.Join(together.Wait(), e.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestEngineAway(t *testing.T) {
	t.Parallel()
	e, err := Open(Options{Installation: "test", Host: "unix://" + filepath.Join(t.TempDir(), "none.sock")})
	if err != nil {
		t.Fatal(err)
	}
	_, startErr := e.Start(t.Context(), runner.Spec{Name: "x", Image: "x", Command: []string{"x"}})
	_, waitErr := e.Wait(t.Context(), "x", io.Discard, io.Discard)
	_, listErr := e.List(t.Context())
	for name, err := range map[string]error{
		"Start": startErr, "Wait": waitErr, "List": listErr,
		"Stop": e.Stop(t.Context(), "x", 0), "Remove": e.Remove(t.Context(), "x"),
	} {
		if !waybill.IsCode(err, waybill.Unavailable) {
			t.Errorf("%s: %v (%s), want unavailable", name, err, waybill.CodeOf(err))
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	if _, err := Open(Options{}); !waybill.IsCode(err, waybill.Internal) {
		t.Errorf("no installation: %v", err)
	}
	if _, err := Open(Options{Installation: "x", Host: "nonsense"}); !waybill.IsCode(err, waybill.Invalid) {
		t.Errorf("host without a scheme: %v", err)
	}
}

func TestNoProgram(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		stderr string
		code   int
		want   string
	}{
		{"[FATAL tini (7)] exec /bin/feed failed: No such file or directory\n", 127, "the image cannot run /bin/feed: no such file or directory"},
		{"[FATAL tini (7)] exec /bin/feed failed: Exec format error\n", 1, "the image cannot run /bin/feed: exec format error"},
		{"[FATAL tini (7)] exec /bin/feed failed: No such file or directory\n", 3, ""},
		{"sh: nope: not found\n", 127, ""},
		{"[FATAL tini (7)] exec /bin/feed", 127, ""},
		{"", 127, ""},
	} {
		if got, ok := noProgram(test.stderr, test.code); got != test.want || ok != (test.want != "") {
			t.Errorf("noProgram(%q, %d) = %q, %v; want %q", test.stderr, test.code, got, ok, test.want)
		}
	}
}

func TestOutputSkipsWhatItPassedOn(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	o := &output{w: &buf}
	for _, s := range []string{"one ", "two "} {
		if n, err := io.WriteString(o, s); n != 4 || err != nil {
			t.Fatal(n, err)
		}
	}
	o.rewind()
	for _, s := range []string{"one", " two three", " four"} {
		if n, err := io.WriteString(o, s); n != len(s) || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := buf.String(); got != "one two three four" {
		t.Errorf("passed on %q", got)
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`Error response from daemon: OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "x": executable file not found in $PATH: unknown`: `exec: "x": executable file not found in $PATH`,
		"Error response from daemon: Minimum memory limit allowed is 6MB": "Minimum memory limit allowed is 6MB",
	} {
		if got := clean(errors.New(in)); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}
