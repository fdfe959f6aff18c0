package portal

import (
	"context"
	"slices"
	"time"

	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// connectorRow is one connector major in a list.
type connectorRow struct {
	Identity  link
	Title     string
	Owner     string
	Type      string
	Major     int
	Dev, Prod envCell
	LastRun   *runRow
}

// envCell is one environment of a connector in a list.
type envCell struct {
	Mark    mark
	Version string // v1.2.0 or a short commit; empty when nothing is live
	Since   time.Time
	Live    bool
}

// connectorRows builds one row for each major of connectors.
func (r *reader) connectorRows(ctx context.Context, connectors []connectorstore.Connector, runs []waybill.Run) ([]connectorRow, error) {
	var rows []connectorRow
	for _, c := range connectors {
		majors := r.majors(c.Name)
		if len(majors) == 0 {
			majors = []int{1}
		}
		for _, major := range majors {
			id := waybill.Identity{Kind: "Connector", Name: c.Name, Major: major}
			l, err := r.lanes(ctx, id)
			if err != nil {
				return nil, err
			}
			row := newConnectorRow(id, c.Owner, l)
			if row.LastRun, err = r.lastRun(ctx, id, runs); err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func newConnectorRow(id waybill.Identity, owner string, l lanes) connectorRow {
	row := connectorRow{Identity: linkTo(id), Owner: owner, Major: id.Major, Dev: newEnvCell(l.Dev), Prod: newEnvCell(l.Prod)}
	if c := l.current(); c != nil && c.Declaration.Connector != nil {
		row.Title, row.Type = c.Declaration.Connector.Title, c.Declaration.Connector.Type
	}
	return row
}

// newEnvCell shows what an environment serves, or what became of the newest attempt when that is not live.
func newEnvCell(l lane) envCell {
	c := envCell{Mark: none("none")}
	if l.Newest != nil {
		c.Mark = markOutcome(l.Newest.Outcome)
	}
	if l.Live != nil {
		c.Live, c.Since, c.Version = true, l.Since, waybill.ShortCommit(l.Live.Commit)
		if l.Live.Semver != "" {
			c.Version = "v" + l.Live.Semver
		}
	}
	return c
}

// lastRun returns the newest run of a connector major, among runs or from the store.
func (r *reader) lastRun(ctx context.Context, id waybill.Identity, runs []waybill.Run) (*runRow, error) {
	i := slices.IndexFunc(runs, func(run waybill.Run) bool { return run.Connector == id.Name && run.Major == id.Major })
	if i < 0 {
		if len(runs) < dashboardWindow {
			return nil, nil //nolint:nilnil // There is no run.
		}
		var err error
		runs, err = connectorstore.Runs(ctx, r.q, connectorstore.RunFilter{Connector: id.Name, Major: id.Major, Limit: 1})
		if err != nil || len(runs) == 0 {
			return nil, err
		}
		i = 0
	}
	row := newRunRow(runs[i], nil, r.link)
	return &row, nil
}
