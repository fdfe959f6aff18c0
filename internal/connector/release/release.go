// Package release brings one connector major from a valid declaration to people: build ▸ runtime ▸ dev, or ▸ prod.
//
// Work is done per lane, which is one (connector, major, environment): one worker at a time, so that the live pointer
// of a lane never has two writers. A release is a sequence of steps; each outcome is recorded together with history,
// audit and commit status in one transaction, so a killed server goes on with the step that was not recorded. Every
// step may be repeated: images are found again by content, pointers move by compare-and-set.
package release

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/build"
	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Kind is the kind of work that Handle does: one lane.
const Kind = "lane"

// trees reads the files of a commit.
type trees interface {
	Tree(ctx context.Context, r waybill.Repository, commit string) (waybill.Tree, error)
}

// builder turns a tree into an image.
type builder interface {
	Build(ctx context.Context, r build.Request) (build.Result, error)
}

// images identifies images before they are built and looks after them afterwards.
type images interface {
	Digest(ctx context.Context, r build.Request) (build.Content, error)
	Exists(ctx context.Context, image string) (bool, error)
	Remove(ctx context.Context, image string) error
	// FreeBytes is the free space where images are kept.
	FreeBytes(ctx context.Context) (int64, error)
}

// pusher copies an image to a registry and returns its name there by digest.
type pusher interface {
	Push(ctx context.Context, image, reference string) (repoDigest string, err error)
}

// logs keeps the output of builds and health checks.
type logs interface {
	Create(id string) (io.WriteCloser, error)
	Remove(id string) error
}

// runs is told, in the transaction of the deployment, that a site has a new version.
type runs interface {
	Deployed(ctx context.Context, tx *store.Tx, r waybill.Release, site string) error
}

// Options are what an Engine needs.
type Options struct {
	DB       *store.DB
	Trees    trees
	Builder  builder
	Images   images
	Pusher   pusher // nil: images stay on this engine
	Registry string // host and prefix that Pusher pushes below
	Runner   runner.Runner
	Logs     logs
	Runs     runs
	// Policies returns what the platform demands of images, by the name of the policy; nil: nothing.
	Policies func(ctx context.Context) (map[string]waybill.PolicySpec, error)
	// Discussion returns the work that tells people of a pull request what became of its build; nil: nobody is told.
	Discussion func(repository string, number int, owner string) queue.Entry
	MinFree    int64 // bytes that must be free before a build starts
	// KeptImages is how many of the newest successful releases of a connector major keep their images, beside what is
	// live. FailedLogs is how long the logs of failed builds stay.
	KeptImages int
	FailedLogs time.Duration
	Withdrawn  time.Duration // until dev loses what its branch no longer declares
	Now        func() time.Time
	Log        *slog.Logger
	Observer   Observer
}

// Observer hears of measurements; every function may be called from several goroutines.
type Observer struct {
	Step     func(step waybill.Step, outcome waybill.Outcome)
	Deployed func(env waybill.Environment, sincePush time.Duration)
}

// Engine works on releases.
type Engine struct{ Options }

// New returns an Engine.
func New(o Options) *Engine { return &Engine{Options: o} }

// LaneKey names the work of one lane.
func LaneKey(id waybill.Identity, env waybill.Environment) string {
	return fmt.Sprintf("%s@%d/%s", id.Name, id.Major, env)
}

// parseLane splits what LaneKey joined.
func parseLane(key string) (id waybill.Identity, env waybill.Environment, err error) {
	name, rest, ok := strings.Cut(key, "@")
	major, environment, ok2 := strings.Cut(rest, "/")
	n, convErr := strconv.Atoi(major)
	if !ok || !ok2 || convErr != nil {
		return id, env, waybill.Errorf(waybill.Internal, "work key %q names no lane", key)
	}
	return waybill.Identity{Kind: "Connector", Name: name, Major: n}, waybill.Environment(environment), nil
}
