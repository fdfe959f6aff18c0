// Package connector keeps the tables of the connector room: teams, sites, names, releases, live pointers, images,
// assignments, runs and schedules.
package connector

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

var errSkeleton = waybill.Errorf(waybill.Internal, "the store is not here yet")

func EnsureTeam(ctx context.Context, tx *store.Tx, name string, now time.Time) error {
	return errSkeleton
}
func EnsureSite(ctx context.Context, tx *store.Tx, s waybill.Site) (created bool, err error) {
	return false, errSkeleton
}
func Site(ctx context.Context, q store.Querier, name string) (waybill.Site, error) {
	return waybill.Site{}, errSkeleton
}
func Sites(ctx context.Context, q store.Querier) ([]waybill.Site, error) { return nil, errSkeleton }

// Connector is a claimed name.
type Connector struct {
	Name, Owner, Repository string
	Created                 time.Time
}

func ClaimName(ctx context.Context, tx *store.Tx, c Connector) (owner Connector, err error) {
	return Connector{}, errSkeleton
}
func Connectors(ctx context.Context, q store.Querier) ([]Connector, error) { return nil, errSkeleton }
func GetConnector(ctx context.Context, q store.Querier, name string) (Connector, error) {
	return Connector{}, errSkeleton
}

func InsertRelease(ctx context.Context, tx *store.Tx, r waybill.Release) error { return errSkeleton }
func SaveRelease(ctx context.Context, tx *store.Tx, r waybill.Release) error   { return errSkeleton }
func Release(ctx context.Context, q store.Querier, id string) (waybill.Release, error) {
	return waybill.Release{}, errSkeleton
}

// ReleaseFilter selects releases; zero fields select all.
type ReleaseFilter struct {
	Connector   string
	Major       int
	Environment waybill.Environment
	Repository  string
	Commit      string
	Check       string
	Open        bool   // only those whose outcome is not final
	Before      string // id: only older ones
	Limit       int    // 0: 50
}

func Releases(ctx context.Context, q store.Querier, f ReleaseFilter) ([]waybill.Release, error) {
	return nil, errSkeleton
}
func Lane(ctx context.Context, q store.Querier, connector string, major int, env waybill.Environment) ([]waybill.Release, error) {
	return nil, errSkeleton
}
func FindLive(ctx context.Context, q store.Querier, connector string, major int, env waybill.Environment) (waybill.Live, bool, error) {
	return waybill.Live{}, false, errSkeleton
}
func Lives(ctx context.Context, q store.Querier) ([]waybill.Live, error) { return nil, errSkeleton }
func SetLive(ctx context.Context, tx *store.Tx, l waybill.Live) error    { return errSkeleton }

// Image is a built image, by content.
type Image struct {
	Context, Recipe, Image, RepoDigest, FirstCommit string
	Created                                         time.Time
}

func FindImage(ctx context.Context, q store.Querier, context, recipe string) (Image, bool, error) {
	return Image{}, false, errSkeleton
}
func PutImage(ctx context.Context, tx *store.Tx, i Image) error                   { return errSkeleton }
func Images(ctx context.Context, q store.Querier) ([]Image, error)                { return nil, errSkeleton }
func RemoveImage(ctx context.Context, tx *store.Tx, context, recipe string) error { return errSkeleton }
func FindHealth(ctx context.Context, q store.Querier, image, program string) (ok bool, detail, log string, found bool, err error) {
	return false, "", "", false, errSkeleton
}
func PutHealth(ctx context.Context, tx *store.Tx, image, program string, ok bool, detail, log string, now time.Time) error {
	return errSkeleton
}

func PutAssignment(ctx context.Context, tx *store.Tx, a waybill.Assignment) error { return errSkeleton }
func FindAssignment(ctx context.Context, q store.Querier, site, connector string, major int) (waybill.Assignment, bool, error) {
	return waybill.Assignment{}, false, errSkeleton
}

// AssignmentFilter selects assignments; zero fields select all.
type AssignmentFilter struct{ Site, Connector string }

func Assignments(ctx context.Context, q store.Querier, f AssignmentFilter) ([]waybill.Assignment, error) {
	return nil, errSkeleton
}

func InsertRun(ctx context.Context, tx *store.Tx, r waybill.Run) error { return errSkeleton }
func SaveRun(ctx context.Context, tx *store.Tx, r waybill.Run, from waybill.RunState) error {
	return errSkeleton
}
func Run(ctx context.Context, q store.Querier, id string) (waybill.Run, error) {
	return waybill.Run{}, errSkeleton
}

// RunFilter selects runs; zero fields select all.
type RunFilter struct {
	Connector string
	Major     int
	Site      string
	States    []waybill.RunState
	Before    string // id: only older ones
	Limit     int    // 0: 50
}

func Runs(ctx context.Context, q store.Querier, f RunFilter) ([]waybill.Run, error) {
	return nil, errSkeleton
}

// Schedule says when a connector is due at a site.
type Schedule struct {
	Site, Connector string
	Major           int
	Spec            string // cron
	Due             time.Time
}

// NextSchedule returns the earliest time at which any schedule is due.
func NextSchedule(ctx context.Context, q store.Querier) (due time.Time, found bool, err error) {
	return time.Time{}, false, errSkeleton
}
func PutSchedule(ctx context.Context, tx *store.Tx, site, connector string, major int, spec string, due time.Time) error {
	return errSkeleton
}
func RemoveSchedule(ctx context.Context, tx *store.Tx, site, connector string, major int) error {
	return errSkeleton
}
func DueSchedules(ctx context.Context, q store.Querier, now time.Time) ([]Schedule, error) {
	return nil, errSkeleton
}
func Schedules(ctx context.Context, q store.Querier) ([]Schedule, error) { return nil, errSkeleton }

// Count is how many rows are in one state.
type Count struct {
	State string
	Count int
}

// CountReleases counts releases by outcome, CountRuns runs by state.
func CountReleases(ctx context.Context, q store.Querier) ([]Count, error) { return nil, errSkeleton }
func CountRuns(ctx context.Context, q store.Querier) ([]Count, error)     { return nil, errSkeleton }
