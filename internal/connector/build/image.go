package build

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Image is an image in the engine.
type Image struct {
	ID      string   // "sha256:…"
	Tags    []string // of any owner
	Size    int64    // bytes
	Created time.Time
	Labels  map[string]string
}

// Find returns the image with this id or name; ok is false when the engine does not have it.
func (e *Engine) Find(ctx context.Context, name string) (found Image, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, e.limit)
	defer cancel()
	got, err := e.docker.ImageInspect(ctx, name)
	if errdefs.IsNotFound(err) {
		return Image{}, false, nil
	}
	if err != nil {
		return Image{}, false, engineError(err, "inspect an image")
	}
	created, _ := time.Parse(time.RFC3339Nano, got.Created) // images may have none
	found = Image{ID: got.ID, Tags: got.RepoTags, Size: got.Size, Created: created}
	if got.Config != nil {
		found.Labels = got.Config.Labels
	}
	return found, true, nil
}

// Exists reports whether the engine has the image.
func (e *Engine) Exists(ctx context.Context, name string) (bool, error) {
	_, ok, err := e.Find(ctx, name)
	return ok, err
}

// Tag gives an image a further name, see [TagName]. A name that another image had moves. NotFound when there is no such image.
func (e *Engine) Tag(ctx context.Context, name, tag string) error {
	ctx, cancel := context.WithTimeout(ctx, e.limit)
	defer cancel()
	return engineError(e.docker.ImageTag(ctx, name, tag), "tag an image")
}

// Images lists the images that Waybill gave a name, newest first.
func (e *Engine) Images(ctx context.Context) ([]Image, error) {
	ctx, cancel := context.WithTimeout(ctx, e.limit)
	defer cancel()
	list, err := e.docker.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("reference", Repository+"*"))})
	if err != nil {
		return nil, engineError(err, "list images")
	}
	var images []Image
	for _, i := range list {
		images = append(images, Image{ID: i.ID, Tags: i.RepoTags, Size: i.Size, Created: time.Unix(i.Created, 0).UTC(), Labels: i.Labels})
	}
	slices.SortFunc(images, func(a, b Image) int { return b.Created.Compare(a.Created) })
	return images, nil
}

// Remove takes Waybill's names from an image, and with the last name of any owner the image itself.
// An image that is not there is removed already. Conflict while a container uses it.
func (e *Engine) Remove(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, e.limit)
	defer cancel()
	found, ok, err := e.Find(ctx, name)
	if err != nil || !ok {
		return err
	}
	ours := slices.DeleteFunc(slices.Clone(found.Tags), func(t string) bool { return !strings.HasPrefix(t, Repository) })
	if len(ours) == 0 && len(found.Tags) == 0 {
		ours = []string{found.ID}
	}
	for _, t := range ours {
		_, err := e.docker.ImageRemove(ctx, t, image.RemoveOptions{PruneChildren: true})
		if err != nil && !errdefs.IsNotFound(err) {
			return engineError(err, "remove an image")
		}
	}
	return nil
}

// FreeBytes returns the space that is free where the engine keeps its images, or [math.MaxInt64] when that is not
// a folder of this machine.
func (e *Engine) FreeBytes(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, e.limit)
	defer cancel()
	info, err := e.docker.Info(ctx)
	if err != nil {
		return 0, engineError(err, "describe itself")
	}
	if !strings.HasPrefix(e.docker.DaemonHost(), "unix://") {
		return math.MaxInt64, nil
	}
	var disk syscall.Statfs_t
	err = syscall.Statfs(info.DockerRootDir, &disk)
	if errors.Is(err, syscall.ENOENT) {
		return math.MaxInt64, nil
	}
	if err != nil {
		return 0, waybill.Errorf(waybill.Internal, "free space of the engine: %w", err)
	}
	return int64(disk.Bavail) * int64(disk.Bsize), nil //nolint:gosec,unconvert // fewer than 2^63 bytes; Bsize is shorter on some systems.
}
