package build

import (
	"context"
	"net"
	"path"
	"time"

	"github.com/docker/docker/client"
	bkclient "github.com/moby/buildkit/client"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Options configures an Engine.
type Options struct {
	// Host is the engine's address, such as unix:///var/run/docker.sock. Empty: as the docker command finds it.
	Host string
	// AllowHosts lists the hosts that Dockerfiles may fetch http, https and git sources from, and private registries
	// that base images may come from. A port that is not the scheme's own is part of the host.
	AllowHosts []string
}

// Engine builds images in a Docker Engine and looks after them there. It is safe for concurrent use.
type Engine struct {
	docker *client.Client
	allow  []string
	limit  time.Duration // of every request but builds and pushes
}

// callTimeout bounds a request: an engine that hangs, as engines with a broken disk do, must not keep a worker for ever.
const callTimeout = time.Minute

// Open prepares the way to an engine; the engine need not answer yet. Close it after use.
func Open(o Options) (*Engine, error) {
	opts := []client.Opt{client.FromEnv, client.WithAPIVersionNegotiation()}
	if o.Host != "" {
		opts = append(opts, client.WithHost(o.Host))
	}
	cli, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, waybill.Errorf(waybill.Invalid, "docker engine address: %w", err)
	}
	return &Engine{docker: cli, allow: o.AllowHosts, limit: callTimeout}, nil
}

// Close lets go of the connections.
func (e *Engine) Close() error { return e.docker.Close() }

// Build implements [Builder].
func (e *Engine) Build(ctx context.Context, r Request) (Result, error) {
	s, err := readSource(ctx, r.Tree, r.Folder, r.Spec)
	if err == nil {
		err = s.measure(ctx, r.Tree, path.Join(r.Folder, r.Spec.Context))
	}
	if err != nil {
		return Result{}, err
	}
	warnIgnored(r, s)
	if r.Spec.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.Spec.Timeout,
			waybill.Errorf(waybill.Invalid, "the build took longer than build.timeout, %s", r.Spec.Timeout))
		defer cancel()
	}
	id, err := e.solve(ctx, s, r)
	if err != nil {
		return Result{}, err
	}
	built, found, err := e.Find(ctx, id)
	if err == nil && !found {
		err = waybill.Errorf(waybill.Unavailable, "the engine lost the image it has just built")
	}
	return Result{Image: id, Size: built.Size}, err
}

// buildkit connects to the BuildKit inside the engine.
func (e *Engine) buildkit(ctx context.Context) (*bkclient.Client, error) {
	return bkclient.New(ctx, "",
		bkclient.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return e.docker.DialHijack(ctx, "/grpc", "h2c", nil)
		}),
		bkclient.WithSessionDialer(func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
			return e.docker.DialHijack(ctx, "/session", proto, meta)
		}))
}
