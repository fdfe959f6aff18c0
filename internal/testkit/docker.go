package testkit

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
)

// BusyBox is the base image that tests build on. [Docker] makes sure that the engine has it.
const BusyBox = "busybox:1.36"

// Docker returns a client of the real engine, which has the image [BusyBox]. The test fails when no engine answers.
func Docker(t testing.TB) *client.Client {
	t.Helper()
	cli, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatalf("docker client: %v", err)
	}
	t.Cleanup(func() { _ = cli.Close() })
	if _, err := cli.Ping(t.Context()); err != nil {
		t.Fatalf("no Docker Engine answers at %s: install docker.io, start dockerd and try again: %v", cli.DaemonHost(), err)
	}
	ensureBusyBox(t, cli)
	return cli
}

// ensureBusyBox imports the base image once, also when several test binaries start together.
func ensureBusyBox(t testing.TB, cli *client.Client) {
	t.Helper()
	if hasImage(t, cli, BusyBox) {
		return
	}
	defer lockFile(t, filepath.Join(os.TempDir(), "waybill-busybox.lock"))()
	if hasImage(t, cli, BusyBox) {
		return
	}
	archive, version := packBusyBox(t)
	body, err := cli.ImageImport(t.Context(), image.ImportSource{Source: archive, SourceName: "-"}, BusyBox,
		image.ImportOptions{Changes: []string{`CMD ["sh"]`, "LABEL org.opencontainers.image.version=" + version}})
	if err != nil {
		t.Fatalf("import %s: %v", BusyBox, err)
	}
	if err := drain(body); err != nil {
		t.Fatalf("import %s: %v", BusyBox, err)
	}
	if !hasImage(t, cli, BusyBox) {
		t.Fatalf("import %s: the engine did not keep the image", BusyBox)
	}
}

func hasImage(t testing.TB, cli *client.Client, name string) bool {
	t.Helper()
	_, err := cli.ImageInspect(t.Context(), name)
	if err != nil && !errdefs.IsNotFound(err) {
		t.Fatalf("inspect image %s: %v", name, err)
	}
	return err == nil
}

// lockFile waits for an exclusive lock between processes and returns its release.
func lockFile(t testing.TB, name string) (unlock func()) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatalf("lock file: %v", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatalf("lock %s: %v", name, err)
	}
	return func() { _ = f.Close() }
}
