// Package run executes connectors at sites: it decides whether a run may start, keeps what it is pinned to, and watches
// its container to the end.
//
// Work is done per run. What a run is doing is never only in memory: the container is found by its name, the state is
// in the store, so a killed server goes on with whatever was not recorded. The order is always the same: insert the
// run, start the container, record that it runs, copy its output, record how it ended, remove the container.
package run

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Kind is the kind of work that Handle does: one run, by its id.
const Kind = "run"

// containers is where programs run, and where they are found again.
type containers interface {
	runner.Runner
	runner.Lister
}

// logs keeps the output of runs.
type logs interface {
	// Create begins a log anew, also one that is there.
	Create(id string) (io.WriteCloser, error)
}

// Options are what an Engine needs.
type Options struct {
	DB     *store.DB
	Runner containers
	Logs   logs
	Now    func() time.Time
	Log    *slog.Logger
	// MaxOutput is how many bytes a program may print on either output before it is stopped; 0: 16 MiB. Logs must be
	// able to hold as much: cutting the output of a run that then succeeds would lose rows without a word.
	MaxOutput int64
	// Grace is how long a program may go on after it was asked to end; 0: 10 s.
	Grace time.Duration
	// Missed is how late a schedule may fire after the server was away; 0: 1 h. What is later waits for its next turn.
	Missed   time.Duration
	Observer Observer
}

// Observer hears of measurements, after the commit; its functions may be nil and may be called from several goroutines.
type Observer struct {
	Ended       func(r waybill.Run)
	ScheduleLag func(late time.Duration) // from the moment that the schedule names to the start of the run
}

// Engine starts and watches runs.
type Engine struct{ Options }

// Defaults of Options.
const (
	defaultMaxOutput = 16 << 20
	defaultGrace     = 10 * time.Second
	defaultMissed    = time.Hour
)

// New returns an Engine.
func New(o Options) *Engine {
	if o.MaxOutput <= 0 {
		o.MaxOutput = defaultMaxOutput
	}
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	if o.Missed <= 0 {
		o.Missed = defaultMissed
	}
	if o.Observer.Ended == nil {
		o.Observer.Ended = func(waybill.Run) {}
	}
	if o.Observer.ScheduleLag == nil {
		o.Observer.ScheduleLag = func(time.Duration) {}
	}
	return &Engine{o}
}

// identity names the declaration that r runs.
func identity(r waybill.Run) waybill.Identity {
	return waybill.Identity{Kind: "Connector", Name: r.Connector, Major: r.Major}
}

// announce wakes those who watch r or its connector.
func announce(tx *store.Tx, r waybill.Run) {
	tx.Notify("run:" + r.ID)
	tx.Notify("connector:" + r.Connector)
}

// record adds what happened to r to its history.
func record(ctx context.Context, tx *store.Tx, r waybill.Run, by waybill.Actor, action, before, message string) error {
	return store.Record(ctx, tx, waybill.Entry{
		Actor: by.Name, Channel: by.Channel, Commit: r.Commit, Subject: "run:" + r.ID,
		Action: action, Before: before, After: string(r.State), Message: message,
	})
}

// system is who acts when nobody asked.
func system() waybill.Actor { return waybill.Actor{Channel: waybill.ChannelSystem} }
