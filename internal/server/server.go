// Package server builds a Waybill from its parts, starts it and stops it. It is the only package that knows every other.
package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/foundation/blob"
	"github.com/waybill-dev/waybill/internal/foundation/config"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/telemetry"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Options are what a Server needs besides its configuration.
type Options struct {
	Config  config.Config
	Version string
	Log     *slog.Logger
	Out     io.Writer // receives what a person should read: addresses and the sign-in link
	// StateFile is left for the command line on this machine; empty: none.
	StateFile string
	Now       func() time.Time
	// Commit wraps named transactions, for tests that kill the server at one; nil otherwise.
	Commit func(names []string, run func() error) error
}

// Server is a running Waybill.
type Server struct {
	Options
	db            *store.DB
	blobs         *blob.Store
	metrics       *telemetry.Metrics
	keeper        *auth.Keeper
	listener      net.Listener
	adminListener net.Listener
	public, admin *http.Server
	// loops run until their context ends.
	loops    []func(context.Context) error
	cleanups []cleanup
}

// cleanup undoes one acquisition of New.
type cleanup struct {
	name string
	run  func() error
}

// Serve runs a server until ctx ends and then stops it gracefully.
func Serve(ctx context.Context, o Options) error {
	s, err := New(ctx, o)
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

// URL is where the server answers, without slash at the end.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// drainLimit is how long requests may take to end once a stop was asked for. Streams, which people follow without end,
// are cut then; whoever reads one asks again.
const drainLimit = 2 * time.Second

// Run serves until ctx ends. Requests and work in hand are given time to end; what does not is tried again at the
// next start.
func (s *Server) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.announce(ctx); err != nil { // before anybody is told that the server is ready
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, loop := range s.loops {
		g.Go(func() error {
			if err := loop(ctx); ctx.Err() == nil {
				return err
			}
			return nil // it was stopped, whatever it was at
		})
	}
	g.Go(func() error { return serve(s.public, s.listener) })
	g.Go(func() error { return serve(s.admin, s.adminListener) })
	g.Go(func() error {
		<-ctx.Done()
		s.Log.InfoContext(ctx, "stopping", "component", "server")
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
		defer cancel()
		return errors.Join(stop(drain, s.public), stop(drain, s.admin))
	})
	return g.Wait()
}

func serve(srv *http.Server, l net.Listener) error {
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return waybill.Wrap(waybill.Unavailable, err, "listener "+l.Addr().String()+" failed: "+err.Error())
	}
	return nil
}

// stop lets requests end and then cuts those that do not, such as a log that somebody follows.
func stop(ctx context.Context, srv *http.Server) error {
	if err := srv.Shutdown(ctx); err != nil {
		return srv.Close()
	}
	return nil
}

// close undoes what New acquired, last first.
func (s *Server) close() error {
	var errs []error
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		if err := s.cleanups[i].run(); err != nil {
			errs = append(errs, waybill.Wrap(waybill.Internal, err, "closing "+s.cleanups[i].name+": "+err.Error()))
		}
	}
	s.cleanups = nil
	return errors.Join(errs...)
}
