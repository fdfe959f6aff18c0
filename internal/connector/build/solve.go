package build

import (
	"bytes"
	"context"
	"io"
	"path"

	bkclient "github.com/moby/buildkit/client"
	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/dockerfile/builder"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/util/bklog"
	"github.com/sirupsen/logrus"
	"github.com/tonistiigi/fsutil"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// dockerfileName is the name of the Dockerfile on its way to the engine, whatever it is in the repository.
const dockerfileName = "Dockerfile"

// solve runs the build in the engine and returns the id of the image.
func (e *Engine) solve(ctx context.Context, s *source, r Request) (id string, err error) {
	ctx = bklog.WithLogger(ctx, quiet())
	bk, err := e.buildkit(ctx)
	if err != nil {
		return "", engineError(err, "connect to the engine")
	}
	defer func() { _ = bk.Close() }()

	progress := newProgress(r.Log)
	status := make(chan *bkclient.SolveStatus)
	printed := make(chan struct{})
	go func() {
		defer close(printed)
		progress.run(status)
	}()
	guard := &guard{allow: e.allow, source: s, warn: progress.warn, lookup: e.findBase}
	var frontendErr error
	resp, err := bk.Build(ctx, solveOptions(s, r), "waybill", func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		guard.Client = c
		res, err := builder.Build(ctx, guard)
		frontendErr = err
		return res, err
	}, status)
	<-printed
	if err != nil {
		f := &failure{source: s, guard: guard, progress: progress}
		if frontendErr != nil {
			err = frontendErr
		}
		return "", f.explain(ctx, err)
	}
	return resp.ExporterResponse[exptypes.ExporterImageDigestKey], nil
}

// solveOptions says what the engine gets and what it makes of it.
func solveOptions(s *source, r Request) bkclient.SolveOpt {
	attrs := map[string]string{
		"filename":           dockerfileName,
		"cmdline":            "builtin", // keeps the frontend from handing over to the image of a syntax line
		"image-resolve-mode": "local",   // an image that the engine has is not looked up in a registry
		"force-network-mode": networkMode(r.Spec.Network),
		"target":             r.Spec.Target,
		"platform":           r.Spec.Platform,
	}
	for k, v := range buildArgs(r.Spec) {
		attrs["build-arg:"+k] = v
	}
	for k, v := range r.Labels {
		attrs["label:"+k] = v
	}
	image := map[string]string{}
	if r.Tag != "" {
		image["name"] = r.Tag
	}
	return bkclient.SolveOpt{
		Exports:       []bkclient.ExportEntry{{Type: "moby", Attrs: image}},
		FrontendAttrs: attrs,
		SharedKey:     s.sharedKey(),
		LocalMounts: map[string]fsutil.FS{
			dockerui.DefaultLocalNameContext:    s.context,
			dockerui.DefaultLocalNameDockerfile: s.definition(),
		},
	}
}

// networkMode is what RUN steps reach.
func networkMode(network string) string {
	if network == "none" {
		return "none"
	}
	return "sandbox"
}

// definition holds the Dockerfile and the .dockerignore in force, under the names that the frontend reads first.
func (s *source) definition() *files {
	ignore := s.ignoreText
	if len(ignore) == 0 {
		ignore = []byte("# nothing is ignored\n")
	}
	content := map[string][]byte{dockerfileName: s.dockerfileText, dockerfileName + ".dockerignore": ignore}
	var list []entry
	for name, text := range content {
		list = append(list, entry{File: waybill.File{Path: name, Mode: 0o644}, size: int64(len(text))})
	}
	return newFiles(list, func(name string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content[path.Clean(name)])), nil
	})
}

// warnIgnored tells the developer what has no effect here.
func warnIgnored(r Request, s *source) {
	if ref, _, loc, ok := parser.DetectSyntax(s.dockerfileText); ok {
		line := 1
		if len(loc) > 0 {
			line = loc[0].Start.Line
		}
		say(r.Log, "WARN: %s:%d: syntax %s is ignored: the built-in Dockerfile frontend is used", s.dockerfile, line, ref)
	}
	if _, ok := r.Spec.Args[syntaxArg]; ok {
		say(r.Log, "WARN: build.args: %s is ignored: the built-in Dockerfile frontend is used", syntaxArg)
	}
}

// quiet is the logger of the BuildKit client, whose lines mean nothing to an operator; errors come back as values.
func quiet() *logrus.Entry {
	l := logrus.New()
	l.SetOutput(io.Discard)
	return logrus.NewEntry(l)
}
