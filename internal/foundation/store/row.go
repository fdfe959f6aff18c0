package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Find returns the first row of a query, or found false. dest lists the destinations of its columns within the value.
func Find[T any](ctx context.Context, q Querier, dest func(*T) []any, query string, args ...any) (v T, found bool, err error) {
	if err := ctx.Err(); err != nil {
		return v, false, translate(context.Cause(ctx))
	}
	err = q.QueryRowContext(ctx, query, args...).Scan(dest(&v)...)
	if errors.Is(err, sql.ErrNoRows) {
		return v, false, nil
	}
	return v, err == nil, translate(err)
}

// Get returns the first row of a query, or NotFound saying "no <what>".
func Get[T any](ctx context.Context, q Querier, what string, dest func(*T) []any, query string, args ...any) (T, error) {
	v, found, err := Find(ctx, q, dest, query, args...)
	if err == nil && !found {
		err = waybill.Errorf(waybill.NotFound, "no %s", what)
	}
	return v, err
}

// List returns all rows of a query.
func List[T any](ctx context.Context, q Querier, dest func(*T) []any, query string, args ...any) ([]T, error) {
	ask := q.QueryContext
	if tx, ok := q.(*Tx); ok {
		ask = tx.queryPrepared
	}
	rows, err := ask(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		var v T
		if err := rows.Scan(dest(&v)...); err != nil {
			return nil, translate(err)
		}
		list = append(list, v)
	}
	return list, translate(rows.Err())
}

// Exists returns NotFound saying "no <what>" when no row was changed.
func Exists(changed int64, err error, what string) error {
	if err == nil && changed == 0 {
		return waybill.Errorf(waybill.NotFound, "no %s", what)
	}
	return err
}
