package release

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/build"
	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// build makes the image, checks its health and pushes it. It may report running, ok, failed (Dockerfile, health check),
// error (engine, registry) and superseded.
func (e *Engine) build(ctx context.Context, j *job) error {
	if err := e.start(ctx, j, waybill.StepBuild); err != nil {
		return err
	}
	log, err := e.Logs.Create(buildLog(j.release))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	for _, part := range []func(context.Context, *job, io.Writer) error{e.makeImage, e.checkHealth, e.pushImage} {
		if err := part(ctx, j, log); err != nil {
			return err
		}
	}
	return e.record(ctx, j, "release.build.ok", outcome{waybill.StepBuild, waybill.OK, shortDigest(j.release.Image)})
}

// start marks a long step as running, so that everybody sees it begin.
func (e *Engine) start(ctx context.Context, j *job, step waybill.Step) error {
	return e.record(ctx, j, "release."+string(step)+".start", outcome{step, waybill.Running, ""})
}

// awaitSpace keeps a build from filling the engine's disk.
func (e *Engine) awaitSpace(ctx context.Context, j *job) error {
	free, err := e.Images.FreeBytes(ctx)
	if err != nil || free >= e.MinFree {
		return err
	}
	reason := fmt.Sprintf("waiting for disk space: less than %s free where images are kept", waybill.FormatBytes(e.MinFree))
	st, _ := j.release.Step(waybill.StepBuild)
	if err := e.record(ctx, j, "release.build.wait", outcome{waybill.StepBuild, st.Outcome, reason}); err != nil {
		return err
	}
	return waitError{30 * time.Second, reason}
}

// makeImage builds the image, or finds the one that was built from the same content, and stores which it is.
func (e *Engine) makeImage(ctx context.Context, j *job, log io.Writer) error {
	r := j.release
	repository, err := e.repository(ctx, r)
	if err != nil {
		return err
	}
	tree, err := e.Trees.Tree(ctx, repository, r.Commit)
	if err != nil {
		return err
	}
	request := build.Request{
		Tree: tree, Folder: r.Declaration.Folder, Spec: r.Declaration.Connector.Build, Log: log,
		Labels: map[string]string{
			"org.opencontainers.image.revision": r.Commit,
			"org.opencontainers.image.source":   repository.URL,
			"org.opencontainers.image.title":    r.Declaration.Name,
		},
	}
	if request.Content, err = e.Images.Digest(ctx, request); err != nil {
		return err
	}
	request.Tag = build.TagName(r.Declaration.Name, r.Declaration.Major, request.Content)
	_, known, err := connectorstore.FindImage(ctx, e.DB.Query(), request.Content.Context, request.Content.Recipe)
	if err != nil {
		return err
	}
	if !known { // what was built before takes no space
		if err := e.awaitSpace(ctx, j); err != nil {
			return err
		}
	}
	result, err := e.Builder.Build(ctx, request)
	if err == nil {
		err = e.checkSize(ctx, result)
	}
	if err != nil {
		return err
	}
	return e.write(ctx, j, "release.build.image", func(tx *store.Tx, next *waybill.Release) error {
		next.Image, next.Recipe = result.Image, request.Content.Recipe
		image := connectorstore.Image{
			Context: request.Content.Context, Recipe: request.Content.Recipe, Image: result.Image, Size: result.Size,
			FirstCommit: r.Commit, Created: e.Now(),
		}
		if err := connectorstore.PutImage(ctx, tx, image); err != nil {
			return err
		}
		return connectorstore.SaveRelease(ctx, tx, *next)
	})
}

// checkHealth runs the program with its health-check arguments, exactly as a run would, unless this image has passed
// the same check before.
func (e *Engine) checkHealth(ctx context.Context, j *job, log io.Writer) error {
	r := j.release
	app := r.Declaration.Connector.Application
	if app.HealthCheck == nil {
		return nil
	}
	if r.Environment == waybill.Try && len(r.Declaration.Connector.Secrets) > 0 {
		_, _ = fmt.Fprintln(log, "health check: left out, as a pull request has no secrets")
		return nil
	}
	program := programDigest(app)
	if ok, _, _, found, err := connectorstore.FindHealth(ctx, e.DB.Query(), r.Image, program); err != nil || found && ok {
		return err
	}
	command := append(append([]string{app.Command}, app.Arguments...), app.HealthCheck.Arguments...)
	limit := r.Declaration.Connector.Run
	_, _ = fmt.Fprintf(log, "health check: %s\n", strings.Join(command, " "))
	said := &lastLine{}
	exit, err := runner.Check(ctx, e.Runner, runner.Spec{
		Name: "waybill-check-" + strings.ToLower(r.ID), Image: r.Image, Command: command, Limits: runner.Limits{CPU: limit.CPU, Memory: limit.Memory},
	}, app.HealthCheck.Timeout, io.MultiWriter(log, said))
	if err != nil {
		return err
	}
	if failure := unhealthy(exit, app.HealthCheck.Timeout); failure != "" {
		_, _ = fmt.Fprintln(log, failure)
		if line := said.line(); line != "" {
			failure += ": " + line
		}
		return waybill.Errorf(waybill.Invalid, "%s", failure)
	}
	_, _ = fmt.Fprintln(log, "health check: ok")
	return e.write(ctx, j, "release.build.health", func(tx *store.Tx, next *waybill.Release) error {
		return connectorstore.PutHealth(ctx, tx, next.Image, program, true, "", buildLog(r), e.Now())
	})
}

// lastLine remembers the end of what is written to it: the last line is where programs say why they fail.
type lastLine struct{ tail []byte }

// lineLimit is how much of the end is remembered, in bytes.
const lineLimit = 300

// Write never fails.
func (l *lastLine) Write(p []byte) (int, error) {
	l.tail = append(l.tail, p...)
	l.tail = l.tail[max(0, len(l.tail)-lineLimit):]
	return len(p), nil
}

func (l *lastLine) line() string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(l.tail), ""))
	return strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:])
}

// unhealthy says what is wrong with how a health check ended; empty when nothing is.
func unhealthy(exit runner.Exit, limit time.Duration) string {
	switch {
	case exit.TimedOut:
		return fmt.Sprintf("health check did not end within %s", limit)
	case exit.OutOfMemory:
		return "health check ran out of memory"
	case exit.Code != 0:
		return fmt.Sprintf("health check ended with exit code %d", exit.Code)
	}
	return ""
}

// pushImage copies the image to the registry, when there is one.
func (e *Engine) pushImage(ctx context.Context, j *job, log io.Writer) error {
	if e.Pusher == nil || j.release.RepoDigest != "" || j.release.Environment == waybill.Try {
		return nil
	}
	reference := e.Registry + "/" + j.release.Declaration.Name + ":" + shortHex(j.release.Image)
	_, _ = fmt.Fprintf(log, "push: %s\n", reference)
	digest, err := e.Pusher.Push(ctx, j.release.Image, reference)
	if err != nil {
		return err
	}
	return e.write(ctx, j, "release.build.push", func(tx *store.Tx, next *waybill.Release) error {
		next.RepoDigest = digest
		return connectorstore.SaveRelease(ctx, tx, *next)
	})
}

// programDigest identifies what a health check ran.
func programDigest(app waybill.Application) string {
	text, err := json.Marshal(app)
	if err != nil {
		return "" // strings and durations always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func buildLog(r waybill.Release) string { return "release/" + r.ID + "/build" }

// shortHex is the first twelve digits of an image id.
func shortHex(image string) string {
	hexes := strings.TrimPrefix(image, "sha256:")
	return hexes[:min(12, len(hexes))]
}

func shortDigest(image string) string { return "sha256:" + shortHex(image) }
