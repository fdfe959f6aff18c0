package build

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digestid "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// findBase looks a base image up in the engine; ok is false for one that the engine would have to pull.
type findBase func(ctx context.Context, ref string) (id string, config dockerspec.DockerOCIImage, ok bool, err error)

// baseImages maps every image that the build needs to its id, or to its name as long as the engine does not have it.
// It converts the Dockerfile as the build will, so it sees arguments in FROM, COPY --from and unused stages as the
// build does, and finds the same mistakes. Nothing is fetched.
func baseImages(ctx context.Context, s *source, spec waybill.Build, find findBase) (map[string]string, error) {
	bases := &baseRecorder{find: find, found: map[string]string{}}
	opt := dockerfile2llb.ConvertOpt{
		Config:         dockerui.Config{BuildArgs: buildArgs(spec), Target: spec.Target},
		TargetPlatform: s.platform,
		MetaResolver:   bases,
	}
	if _, _, _, _, err := dockerfile2llb.Dockerfile2LLB(ctx, s.dockerfileText, opt); err != nil {
		return nil, (&failure{source: s}).explain(ctx, err)
	}
	return bases.found, nil
}

// baseRecorder answers questions about base images and remembers them.
type baseRecorder struct {
	find  findBase
	mu    sync.Mutex
	found map[string]string
}

// ResolveImageConfig implements llb.ImageMetaResolver. The config of an image that is not here is empty.
func (b *baseRecorder) ResolveImageConfig(
	ctx context.Context, ref string, _ sourceresolver.Opt,
) (string, digestid.Digest, []byte, error) {
	id, config, ok, err := b.find(ctx, ref)
	if err != nil {
		return "", "", nil, err
	}
	if !ok {
		id, config.Platform = ref, platforms.DefaultSpec()
	}
	b.mu.Lock()
	b.found[ref] = id
	b.mu.Unlock()
	text, err := json.Marshal(config)
	return ref, "", text, err
}

// findBase implements findBase with the engine.
func (e *Engine) findBase(ctx context.Context, ref string) (id string, config dockerspec.DockerOCIImage, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, e.limit)
	defer cancel()
	got, err := e.docker.ImageInspect(ctx, ref)
	if errdefs.IsNotFound(err) {
		return "", config, false, nil
	}
	if err != nil {
		return "", config, false, engineError(err, "look up base image")
	}
	config.Platform = ocispecs.Platform{Architecture: got.Architecture, OS: got.Os, Variant: got.Variant}
	if got.Config != nil {
		config.Config.OnBuild = got.Config.OnBuild
	}
	return got.ID, config, true, nil
}
