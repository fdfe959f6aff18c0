package store_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// explainer asks SQLite how it would answer each query.
type explainer struct {
	store.Querier

	t     *testing.T
	plans []string
}

func (e *explainer) explain(ctx context.Context, query string, args []any) {
	e.t.Helper()
	type step struct {
		id, parent, unused int
		detail             string
	}
	steps, err := store.List(ctx, e.Querier, func(s *step) []any { return []any{&s.id, &s.parent, &s.unused, &s.detail} },
		"EXPLAIN QUERY PLAN "+query, args...)
	if err != nil || len(steps) == 0 {
		e.t.Errorf("%s cannot be explained: %v", query, err)
	}
	for _, s := range steps {
		e.plans = append(e.plans, s.detail)
	}
}

func (e *explainer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	e.explain(ctx, query, args)
	return e.Querier.QueryContext(ctx, query, args...)
}

func (e *explainer) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	e.explain(ctx, query, args)
	return e.Querier.QueryRowContext(ctx, query, args...)
}

// TestListsAskAnIndex: what pushes, pages and scrapes ask of tables that only grow is neither sorted nor read as a whole.
func TestListsAskAnIndex(t *testing.T) {
	t.Parallel()
	db := open(t, store.Options{URL: filepath.Join(t.TempDir(), "waybill.db")})
	few := map[string]bool{"depth": true, "releases under way": true} // what is open is never many, and may be sorted
	releases := func(f connector.ReleaseFilter) func(context.Context, store.Querier) error {
		return func(ctx context.Context, q store.Querier) error { _, err := connector.Releases(ctx, q, f); return err }
	}
	runs := func(f connector.RunFilter) func(context.Context, store.Querier) error {
		return func(ctx context.Context, q store.Querier) error { _, err := connector.Runs(ctx, q, f); return err }
	}
	history := func(f store.HistoryFilter) func(context.Context, store.Querier) error {
		return func(ctx context.Context, q store.Querier) error { _, err := store.History(ctx, q, f); return err }
	}
	for name, ask := range map[string]func(context.Context, store.Querier) error{
		"releases":                releases(connector.ReleaseFilter{}),
		"releases of a connector": releases(connector.ReleaseFilter{Connector: "a"}),
		"releases of a major":     releases(connector.ReleaseFilter{Connector: "a", Major: 1}),
		"releases to dev":         releases(connector.ReleaseFilter{Connector: "a", Major: 1, Environment: waybill.Dev}),
		"releases of a commit":    releases(connector.ReleaseFilter{Commit: "c"}),
		"releases of a check":     releases(connector.ReleaseFilter{Check: "c"}),
		"releases under way":      releases(connector.ReleaseFilter{Open: true}),
		"trials under way":        releases(connector.ReleaseFilter{Environment: waybill.Try, Repository: "r", Open: true}),
		"runs":                    runs(connector.RunFilter{}),
		"runs of a connector":     runs(connector.RunFilter{Connector: "a"}),
		"runs at a site":          runs(connector.RunFilter{Site: "s"}),
		"runs in a state":         runs(connector.RunFilter{States: []waybill.RunState{"failed"}}),
		"history":                 history(store.HistoryFilter{}),
		"history of a subject":    history(store.HistoryFilter{Subject: "s"}),
		"history of a repository": history(store.HistoryFilter{Repository: "r"}),
		"history of a commit":     history(store.HistoryFilter{Commit: "c"}),
		"who pushed": func(ctx context.Context, q store.Querier) error {
			_, err := git.Pusher(ctx, q, "r", "refs/heads/main", "c")
			return err
		},
		"passed": func(ctx context.Context, q store.Querier) error {
			_, err := git.Passed(ctx, q, "r", "refs/heads/main", "c", time.Now())
			return err
		},
		"checks of a commit": func(ctx context.Context, q store.Querier) error {
			_, err := git.Checks(ctx, q, "r", "c")
			return err
		},
		"open checks": func(ctx context.Context, q store.Querier) error {
			_, err := git.OpenChecks(ctx, q, "r", "refs/heads/main")
			return err
		},
		"outbox": func(ctx context.Context, q store.Querier) error {
			_, err := git.Outbox(ctx, q, "r", "c")
			return err
		},
		"counted runs": func(ctx context.Context, q store.Querier) error { _, err := connector.CountRuns(ctx, q); return err },
		"counted releases": func(ctx context.Context, q store.Querier) error {
			_, err := connector.CountReleases(ctx, q)
			return err
		},
		"depth": func(ctx context.Context, q store.Querier) error {
			_, err := queue.Depth(ctx, q, time.Now())
			return err
		},
	} {
		e := &explainer{Querier: db.Query(), t: t}
		if err := ask(t.Context(), e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, step := range e.plans {
			whole := strings.HasPrefix(step, "SCAN ") && !strings.Contains(step, "USING") && step != "SCAN recent" && step != "SCAN open"
			if sorted := strings.Contains(step, "TEMP B-TREE"); whole || sorted && !few[name] {
				t.Errorf("%s: %s", name, strings.Join(e.plans, "; "))
			}
		}
	}
}
