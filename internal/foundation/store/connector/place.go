package connector

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// EnsureTeam makes a team unless it is there.
func EnsureTeam(ctx context.Context, tx *store.Tx, name string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO teams (name, created) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`,
		name, store.Micros(now))
	return err
}

// Teams lists the names of all teams, those of watched repositories included.
func Teams(ctx context.Context, q store.Querier) ([]string, error) {
	row := func(name *string) []any { return []any{name} }
	return store.List(ctx, q, row, `SELECT name FROM teams UNION SELECT owner FROM repositories ORDER BY 1`)
}

const siteColumns = `name, owner, environment, created`

func siteRow(s *waybill.Site) []any {
	return []any{&s.Name, &s.Owner, &s.Environment, store.Time(&s.Created)}
}

// EnsureSite makes a site unless one of that name is there, whoever owns it.
func EnsureSite(ctx context.Context, tx *store.Tx, s waybill.Site) (created bool, err error) {
	changed, err := tx.Exec(ctx, `INSERT INTO sites (`+siteColumns+`) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO NOTHING`, siteRow(&s)...)
	return changed == 1, err
}

// RemoveEmptySite forgets a site at which nothing is assigned. Any other stays.
func RemoveEmptySite(ctx context.Context, tx *store.Tx, name string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM sites WHERE name = $1
		AND NOT EXISTS (SELECT 1 FROM assignments WHERE site = $1)`, name)
	return err
}

// Site returns a site, or NotFound.
func Site(ctx context.Context, q store.Querier, name string) (waybill.Site, error) {
	return store.Get(ctx, q, "site "+name, siteRow, `SELECT `+siteColumns+` FROM sites WHERE name = $1`, name)
}

// Sites lists all sites by name.
func Sites(ctx context.Context, q store.Querier) ([]waybill.Site, error) {
	list, err := store.List(ctx, q, siteRow, `SELECT `+siteColumns+` FROM sites`)
	slices.SortFunc(list, func(a, b waybill.Site) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

// Connector is a name that a repository has claimed, for all majors.
type Connector struct {
	Name       string
	Owner      string // team
	Repository string // Repository.ID
	Created    time.Time
}

const connectorColumns = `name, owner, repository, created`

func connectorRow(c *Connector) []any {
	return []any{&c.Name, &c.Owner, &c.Repository, store.Time(&c.Created)}
}

// ClaimName stores c unless the name is taken, and returns who has it: c, or the one that was there.
func ClaimName(ctx context.Context, tx *store.Tx, c Connector) (owner Connector, err error) {
	if _, err := tx.ExecContext(ctx, `INSERT INTO connectors (`+connectorColumns+`) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO NOTHING`, connectorRow(&c)...); err != nil {
		return Connector{}, err
	}
	return GetConnector(ctx, tx, c.Name)
}

// InheritName gives a name of a team to another repository, if the one that had it is not watched any more. It reports
// false when it is, or the name is another team's.
func InheritName(ctx context.Context, tx *store.Tx, name, owner, repository string) (bool, error) {
	changed, err := tx.Exec(ctx, `UPDATE connectors SET repository = $3
		WHERE name = $1 AND owner = $2 AND repository NOT IN (SELECT id FROM repositories)`, name, owner, repository)
	return changed == 1, err
}

// Connectors lists all names in order.
func Connectors(ctx context.Context, q store.Querier) ([]Connector, error) {
	list, err := store.List(ctx, q, connectorRow, `SELECT `+connectorColumns+` FROM connectors`)
	slices.SortFunc(list, func(a, b Connector) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

// GetConnector returns who has a name, or NotFound.
func GetConnector(ctx context.Context, q store.Querier, name string) (Connector, error) {
	return store.Get(ctx, q, "connector "+name, connectorRow,
		`SELECT `+connectorColumns+` FROM connectors WHERE name = $1`, name)
}
