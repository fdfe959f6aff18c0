package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// translate turns the error of a driver into one with a code: Conflict for a value that must be unique and is not,
// NotFound for a missing row, TooLarge, Invalid for a value the database refuses, Unavailable when trying again may
// help, Internal for all else. Errors that have a code keep it.
func translate(err error) error {
	var known *waybill.Error
	var lite *sqlite.Error
	var pg *pgconn.PgError
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return waybill.Wrap(waybill.NotFound, err, "no such row")
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return waybill.Wrap(waybill.Unavailable, err, "the work was cancelled")
	case errors.As(err, &lite):
		return fromSQLite(lite)
	case errors.As(err, &pg):
		return fromPostgres(pg)
	case disconnected(err):
		return waybill.Wrap(waybill.Unavailable, err, "the database is not available")
	default:
		return waybill.Wrap(waybill.Internal, err, "the database reported an error")
	}
}

func fromSQLite(err *sqlite.Error) error {
	if c := err.Code(); c == sqlite3.SQLITE_CONSTRAINT_UNIQUE || c == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
		return waybill.Wrap(waybill.Conflict, err, "it is there already")
	}
	switch err.Code() & 0xff { // the primary result code
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return waybill.Wrap(waybill.Unavailable, err, "the database is not available")
	case sqlite3.SQLITE_FULL:
		return waybill.Wrap(waybill.Unavailable, err, "the disk of the database is full")
	case sqlite3.SQLITE_TOOBIG:
		return waybill.Wrap(waybill.TooLarge, err, "the value is too large for the database")
	default:
		return waybill.Wrap(waybill.Internal, err, "the database reported an error")
	}
}

// fromPostgres maps SQLSTATE codes: PostgreSQL manual, appendix A.
func fromPostgres(err *pgconn.PgError) error {
	switch {
	case err.Code == "23505": // unique_violation
		return waybill.Wrap(waybill.Conflict, err, "it is there already")
	case contended(err), prefixed(err.Code, "08", "53", "55", "57", "58"):
		return waybill.Wrap(waybill.Unavailable, err, "the database is not available")
	case prefixed(err.Code, "54"):
		return waybill.Wrap(waybill.TooLarge, err, "the value is too large for the database")
	case prefixed(err.Code, "28", "3D"):
		return waybill.Wrap(waybill.Invalid, err, "the database refuses the connection")
	default:
		return waybill.Wrap(waybill.Internal, err, "the database reported an error")
	}
}

func prefixed(code string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(code, p) {
			return true
		}
	}
	return false
}

// contended reports whether the same transaction may succeed when it runs again: serialization_failure and
// deadlock_detected.
func contended(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

func disconnected(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, sql.ErrConnDone) || pgconn.SafeToRetry(err) || pgconn.Timeout(err)
}

// cutOff reports whether a connection that was there broke, as when the server restarts. Before the commit, the same
// transaction may run again on another one; a server that refuses connections is not asked again.
func cutOff(err error) bool {
	var connect *pgconn.ConnectError
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &connect), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.As(err, &pg):
		return prefixed(pg.Code, "08", "57P")
	default:
		return disconnected(err)
	}
}
