package testkit

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"
)

// packBusyBox returns the installed static busybox with a link for each applet as the root file system of an image.
func packBusyBox(t testing.TB) (archive io.Reader, version string) {
	t.Helper()
	binary, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatalf("busybox is not installed: the test image needs Debian's busybox-static")
	}
	requireStatic(t, binary)
	version = regexp.MustCompile(`v(\d[\d.]*)`).FindStringSubmatch(output(t, binary) + "v0")[1]
	content, err := os.ReadFile(binary)
	if err != nil {
		t.Fatalf("read busybox: %v", err)
	}
	return rootFS(t, content, strings.Fields(output(t, binary, "--list"))), version
}

// rootFS packs a minimal root file system around the busybox binary.
func rootFS(t testing.TB, binary []byte, applets []string) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	add := func(h tar.Header, content []byte) {
		h.Size = int64(len(content))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatalf("pack %s: %v", h.Name, err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatalf("pack %s: %v", h.Name, err)
		}
	}
	for _, dir := range []string{"bin/", "dev/", "etc/", "home/", "proc/", "root/", "sys/", "usr/", "usr/bin/", "usr/sbin/", "var/"} {
		add(tar.Header{Name: dir, Typeflag: tar.TypeDir, Mode: 0o755}, nil)
	}
	add(tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}, nil)
	add(tar.Header{Name: "etc/passwd", Typeflag: tar.TypeReg, Mode: 0o644},
		[]byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n"))
	add(tar.Header{Name: "etc/group", Typeflag: tar.TypeReg, Mode: 0o644}, []byte("root:x:0:\nnogroup:x:65534:\n"))
	add(tar.Header{Name: "bin/busybox", Typeflag: tar.TypeReg, Mode: 0o755}, binary)
	for _, a := range applets {
		if a != "busybox" {
			add(tar.Header{Name: path.Join("bin", a), Typeflag: tar.TypeSymlink, Linkname: "busybox"}, nil)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatalf("pack busybox: %v", err)
	}
	return &b
}

func requireStatic(t testing.TB, binary string) {
	t.Helper()
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatalf("busybox is no ELF program: %v", err)
	}
	defer func() { _ = f.Close() }()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Fatalf("%s needs a dynamic loader: install busybox-static instead of busybox", binary)
		}
	}
}

func output(t testing.TB, binary string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), binary, args...).Output()
	if err != nil {
		t.Fatalf("run busybox: %v", err)
	}
	return string(out)
}

func drain(r io.ReadCloser) error {
	_, err := io.Copy(io.Discard, r)
	if closing := r.Close(); err == nil {
		err = closing
	}
	return err
}
