package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/face/httpserver"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func (a *API) addLogs() {
	add(a, operation{
		method: http.MethodGet, path: "/releases/{id}/log", id: "get-release-log", tag: "releases",
		summary: "Read what a step of a release printed, as plain text.", action: auth.Read,
	}, func(ctx context.Context, in *struct {
		ReleasePath
		Step   string `query:"step" enum:"build,runtime,dev,prod" default:"build" doc:"Which step."`
		Follow bool   `query:"follow" doc:"Stay until the step has ended."`
	},
	) (*huma.StreamResponse, error) {
		return a.releaseLog(ctx, in.ID, waybill.Step(in.Step), in.Follow)
	})
	add(a, operation{
		method: http.MethodGet, path: "/runs/{id}/logs", id: "get-run-logs", tag: "runs",
		summary: "Read what a run printed, as it printed it.", action: auth.Read,
	}, func(ctx context.Context, in *struct {
		RunPath
		Stream string `query:"stream" enum:"stdout,stderr" default:"stdout" doc:"Which output."`
		Follow bool   `query:"follow" doc:"Stay until the run has ended."`
	},
	) (*huma.StreamResponse, error) {
		return a.runLog(ctx, in.ID, in.Stream, in.Follow)
	})
	add(a, operation{
		method: http.MethodGet, path: "/runs/{id}/records", id: "list-run-records", tag: "runs",
		summary: "List the lines of standard output that are JSON objects: log records and rows.", action: auth.Read,
	}, a.listRecords)
}

func (a *API) releaseLog(ctx context.Context, id string, step waybill.Step, follow bool) (*huma.StreamResponse, error) {
	return a.stream(ctx, "release:"+id, follow, func(ctx context.Context) (string, bool, error) {
		r, err := connectorstore.Release(ctx, a.DB.Query(), id)
		if err != nil {
			return "", false, err
		}
		s, ok := r.Step(step)
		if !ok {
			return "", false, waybill.Errorf(waybill.NotFound, "a release to %s has no step %s", r.Environment, step)
		}
		return s.Log, s.Outcome.Final() || r.Outcome.Final(), nil
	})
}

func (a *API) runLog(ctx context.Context, id, stream string, follow bool) (*huma.StreamResponse, error) {
	return a.stream(ctx, "run:"+id, follow, func(ctx context.Context) (string, bool, error) {
		r, err := connectorstore.Run(ctx, a.DB.Query(), id)
		if stream == "stderr" {
			return r.Stderr, r.State.Final(), err
		}
		return r.Stdout, r.State.Final(), err
	})
}

// look returns the blob that holds a log, empty while there is none, and whether nothing more will be written to it.
type look func(ctx context.Context) (blob string, ended bool, err error)

// stream answers with a log as plain text. Following, it first waits for the log to begin.
func (a *API) stream(ctx context.Context, topic string, follow bool, look look) (*huma.StreamResponse, error) {
	if _, _, err := look(ctx); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		_, w := humago.Unwrap(c)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		out := flusher{w, http.NewResponseController(w)}
		w.WriteHeader(http.StatusOK)
		_ = out.c.Flush() // the client sees the head of the answer before the first line
		if err := a.send(c.Context(), out, topic, follow, look); err != nil && c.Context().Err() == nil {
			httpserver.LogError(c.Context(), a.Log, err)
		}
	}}, nil
}

func (a *API) send(ctx context.Context, w io.Writer, topic string, follow bool, look look) error {
	blob, ended, err := look(ctx)
	if err != nil {
		return err
	}
	if follow && blob == "" && !ended {
		err = a.await(ctx, topic, func(ctx context.Context) (bool, error) {
			blob, ended, err = look(ctx)
			return blob != "" || ended, err
		})
		if err != nil {
			return err
		}
	}
	var r io.ReadCloser
	switch {
	case blob == "":
		return nil
	case follow:
		r = a.Logs.Follow(ctx, blob, func() bool {
			_, ended, err := look(ctx)
			return ended || err != nil
		})
	default:
		if r, err = a.Logs.Open(blob); err != nil {
			return absent(err)
		}
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, r.Close())
}

// absent takes a log that is not there, or no longer, for an empty one.
func absent(err error) error {
	if waybill.IsCode(err, waybill.NotFound) {
		return nil
	}
	return err
}

// flusher sends every write at once.
type flusher struct {
	w io.Writer
	c *http.ResponseController
}

// Write sends p.
func (f flusher) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err != nil {
		return n, err
	}
	return n, f.c.Flush()
}

// recordQuery selects lines of output.
type recordQuery struct {
	RunPath
	Listing

	Kind  string `query:"kind" enum:"record,row" doc:"Only log records, or only rows."`
	Level string `query:"level" enum:"emergency,alert,critical,error,warning,notice,info,debug" doc:"Only log records that are at least as serious."`
}

// maxLine is how many bytes a line may have to be read as an object.
const maxLine = 1 << 20

func (a *API) listRecords(ctx context.Context, in *recordQuery) (*body[wire.Page[wire.Line]], error) {
	after := 0
	if in.Cursor != "" {
		n, err := strconv.Atoi(in.Cursor)
		if err != nil {
			return nil, waybill.Errorf(waybill.Invalid, "cursor %q is not one of this list", in.Cursor)
		}
		after = n
	}
	r, err := connectorstore.Run(ctx, a.DB.Query(), in.ID)
	if err != nil || r.Stdout == "" {
		return answer(wire.Page[wire.Line]{Items: []wire.Line{}}), err
	}
	file, err := a.Logs.Open(r.Stdout)
	if err != nil {
		return answer(wire.Page[wire.Line]{Items: []wire.Line{}}), absent(err)
	}
	lines, err := records(file, after, in.more(), in.wants)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return answer(page(in.Listing, lines, func(l wire.Line) string { return strconv.Itoa(l.Number) },
		func(l wire.Line) wire.Line { return l })), nil
}

func (in *recordQuery) wants(l waybill.Line) bool {
	switch {
	case l.Kind == waybill.LineText, in.Kind != "" && string(l.Kind) != in.Kind:
		return false
	case in.Level != "":
		return l.Kind == waybill.LineRecord && l.Level.AtLeast(waybill.Level(in.Level))
	default:
		return true
	}
}

// records reads at most limit lines after the line numbered after that wants accepts.
func records(r io.Reader, after, limit int, wants func(waybill.Line) bool) ([]wire.Line, error) {
	lines, in := []wire.Line{}, bufio.NewReaderSize(r, maxLine)
	for number := 1; len(lines) < limit; number++ {
		text, long, err := in.ReadLine()
		for more := long; more && err == nil; {
			_, more, err = in.ReadLine()
		}
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		if number <= after || long {
			continue
		}
		if l := waybill.ParseLine(text); wants(l) {
			lines = append(lines, wire.Line{
				Number: number, Kind: string(l.Kind), Level: string(l.Level), Message: l.Message,
				Object: append([]byte(nil), text...),
			})
		}
	}
	return lines, nil
}
