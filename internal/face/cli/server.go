package cli

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/server"
)

// RunServer runs the server until ctx ends.
func RunServer(ctx context.Context, o ServeOptions) error {
	return server.Serve(ctx, server.Options{
		Config: o.Config, Version: o.Version, Log: o.Log, Out: o.Out, Now: time.Now, StateFile: o.StateFile,
	})
}
