package store

import (
	"context"
	"database/sql"
	"sync"
)

// maxPrepared bounds the statements that are kept prepared. The program has fewer; more means that somebody builds
// statements from values.
const maxPrepared = 400

// prepared keeps the statements of SQLite ready: reading their text takes longer than most of them run. The driver of
// PostgreSQL does so by itself: there it is nil. They are closed with the connection that they are on.
type prepared struct {
	on interface { // a connection or a pool
		PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	}
	ctx context.Context //nolint:containedctx // Outlives each caller, as the statements do.
	mu  sync.RWMutex
	by  map[string]*sql.Stmt
}

// runner runs statements by their text.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (p *prepared) exec(ctx context.Context, other runner, query string, args []any) (sql.Result, error) {
	if s := p.find(query); s != nil { //nolint:sqlclosecheck // It is kept.
		return s.ExecContext(ctx, args...)
	}
	return other.ExecContext(ctx, query, args...)
}

func (p *prepared) query(ctx context.Context, other runner, query string, args []any) (*sql.Rows, error) {
	if s := p.find(query); s != nil { //nolint:sqlclosecheck // It is kept.
		return s.QueryContext(ctx, args...)
	}
	return other.QueryContext(ctx, query, args...)
}

func (p *prepared) row(ctx context.Context, other runner, query string, args []any) *sql.Row {
	if s := p.find(query); s != nil { //nolint:sqlclosecheck // It is kept.
		return s.QueryRowContext(ctx, args...)
	}
	return other.QueryRowContext(ctx, query, args...)
}

// find returns the statement, or nil when it is to be run by its text.
func (p *prepared) find(query string) *sql.Stmt {
	if p == nil {
		return nil
	}
	p.mu.RLock()
	s, known := p.by[query]
	full := len(p.by) >= maxPrepared
	p.mu.RUnlock()
	if known || full {
		return s
	}
	return p.add(query)
}

func (p *prepared) add(query string) *sql.Stmt {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, known := p.by[query]; known {
		return s
	}
	s, err := p.on.PrepareContext(p.ctx, query) //nolint:sqlclosecheck // It is kept.
	if err != nil {
		return nil // it says so when it is run by its text
	}
	if p.by == nil {
		p.by = map[string]*sql.Stmt{}
	}
	p.by[query] = s
	return s
}
