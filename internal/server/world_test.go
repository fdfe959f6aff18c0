package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"github.com/waybill-dev/waybill/internal/testkit"
)

// patience bounds every wait for something that must happen.
const patience = 90 * time.Second

// world is a repository of one connector and a place for a server, of which several may run one after the other.
type world struct {
	t         testing.TB
	git       *testkit.Git
	docker    *client.Client
	bare      string
	clone     *testkit.Clone
	connector string
	dir       string
	address   string
	admin     string
	database  string // empty: SQLite
	config    string // file; empty: none
}

// nonce is the process number in four digits: what is shared with the machine and its engine has it in its name, so that
// tests of other processes are not taken for ours.
func nonce() string { return fmt.Sprintf("%04d", os.Getpid()%10000) }

// newWorld makes a repository of an example connector under a name of its own. Nothing is pushed and nothing runs yet.
func newWorld(t testing.TB, name string) *world {
	t.Helper()
	name += "-" + nonce()
	g := testkit.NewGit(t)
	w := &world{t: t, docker: testkit.Docker(t), git: g, connector: name, dir: t.TempDir(), address: freeAddress(t), admin: freeAddress(t)}
	w.bare = g.Bare(name + ".git")
	w.clone = g.Clone(w.bare, "clone")
	w.clone.Commit("Import "+name, map[string]string{
		"waybill.yaml": w.manifest(""), "Dockerfile": dockerfile, "feed": feed,
	})
	t.Cleanup(w.tidy)
	return w
}

const dockerfile = "FROM busybox:1.36\nCOPY --chmod=755 feed /bin/feed\n"

// feed prints two rows and a log record; with --check it says that it is well.
const feed = `#!/bin/sh
[ "$2" = --check ] && exit 0
echo '{"level":"info","message":"start"}'
echo '{"id":1,"greeting":"'"$GREETING"'"}'
echo '{"id":2}'
echo done >&2
`

// manifest is the connector's manifest with extra lines at the end of spec.
func (w *world) manifest(extra string) string {
	return fmt.Sprintf(`apiVersion: waybill.dev/v1
kind: Connector
metadata:
  name: %s
  title: A feed
  owner: feeds
spec:
  type: datasource
  datasource: {categories: [shop-systems]}
  application:
    command: /bin/feed
    arguments: [import]
    healthCheck: {arguments: [--check]}
  fields:
    - {key: greeting, type: input, label: Greeting, required: true}
  release: {dev: {config: {greeting: hello}}}
%s`, w.connector, extra)
}

// freeAddress returns a loopback address that nobody listens on. A server keeps it over restarts, as hooks know it.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// process is a running server.
type process struct {
	w    *world
	cmd  *exec.Cmd
	log  *output
	done chan struct{}
}

// output collects what a process prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// env is the environment of everything that runs the program.
func (w *world) env(extra ...string) []string {
	env := append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(w.dir, "state"), "WAYBILL_POLL_PLAIN=2s", "WAYBILL_LOG_LEVEL=info",
		testkit.NoRaceExitSleep)
	return append(env, extra...)
}

// start starts a server on the world's data and waits until it is ready or has died.
func (w *world) start(env ...string) *process {
	w.t.Helper()
	program, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	args := []string{"serve", "--data", filepath.Join(w.dir, "data"), "--listen", w.address, "--admin-listen", w.admin}
	if w.database != "" {
		args = append(args, "--database", w.database)
	}
	if w.config != "" {
		args = append(args, "--config", w.config)
	}
	p := &process{w: w, log: &output{}, done: make(chan struct{})}
	p.cmd = exec.Command(program, args...) // it ends by the signals that the test sends
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = w.env(env...), p.log, p.log
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait()
	}()
	w.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
		if w.t.Failed() {
			w.t.Logf("server:\n%s", p.log)
		}
	})
	w.eventually("server is ready", func() bool { return p.dead() || w.get("http://"+w.address+"/readyz") == http.StatusOK })
	return p
}

func (p *process) dead() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop asks the server to end, and waits for it.
func (p *process) stop() {
	p.w.t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.w.t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		p.w.t.Fatalf("the server does not stop:\n%s", p.log)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.w.t.Fatalf("the server stopped with exit code %d:\n%s", code, p.log)
	}
}

// get returns the status code of a page, 0 when nobody answers.
func (w *world) get(url string) int {
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// eventually waits until condition holds.
func (w *world) eventually(what string, condition func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

// waybill runs a command of the program against the server, and returns what it printed on standard output.
func (w *world) waybill(args ...string) string {
	w.t.Helper()
	out, err := w.try(args...)
	if err != nil {
		w.t.Fatalf("waybill %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// try is waybill for a command that may fail.
func (w *world) try(args ...string) (string, error) {
	w.t.Helper()
	stdout, stderr, code := w.command(args...)
	if code != 0 {
		return stdout, fmt.Errorf("exit code %d: %s", code, stderr)
	}
	return stdout, nil
}

// command runs a command of the program against the server.
func (w *world) command(args ...string) (stdout, stderr string, code int) {
	w.t.Helper()
	program, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.CommandContext(w.t.Context(), program, args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = w.env(), &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		w.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// add watches the world's repository.
func (w *world) add() { w.t.Helper(); w.waybill("repo", "add", w.bare, "--owner", "feeds") }
