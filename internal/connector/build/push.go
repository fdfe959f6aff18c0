package build

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// anonymous is the empty set of credentials, base64 of {}.
const anonymous = "e30="

// pushTimeout bounds the copying of one image.
const pushTimeout = time.Hour

// Push copies an image to the registry and repository that ref names, and returns its name there by digest,
// "registry/repository@sha256:…". It reports Invalid for a ref that is none, NotFound when the engine has no such
// image, and Unavailable when the registry cannot be reached or does not take it.
func (e *Engine) Push(ctx context.Context, name, ref string) (repoDigest string, err error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", waybill.Errorf(waybill.Invalid, "%q is no image name: %w", ref, err)
	}
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	tagged := reference.TagNameOnly(named)
	before, ok, err := e.Find(ctx, name)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", waybill.Errorf(waybill.NotFound, "the engine has no image %s", name)
	}
	if err := e.Tag(ctx, before.ID, tagged.String()); err != nil {
		return "", err
	}
	if len(before.Tags) > 0 && !slices.Contains(before.Tags, tagged.String()) {
		// The name in the registry is of no use here. An image without another name would go with it.
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.limit)
			defer cancel()
			_, _ = e.docker.ImageRemove(ctx, tagged.String(), image.RemoveOptions{})
		}()
	}
	progress, err := e.docker.ImagePush(ctx, tagged.String(), image.PushOptions{RegistryAuth: anonymous})
	if err != nil {
		return "", engineError(err, "push an image")
	}
	defer func() { _ = progress.Close() }()
	digest, err := readPush(progress)
	if err != nil {
		return "", err
	}
	return reference.TrimNamed(named).String() + "@" + digest, nil
}

// readPush follows the progress of a push to its end and returns the digest of the manifest.
func readPush(progress io.Reader) (digest string, err error) {
	lines := json.NewDecoder(progress)
	for {
		var line struct {
			Error string
			Aux   struct{ Digest string }
		}
		err := lines.Decode(&line)
		switch {
		case errors.Is(err, io.EOF) && digest != "":
			return digest, nil
		case err != nil:
			return "", waybill.Wrap(waybill.Unavailable, err, "the push to the registry broke off")
		case line.Error != "":
			return "", waybill.Errorf(waybill.Unavailable, "push to the registry: %s", line.Error)
		case line.Aux.Digest != "":
			digest = line.Aux.Digest
		}
	}
}
