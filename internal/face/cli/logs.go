package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-dev/waybill/internal/face/client"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// longWait is how long one request waits for the end of a run.
const longWait = 30 * time.Second

func (a *app) logs() *cobra.Command {
	var o logOptions
	c := &cobra.Command{
		Use: "logs <run or release>", Short: "Show what a run or a build printed", Args: exactly(1, "the id of a run or a release"),
		Long: "Show what a run printed: its stdout here on stdout, its stderr on stderr, or one of them alone.\n" +
			"Of a release it is the log of the build, or that of another step.",
		Example:           "  waybill logs 01JD0G3V9Q8Z4N6T2B7C5X1K0M -f\n  waybill logs 01JD0G3V9Q8Z4N6T2B7C5X1K0M --stream stderr",
		ValidArgsFunction: a.completeLog,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			return a.showLogs(cmd.Context(), cl, args[0], o)
		},
	}
	c.Flags().BoolVarP(&o.follow, "follow", "f", false, "stay until the end")
	wordFlag(c, &o.stream, "stream", "stdout or stderr of a run (default both)", "stdout", "stderr")
	var steps []string
	for _, s := range waybill.StepsTo(waybill.Prod) {
		steps = append(steps, string(s))
	}
	wordFlag(c, &o.step, "step", "step of a release (default build)", steps...)
	return c
}

type logOptions struct {
	follow       bool
	stream, step string
}

func (a *app) showLogs(ctx context.Context, cl *client.Client, id string, o logOptions) error {
	if o.step == "" {
		_, err := cl.Run(ctx, id, 0)
		switch {
		case err == nil && o.stream == "" && o.follow:
			return follow(ctx, cl, id, a.Stdout, a.Stderr)
		case err == nil:
			return a.showRun(ctx, cl, id, o)
		case !waybill.IsCode(err, waybill.NotFound):
			return err
		}
	}
	r, err := cl.ReleaseLog(ctx, id, o.step, o.follow)
	if waybill.IsCode(err, waybill.NotFound) {
		if _, err := cl.Run(ctx, id, 0); err == nil {
			return misuse("%s is a run: --step is for releases", id)
		}
		return waybill.Errorf(waybill.NotFound, "no run and no release has the id %s", id)
	}
	if err == nil && o.stream != "" {
		return errors.Join(r.Close(), misuse("%s is a release: --stream is for runs", id))
	}
	if err != nil {
		return err
	}
	return drain(ctx, a.Stdout, r)
}

// showRun shows one stream of a run, or what is there of both.
func (a *app) showRun(ctx context.Context, cl *client.Client, id string, o logOptions) error {
	for _, s := range []struct {
		name string
		to   io.Writer
	}{{"stdout", a.Stdout}, {"stderr", a.Stderr}} {
		to := s.to
		switch o.stream {
		case "":
		case s.name:
			to = a.Stdout
		default:
			continue
		}
		r, err := cl.RunLog(ctx, id, s.name, o.follow)
		if err != nil {
			return err
		}
		if err := drain(ctx, to, r); err != nil {
			return err
		}
	}
	return nil
}

// follow shows both streams of a run until it has ended.
func follow(ctx context.Context, cl *client.Client, id string, stdout, stderr io.Writer) error {
	g, ctx := errgroup.WithContext(ctx)
	for name, to := range map[string]io.Writer{"stdout": stdout, "stderr": stderr} {
		g.Go(func() error {
			r, err := cl.RunLog(ctx, id, name, true)
			if err != nil {
				return err
			}
			return drain(ctx, to, r)
		})
	}
	return g.Wait()
}

// drain copies a stream to its end and closes it.
func drain(ctx context.Context, w io.Writer, r io.ReadCloser) error {
	_, err := io.Copy(w, r)
	err = errors.Join(err, r.Close())
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "the log broke off: is the server still running?")
	}
	return nil
}
