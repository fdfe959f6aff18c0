package build

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// manyFiles is a commit with a Dockerfile and a .dockerignore.
type manyFiles struct {
	files  int
	ignore string
}

func (m manyFiles) Walk(_ context.Context, fn func(waybill.File) error) error {
	for i := range m.files {
		if err := fn(waybill.File{Path: fmt.Sprintf("f%d", i), Mode: 0o644}); err != nil {
			return err
		}
	}
	return nil
}

func (m manyFiles) Open(_ context.Context, name string) (io.ReadCloser, error) {
	text, ok := map[string]string{"Dockerfile": "FROM scratch\n", ".dockerignore": m.ignore}[name]
	if !ok {
		return nil, waybill.Errorf(waybill.NotFound, "no file %s", name)
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func (m manyFiles) Size(ctx context.Context, name string) (int64, error) {
	text, err := waybill.ReadFile(ctx, m, name, 1<<20)
	return int64(len(text)), err
}

// TestEndlessDockerignore: a megabyte of patterns against a hundred thousand files would take hours.
func TestEndlessDockerignore(t *testing.T) {
	t.Parallel()
	tree := manyFiles{files: 50_000, ignore: strings.Repeat("*a?b*\n", 100_000)}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := StaticDigest(ctx, Request{Tree: tree, Folder: ".", Spec: waybill.Build{Context: ".", Dockerfile: "Dockerfile"}})
	if !waybill.IsCode(err, waybill.Invalid) {
		t.Errorf("got %v, want invalid", err)
	}
}

// TestEngineThatHangs takes every request and answers none.
func TestEngineThatHangs(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(func() {
		close(over)
		server.Close()
	})
	e, err := Open(Options{Host: "tcp://" + server.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	e.limit = 50 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for name, call := range map[string]func() error{
		"find":       func() error { _, _, err := e.Find(ctx, "x"); return err },
		"tag":        func() error { return e.Tag(ctx, "x", "waybill/x:1") },
		"images":     func() error { _, err := e.Images(ctx); return err },
		"remove":     func() error { return e.Remove(ctx, "x") },
		"free bytes": func() error { _, err := e.FreeBytes(ctx); return err },
		"base image": func() error { _, _, _, err := e.findBase(ctx, "x"); return err },
	} {
		if err := call(); !waybill.IsCode(err, waybill.Unavailable) || ctx.Err() != nil {
			t.Errorf("%s: %v, want unavailable", name, err)
		}
	}
}

// giants is a commit of files of a gigabyte each.
type giants struct{ manyFiles }

func (giants) Size(context.Context, string) (int64, error) { return 1 << 30, nil }

func TestGigabytesOfContext(t *testing.T) {
	t.Parallel()
	tree := giants{manyFiles{files: 3, ignore: "f2\n"}}
	for ignore, want := range map[string]string{
		"f2": "",
		"f9": "the build context is 3072 MiB, more than 2048 MiB: list what the build does not need in .dockerignore",
	} {
		tree.ignore = ignore
		s, err := readSource(t.Context(), tree, ".", waybill.Build{Context: ".", Dockerfile: "Dockerfile"})
		if err == nil {
			err = s.measure(t.Context(), tree, ".")
		}
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("without %s: got %v, want %s", ignore, err, want)
		}
	}
}
