package store

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"

	"github.com/pressly/goose/v3"

	"github.com/waybill-dev/waybill/internal/waybill"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate applies the migrations that are missing. There is no way back.
func (db *DB) migrate(ctx context.Context, pool *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return waybill.Wrap(waybill.Internal, err, "the migrations are missing")
	}
	dialect := goose.DialectSQLite3
	if db.dialect == Postgres {
		dialect = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(dialect, pool, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return waybill.Wrap(waybill.Internal, err, "the migrations cannot be read")
	}
	if _, err := provider.Up(ctx); err != nil {
		return translate(err)
	}
	return nil
}
