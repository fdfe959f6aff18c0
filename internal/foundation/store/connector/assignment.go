package connector

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// ScheduleTopic wakes when a schedule changes.
const ScheduleTopic = "schedules"

const assignmentColumns = `site, connector, major, config, schedule, enabled, updated`

func assignmentRow(a *waybill.Assignment) []any {
	return []any{
		&a.Site, &a.Connector, &a.Major, store.JSON(&a.Config), &a.Schedule, &a.Enabled, store.Time(&a.Updated),
	}
}

// PutAssignment stores a, replacing that of the same site, connector and major.
func PutAssignment(ctx context.Context, tx *store.Tx, a waybill.Assignment) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO assignments (`+assignmentColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (site, connector, major) DO UPDATE SET config = excluded.config, schedule = excluded.schedule,
			enabled = excluded.enabled, updated = excluded.updated`, assignmentRow(&a)...)
	return err
}

// FindAssignment returns the assignment of a connector major at a site.
func FindAssignment(ctx context.Context, q store.Querier, site, connector string, major int) (waybill.Assignment, bool, error) {
	return store.Find(ctx, q, assignmentRow, `SELECT `+assignmentColumns+` FROM assignments
		WHERE site = $1 AND connector = $2 AND major = $3`, site, connector, major)
}

// AssignmentFilter selects assignments; zero fields select all.
type AssignmentFilter struct{ Site, Connector string }

// Assignments lists assignments by connector, major and site.
func Assignments(ctx context.Context, q store.Querier, f AssignmentFilter) ([]waybill.Assignment, error) {
	list, err := store.List(ctx, q, assignmentRow, `SELECT `+assignmentColumns+` FROM assignments
		WHERE ($1 = '' OR site = $1) AND ($2 = '' OR connector = $2)`, f.Site, f.Connector)
	slices.SortFunc(list, func(a, b waybill.Assignment) int {
		return cmp.Or(strings.Compare(a.Connector, b.Connector), a.Major-b.Major, strings.Compare(a.Site, b.Site))
	})
	return list, err
}

// Schedule says when a connector major is due at a site.
type Schedule struct {
	Site, Connector string
	Major           int
	Spec            string // cron
	Due             time.Time
}

const scheduleColumns = `site, connector, major, spec, due`

func scheduleRow(s *Schedule) []any {
	return []any{&s.Site, &s.Connector, &s.Major, &s.Spec, store.Time(&s.Due)}
}

// PutSchedule stores when a connector major is next due at a site, and wakes ScheduleTopic.
func PutSchedule(ctx context.Context, tx *store.Tx, site, connector string, major int, spec string, due time.Time) error {
	tx.Notify(ScheduleTopic)
	_, err := tx.ExecContext(ctx, `INSERT INTO schedules (`+scheduleColumns+`) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (site, connector, major) DO UPDATE SET spec = excluded.spec, due = excluded.due`,
		site, connector, major, spec, store.Micros(due))
	return err
}

// RemoveSchedule forgets the schedule of a connector major at a site. One that is not there is no error.
func RemoveSchedule(ctx context.Context, tx *store.Tx, site, connector string, major int) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM schedules WHERE site = $1 AND connector = $2 AND major = $3`,
		site, connector, major)
	return err
}

// NextSchedule returns the earliest time at which anything is due.
func NextSchedule(ctx context.Context, q store.Querier) (due time.Time, found bool, err error) {
	s, found, err := store.Find(ctx, q, scheduleRow, `SELECT `+scheduleColumns+` FROM schedules ORDER BY due LIMIT 1`)
	return s.Due, found, err
}

// DueSchedules lists what is due at now, longest due first.
func DueSchedules(ctx context.Context, q store.Querier, now time.Time) ([]Schedule, error) {
	return store.List(ctx, q, scheduleRow, `SELECT `+scheduleColumns+` FROM schedules WHERE due <= $1
		ORDER BY due, site, connector, major`, store.Micros(now))
}

// Schedules lists all schedules, next due first.
func Schedules(ctx context.Context, q store.Querier) ([]Schedule, error) {
	return store.List(ctx, q, scheduleRow, `SELECT `+scheduleColumns+` FROM schedules ORDER BY due, site, connector, major`)
}

// RemoveAssignment takes a connector major off a site, and its schedule with it. One that is not there is no error.
func RemoveAssignment(ctx context.Context, tx *store.Tx, site, connector string, major int) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM assignments WHERE site = $1 AND connector = $2 AND major = $3`,
		site, connector, major); err != nil {
		return err
	}
	return RemoveSchedule(ctx, tx, site, connector, major)
}
