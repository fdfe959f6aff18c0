package build

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/client"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	bkerrdefs "github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// What a full disk looks like: in our words, and in those of the C library.
const (
	diskFull = "the engine's disk is full"
	noSpace  = "No space left on device"
)

// failure explains why a build ended: whose fault it is and where.
type failure struct {
	source   *source
	guard    *guard    // nil before the engine is involved
	progress *progress // nil before the engine is involved
}

// explain turns err into a domain error:
// the cause of ctx when it is over; Invalid with file, line and the developer's own words for anything in the Dockerfile;
// Unavailable when the engine is away or full; Internal for the rest.
func (f *failure) explain(ctx context.Context, err error) error {
	var domain *waybill.Error
	var no *refused
	var base *missingBase
	line := f.line(err)
	code, output := f.exit(err)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &domain):
		return domain
	case errors.As(err, &no):
		return f.invalid(err, line, no.cause)
	case code != "" && !strings.Contains(output, noSpace):
		return f.invalid(err, line, strings.TrimSuffix("exit code "+code+": "+output, ": "))
	case code != "":
		return waybill.Wrap(waybill.Unavailable, err, diskFull)
	case engineTrouble(err) != "":
		return waybill.Wrap(waybill.Unavailable, err, engineTrouble(err))
	case errors.As(err, &base):
		return f.invalid(err, line, base.explain())
	case line > 0 || !fromEngine(err):
		return f.invalid(err, line, cleanText(err))
	default:
		return waybill.Wrap(waybill.Internal, err, "the engine could not build the image: "+cleanText(err))
	}
}

func (f *failure) invalid(err error, line int, cause string) error {
	return waybill.Wrap(waybill.Invalid, err, f.source.place(line)+": "+cause)
}

// line finds the line of the Dockerfile that err is about; 0 when there is none.
func (f *failure) line(err error) int {
	var at *parser.LocationError
	if errors.As(err, &at) && len(at.Locations) > 0 && len(at.Locations[0]) > 0 {
		return at.Locations[0][0].Start.Line
	}
	for _, src := range bkerrdefs.Sources(err) {
		if len(src.Ranges) > 0 {
			return int(src.Ranges[0].Start.GetLine())
		}
	}
	if f.progress != nil {
		if id, _, ok := f.progress.failed(); ok {
			return f.guard.lineOf(id)
		}
	}
	return 0
}

// exit returns the exit code of a RUN step that failed, and its last output. The code is empty for any other error.
func (f *failure) exit(err error) (code, output string) {
	found := regexp.MustCompile(`exit code: (\d+)$`).FindStringSubmatch(err.Error())
	if found == nil || f.progress == nil {
		return "", ""
	}
	_, tail, _ := f.progress.failed()
	return found[1], clip(strings.Join(tail, " | "), 400)
}

// place is file, line and the instruction as the developer wrote it, or only the file for line 0.
func (s *source) place(line int) string {
	lines := strings.Split(string(s.dockerfileText), "\n")
	if line < 1 || line > len(lines) {
		return s.dockerfile
	}
	text := strings.TrimSpace(lines[line-1])
	if start, continued := strings.CutSuffix(text, "\\"); continued {
		text = strings.TrimSpace(start) + " …"
	}
	return fmt.Sprintf("%s:%d: %s", s.dockerfile, line, clip(text, 100))
}

// clip cuts text to at most n runes.
func clip(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return text
}

// cleanText is the first line of an error without the layers it passed through and the engine's own folders.
func cleanText(err error) string {
	text := regexp.MustCompile(`(?s)executor failed running \[.*\]: `).ReplaceAllString(err.Error(), "")
	text, _, _ = strings.Cut(text, "\n")
	text = regexp.MustCompile(`\S*/overlay2/[^/\s]+/merged`).ReplaceAllString(text, "")
	layers := regexp.MustCompile(`^(failed to solve|failed to run Build function|rpc error: code = \w+ desc =|` +
		`dockerfile parse error on line \d+|failed to compute cache key):? `)
	for {
		short := layers.ReplaceAllString(text, "")
		if short == text {
			return strings.ToValidUTF8(strings.Replace(text, "not found: not found", "not found", 1), "\uFFFD")
		}
		text = short
	}
}

// explain says which registry was asked and the innermost part of why it has no such image.
func (m *missingBase) explain() string {
	from, text := "a registry", cleanText(m.cause)
	if named, err := reference.ParseNormalizedNamed(m.ref); err == nil {
		from = reference.Domain(named)
	}
	return "the engine does not have this image and cannot pull it from " + from + ": " + strings.TrimSpace(text[strings.LastIndex(text, ": ")+1:])
}

func fromEngine(err error) bool {
	_, ok := grpcerrors.AsGRPCStatus(err)
	return ok
}

// engineTrouble says what is wrong with the engine itself, or nothing. The engine's errors have no codes for full
// disks and broken networks: here is the one place that knows them by their text.
func engineTrouble(err error) string {
	var network *net.OpError
	switch {
	case grpcerrors.Code(err) == codes.Unavailable, client.IsErrConnectionFailed(err), errors.As(err, &network):
		return "the Docker Engine does not answer"
	case strings.Contains(err.Error(), syscall.ENOSPC.Error()):
		return diskFull
	case strings.Contains(err.Error(), "failed to create endpoint"):
		return "the engine's bridge network does not work"
	default:
		return ""
	}
}

// engineError gives an error of the engine's API its code: Unavailable when it does not answer, else what it said.
func engineError(err error, doing string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return waybill.Wrap(waybill.Unavailable, err, "the Docker Engine does not answer")
	case engineTrouble(err) != "":
		return waybill.Wrap(waybill.Unavailable, err, engineTrouble(err))
	case errdefs.IsNotFound(err):
		return waybill.Wrap(waybill.NotFound, err, "the engine has no such image")
	case errdefs.IsConflict(err):
		return waybill.Wrap(waybill.Conflict, err, "the image is in use")
	default:
		return waybill.Wrap(waybill.Internal, err, "the Docker Engine failed to "+doing)
	}
}
