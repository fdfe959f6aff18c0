package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Digest identifies the image that r would make, without building it. It reports Invalid for a Dockerfile that cannot
// be read and for paths outside the repository. A base image that the engine does not have yet counts by its name,
// so the recipe changes once when it has been pulled.
func (e *Engine) Digest(ctx context.Context, r Request) (Content, error) {
	return digest(ctx, r, e.findBase)
}

func digest(ctx context.Context, r Request, find findBase) (Content, error) {
	s, err := readSource(ctx, r.Tree, r.Folder, r.Spec)
	if err != nil {
		return Content{}, err
	}
	recipe, err := digestRecipe(ctx, s, r.Spec, find)
	if err != nil {
		return Content{}, err
	}
	return Content{Context: digestContext(s.context), Recipe: recipe}, nil
}

// digestContext hashes path, mode and content id of every entry. Folders count: a pattern such as "cache/*" leaves an
// empty folder, which is in the image.
func digestContext(f *files) string {
	h := sha256.New()
	_, _ = fmt.Fprintln(h, "waybill context 1")
	for _, e := range f.entries {
		_, _ = fmt.Fprintf(h, "%o %s %q\n", uint32(e.Mode&(fs.ModeType|fs.ModePerm)), e.Blob, e.Path)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func digestRecipe(ctx context.Context, s *source, spec waybill.Build, find findBase) (string, error) {
	bases, err := baseImages(ctx, s, spec, find)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(struct {
		Format                    int
		Dockerfile                []byte
		Target, Platform, Network string
		Args                      map[string]string
		Bases                     map[string]string
	}{1, s.dockerfileText, spec.Target, spec.Platform, spec.Network, buildArgs(spec), bases})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// sharedKey names what is transferred to the engine. Transfers under one key are updated in place by comparing names,
// sizes and times, so the key covers all content: the times of Git files say nothing.
func (s *source) sharedKey() string {
	h := sha256.New()
	for _, part := range []string{digestContext(s.context), s.dockerfile, string(s.dockerfileText), string(s.ignoreText)} {
		_, _ = fmt.Fprintf(h, "%q\n", part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// syntaxArg would replace the frontend by an image from the network.
const syntaxArg = "BUILDKIT_SYNTAX"

// buildArgs are the arguments that have an effect.
func buildArgs(spec waybill.Build) map[string]string {
	args := map[string]string{}
	maps.Copy(args, spec.Args)
	delete(args, syntaxArg)
	return args
}
