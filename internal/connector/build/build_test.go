package build_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/waybill-dev/waybill/internal/connector/build"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// tree is a commit in memory: path to content. A path that ends in * is executable, one that ends in @ a symbolic link.
type tree map[string]string

func (t tree) Walk(_ context.Context, fn func(waybill.File) error) error {
	for key, content := range t { // in any order: the contract promises none
		name, mode := strings.TrimRight(key, "*@"), fs.FileMode(0o644)
		switch {
		case strings.HasSuffix(key, "*"):
			mode = 0o755
		case strings.HasSuffix(key, "@"):
			mode = fs.ModeSymlink | 0o777
		}
		sum := sha1.Sum([]byte(content))
		f := waybill.File{Path: name, Mode: mode, Blob: hex.EncodeToString(sum[:])}
		if err := fn(f); err != nil {
			return err
		}
	}
	return nil
}

func (t tree) Open(_ context.Context, name string) (io.ReadCloser, error) {
	for _, suffix := range []string{"", "*", "@"} {
		if content, ok := t[name+suffix]; ok {
			return io.NopCloser(strings.NewReader(content)), nil
		}
	}
	return nil, waybill.Errorf(waybill.NotFound, "no file %s", name)
}

func (t tree) Size(ctx context.Context, name string) (int64, error) {
	text, err := waybill.ReadFile(ctx, t, name, 1<<20)
	return int64(len(text)), err
}

// with returns a copy with some files changed; empty content removes one.
func (t tree) with(changes tree) tree {
	c := maps.Clone(t)
	for k, v := range changes {
		if c[k] = v; v == "" {
			delete(c, k)
		}
	}
	return c
}

// lab is an engine under test beside a plain client that looks at what it did.
type lab struct {
	*build.Engine
	docker *client.Client
}

func newLab(t *testing.T, allow ...string) lab {
	t.Helper()
	docker := testkit.Docker(t)
	e, err := build.Open(build.Options{AllowHosts: allow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return lab{e, docker}
}

// request asks for the tree's root folder, with defaults as the schema fills them in.
func request(files tree) build.Request {
	return build.Request{
		Tree: files, Folder: ".", Log: &journal{},
		Spec: waybill.Build{Context: ".", Dockerfile: "Dockerfile", Network: "none", Timeout: time.Minute},
	}
}

// build builds r, which must succeed, and removes the image after the test. It returns the log too.
func (l lab) build(t *testing.T, r build.Request) (build.Result, string) {
	t.Helper()
	log := &journal{}
	r.Log = log
	res, err := l.Build(t.Context(), r)
	if err != nil {
		t.Fatalf("build: %v\n%s", err, log)
	}
	l.forget(t, res.Image)
	return res, log.String()
}

func (l lab) forget(t *testing.T, id string) {
	t.Helper()
	t.Cleanup(func() {
		_, _ = l.docker.ImageRemove(context.WithoutCancel(t.Context()), id, image.RemoveOptions{Force: true, PruneChildren: true})
	})
}

// fail builds r, which must fail.
func (l lab) fail(t *testing.T, r build.Request) (log string, err error) {
	t.Helper()
	written := &journal{}
	r.Log = written
	res, err := l.Build(t.Context(), r)
	if err == nil {
		l.forget(t, res.Image)
		t.Fatalf("the build succeeded\n%s", written)
	}
	return written.String(), err
}

// run executes a command in the image and returns its output.
func (l lab) run(t *testing.T, id string, cmd ...string) string {
	t.Helper()
	c, err := l.docker.ContainerCreate(t.Context(), &container.Config{Image: id, Cmd: cmd},
		&container.HostConfig{NetworkMode: "none"}, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = l.docker.ContainerRemove(context.WithoutCancel(t.Context()), c.ID, container.RemoveOptions{Force: true})
	}()
	done, failed := l.docker.ContainerWait(t.Context(), c.ID, container.WaitConditionNextExit)
	if err := l.docker.ContainerStart(t.Context(), c.ID, container.StartOptions{}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case err := <-failed:
		t.Fatal(err)
	}
	logs, err := l.docker.ContainerLogs(t.Context(), c.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = logs.Close() }()
	var out bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &out, logs); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
	on   func(line string) // called for every line
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.on != nil {
		j.on(string(p))
	}
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is missing in:\n%s", p, text)
		}
	}
}

func drain(r io.ReadCloser) error {
	_, err := io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}
