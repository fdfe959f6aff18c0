// Package docker runs containers on a Docker Engine, API 1.41 (Engine 20.10) or newer.
package docker

import (
	"cmp"
	"context"
	"errors"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// callTimeout bounds every request but those that wait for a program.
const callTimeout = 60 * time.Second

const oldestAPI = "1.41"

// Options say which engine to use and as whom.
type Options struct {
	Host         string // such as unix:///var/run/docker.sock; empty: DOCKER_HOST, else the default socket
	Installation string // label value that tells this Waybill's containers from those of others; required
	Network      string // network of the engine for programs that have one; empty: its default bridge
}

// Engine is a [runner.Runner] and [runner.Lister] on a Docker Engine.
type Engine struct {
	api          *client.Client
	installation string
	network      string
}

// Open prepares an Engine; it does not connect. It reports Invalid for a host that is no address.
func Open(o Options) (*Engine, error) {
	if o.Installation == "" {
		return nil, waybill.Errorf(waybill.Internal, "a container engine needs the id of the installation")
	}
	opts := []client.Opt{client.FromEnv, client.WithAPIVersionNegotiation()}
	if o.Host != "" {
		opts = append(opts, client.WithHost(o.Host))
	}
	api, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, waybill.Wrap(waybill.Invalid, err, "the address of the container engine cannot be used: "+err.Error())
	}
	return &Engine{api: api, installation: o.Installation, network: cmp.Or(o.Network, "bridge")}, nil
}

// Close closes idle connections.
func (e *Engine) Close() error {
	if err := e.api.Close(); err != nil {
		return waybill.Wrap(waybill.Internal, err, "cannot close the connection to the container engine")
	}
	return nil
}

// Stop is [runner.Runner].
func (e *Engine) Stop(ctx context.Context, id string, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, grace+callTimeout)
	defer cancel()
	seconds := int((grace + time.Second - 1) / time.Second)
	err := e.api.ContainerStop(ctx, id, container.StopOptions{Timeout: &seconds})
	if cerrdefs.IsNotFound(err) || cerrdefs.IsNotModified(err) {
		return nil
	}
	return translate(ctx, err, "stop a container")
}

// Remove is [runner.Runner].
func (e *Engine) Remove(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := e.api.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	switch {
	case cerrdefs.IsNotFound(err):
		return nil
	case cerrdefs.IsConflict(err): // somebody else is removing it: wait until it is gone
		return e.gone(ctx, id)
	}
	return translate(ctx, err, "remove a container")
}

// gone waits until the container does not exist any more.
func (e *Engine) gone(ctx context.Context, id string) error {
	err := e.ended(ctx, id, container.WaitConditionRemoved)
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	return translate(ctx, err, "remove a container")
}

// List is [runner.Lister].
func (e *Engine) List(ctx context.Context) ([]runner.Container, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	// Unlike other requests, ContainerList reads the version of the API before it makes sure that one was negotiated.
	if err := e.api.NewVersionError(ctx, oldestAPI, "listing containers"); err != nil {
		return nil, translate(ctx, err, "list containers")
	}
	found, err := e.api.ContainerList(ctx, container.ListOptions{
		All:     true,
		Filters: filters.NewArgs(filters.Arg("label", runner.LabelInstallation+"="+e.installation)),
	})
	if err != nil {
		return nil, translate(ctx, err, "list containers")
	}
	list := make([]runner.Container, 0, len(found))
	for _, c := range found {
		list = append(list, runner.Container{
			ID: c.ID, Name: nameOf(c.Names), Labels: c.Labels,
			Running: c.State == container.StateRunning, Created: time.Unix(c.Created, 0).UTC(),
		})
	}
	return list, nil
}

// nameOf returns the first name without the slash that the engine puts before it.
func nameOf(names []string) string {
	if len(names) == 0 || names[0] == "" {
		return ""
	}
	return names[0][1:]
}

// translate turns what the client reports into a waybill error. doing completes "cannot …".
func translate(ctx context.Context, err error, doing string) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return waybill.Wrap(waybill.Unavailable, errors.Join(err, context.Cause(ctx)), "interrupted: "+doing)
	case client.IsErrConnectionFailed(err):
		return waybill.Wrap(waybill.Unavailable, err, "the container engine does not answer")
	case cerrdefs.IsNotFound(err):
		return waybill.Wrap(waybill.NotFound, err, "cannot "+doing+": "+clean(err))
	case cerrdefs.IsConflict(err):
		return waybill.Wrap(waybill.Conflict, err, "cannot "+doing+": "+clean(err))
	case cerrdefs.IsInvalidArgument(err):
		return waybill.Wrap(waybill.Invalid, err, "cannot "+doing+": "+clean(err))
	case cerrdefs.IsInternal(err): // it answered, and asking again would be answered the same
		return waybill.Wrap(waybill.Internal, err, "the container engine cannot "+doing+": "+clean(err))
	default:
		return waybill.Wrap(waybill.Unavailable, err, "the container engine does not answer as it should: "+clean(err))
	}
}
