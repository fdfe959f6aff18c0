package docker

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Start is [runner.Runner]. The engine creates and starts in two requests; a container found between the two is started.
func (e *Engine) Start(ctx context.Context, spec runner.Spec) (runner.Container, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	id, err := e.create(ctx, spec)
	if err != nil {
		return runner.Container{}, err
	}
	c, err := e.api.ContainerInspect(ctx, id)
	if err != nil {
		return runner.Container{}, translate(ctx, err, "inspect a container")
	}
	if c.Config.Labels[runner.LabelInstallation] != e.installation {
		return runner.Container{}, waybill.Errorf(waybill.Conflict, "the container name %s is taken by another program", spec.Name)
	}
	if c.State.Status != container.StateCreated {
		return described(c), nil
	}
	if err := e.api.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		return runner.Container{}, e.refused(ctx, id, err)
	}
	if c, err = e.api.ContainerInspect(ctx, id); err != nil {
		return runner.Container{}, translate(ctx, err, "inspect a container")
	}
	return described(c), nil
}

// refused removes a container that did not start and returns why it did not.
func (e *Engine) refused(ctx context.Context, id string, err error) error {
	cause := translate(ctx, err, "start the program")
	if ctx.Err() != nil || waybill.IsCode(cause, waybill.NotFound) {
		return cause
	}
	if err := e.Remove(ctx, id); err != nil {
		return err
	}
	return cause
}

// create returns the id of the container of that name, new or old.
func (e *Engine) create(ctx context.Context, spec runner.Spec) (string, error) {
	if len(spec.Command) == 0 || spec.Command[0] == "" {
		return "", waybill.Errorf(waybill.Invalid, "there is no program to start")
	}
	old, err := e.api.ContainerInspect(ctx, spec.Name)
	if err == nil {
		return old.ID, nil
	}
	if !cerrdefs.IsNotFound(err) {
		return "", translate(ctx, err, "look for a container")
	}
	img, err := e.api.ImageInspect(ctx, spec.Image)
	if cerrdefs.IsNotFound(err) {
		return "", waybill.Wrap(waybill.NotFound, err, "the engine has no image "+spec.Image)
	}
	if err != nil {
		return "", translate(ctx, err, "inspect an image")
	}
	host, err := e.hostConfig(spec, img)
	if err != nil {
		return "", err
	}
	created, err := e.api.ContainerCreate(ctx, e.config(spec), host, nil, nil, spec.Name)
	if cerrdefs.IsConflict(err) { // somebody created it between the two requests
		if old, err = e.api.ContainerInspect(ctx, spec.Name); err == nil {
			return old.ID, nil
		}
	}
	return created.ID, translate(ctx, err, "create a container")
}

// config is what the program sees of itself.
func (e *Engine) config(spec runner.Spec) *container.Config {
	labels := maps.Clone(spec.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[runner.LabelInstallation] = e.installation
	env := make([]string, 0, len(spec.Env))
	for _, k := range slices.Sorted(maps.Keys(spec.Env)) {
		env = append(env, k+"="+spec.Env[k])
	}
	return &container.Config{
		Image:       spec.Image,
		Entrypoint:  spec.Command[:1],
		Cmd:         spec.Command[1:],
		Env:         env,
		Labels:      labels,
		Healthcheck: &container.HealthConfig{Test: []string{"NONE"}}, // of the image; it would run beside the program
	}
}

// hostConfig is the cage: contracts, section Run contract.
func (e *Engine) hostConfig(spec runner.Spec, img image.InspectResponse) (*container.HostConfig, error) {
	quota, err := cpuQuota(spec.Limits.CPU)
	if err != nil {
		return nil, err
	}
	pids := spec.Limits.PIDs
	if pids == 0 {
		pids = runner.DefaultPIDs
	}
	network := container.NetworkMode("none")
	if spec.Network {
		network = container.NetworkMode(e.network)
	}
	initProcess := true // so that signals end programs that do not handle them, and orphans are reaped
	return &container.HostConfig{
		NetworkMode:    network,
		RestartPolicy:  container.RestartPolicy{Name: container.RestartPolicyDisabled},
		CapDrop:        []string{"ALL"},
		SecurityOpt:    []string{"no-new-privileges"},
		ReadonlyRootfs: true,
		IpcMode:        container.IPCModePrivate,
		Tmpfs:          map[string]string{"/tmp": tmpOptions(spec.Limits.Memory)},
		Mounts:         volumes(img, spec.Limits.Memory),
		Init:           &initProcess,
		LogConfig:      logConfig(),
		Resources: container.Resources{
			CPUPeriod:  cpuPeriod,
			CPUQuota:   quota,
			Memory:     spec.Limits.Memory,
			MemorySwap: spec.Limits.Memory, // memory and swap together: no swap
			PidsLimit:  &pids,
			Ulimits:    []*container.Ulimit{{Name: "core"}}, // a core pattern of the host may be a program
		},
	}, nil
}

// logConfig keeps output from the beginning, so that it can be read again, up to far more than anybody reads of one
// program; beyond that the oldest is dropped before the disk fills. (The engine's "local" format would keep every byte, but 20.10 loses the
// newline after a line above 16 KiB there, which would glue two rows together.)
func logConfig() container.LogConfig {
	return container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "256m", "max-file": "2"}}
}

// tmpOptions allows as much in /tmp as in memory, for it is memory and counts there.
func tmpOptions(memory int64) string {
	o := "rw,exec,nosuid,nodev,mode=1777"
	if memory > 0 {
		o += ",size=" + strconv.FormatInt(memory, 10)
	}
	return o
}

// volumes replaces what the image declares with VOLUME, which would be space on the engine's disk without a limit,
// by empty folders in memory.
func volumes(img image.InspectResponse, memory int64) []mount.Mount {
	if img.Config == nil {
		return nil
	}
	var mounts []mount.Mount
	for _, path := range slices.Sorted(maps.Keys(img.Config.Volumes)) {
		if path != "/tmp" {
			mounts = append(mounts, mount.Mount{
				Type: mount.TypeTmpfs, Target: path, TmpfsOptions: &mount.TmpfsOptions{SizeBytes: memory, Mode: 0o1777},
			})
		}
	}
	return mounts
}

// The scheduler gives CPUQuota microseconds in each cpuPeriod. A quota above what the machine has is allowed, unlike
// with the engine's own NanoCPUs.
const (
	cpuPeriod   = 100_000
	minCPUQuota = 1_000
	maxCores    = 1 << 16
)

// cpuQuota reads a number of cores; empty is no limit. It reports Invalid for anything that is not positive.
func cpuQuota(cores string) (int64, error) {
	if cores == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(cores, 64)
	if err != nil || !(n > 0 && n <= maxCores) {
		return 0, waybill.Errorf(waybill.Invalid, "cpu %q is not a number of cores", cores)
	}
	return max(minCPUQuota, int64(n*cpuPeriod)), nil
}

// described returns what a runner.Container holds of c.
func described(c container.InspectResponse) runner.Container {
	return runner.Container{
		ID: c.ID, Name: nameOf([]string{c.Name}), Labels: c.Config.Labels,
		Running: c.State.Running, PID: c.State.Pid, Created: parseTime(c.Created), Started: parseTime(c.State.StartedAt),
	}
}

// parseTime reads a time of the engine, whose zero is the year 1.
func parseTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
