package connector

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const releaseColumns = `id, environment, repository, ref, sha, check_id, semver, image_context, recipe, image,
	repo_digest, outcome, created, declaration, steps, actor`

func releaseRow(r *waybill.Release) []any {
	return []any{
		&r.ID, &r.Environment, &r.Repository, &r.Ref, &r.Commit, &r.Check, &r.Semver, &r.Context, &r.Recipe, &r.Image,
		&r.RepoDigest, &r.Outcome, store.Time(&r.Created), store.JSON(&r.Declaration), store.JSON(&r.Steps), &r.Actor,
	}
}

// stored returns r with its times as columns keep them. An empty outcome is waiting.
func stored(r waybill.Release) waybill.Release {
	r.Steps = slices.Clone(r.Steps)
	for i := range r.Steps {
		st := &r.Steps[i]
		st.Started, st.Ended = st.Started.UTC().Truncate(time.Microsecond), st.Ended.UTC().Truncate(time.Microsecond)
	}
	if r.Outcome == "" {
		r.Outcome = waybill.Waiting
	}
	return r
}

// InsertRelease stores a new release. It reports Conflict when the id is there.
func InsertRelease(ctx context.Context, tx *store.Tx, r waybill.Release) error {
	r = stored(r)
	_, err := tx.ExecContext(ctx, `INSERT INTO releases (`+releaseColumns+`, connector, major)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		append(releaseRow(&r), r.Declaration.Name, r.Declaration.Major)...)
	return err
}

// SaveRelease stores what changes in the life of a release: steps, outcome, context, recipe, image and repository
// digest. Everything else stays as inserted. It reports NotFound without the release.
func SaveRelease(ctx context.Context, tx *store.Tx, r waybill.Release) error {
	r = stored(r)
	changed, err := tx.Exec(ctx, `UPDATE releases SET steps = $2, outcome = $3, image_context = $4, recipe = $5,
		image = $6, repo_digest = $7 WHERE id = $1`,
		r.ID, store.JSON(&r.Steps), r.Outcome, r.Context, r.Recipe, r.Image, r.RepoDigest)
	return store.Exists(changed, err, "release "+r.ID)
}

// Release returns a release by id, or NotFound.
func Release(ctx context.Context, q store.Querier, id string) (waybill.Release, error) {
	return store.Get(ctx, q, "release "+id, releaseRow, `SELECT `+releaseColumns+` FROM releases WHERE id = $1`, id)
}

// ReleaseFilter selects releases; zero fields select all, but those that were built for a pull request only when the
// environment, a commit or a check asks for them.
type ReleaseFilter struct {
	Connector   string
	Major       int
	Environment waybill.Environment
	Repository  string // Repository.ID
	Commit      string
	Semver      string
	Check       string // Check.ID
	Open        bool   // only those whose outcome is not final
	Before      string // a Release.ID: only older ones
	Limit       int    // 50 when zero
}

// Releases lists releases, newest first. The next page is before the id of the last one.
func Releases(ctx context.Context, q store.Querier, f ReleaseFilter) ([]waybill.Release, error) {
	var w store.Filter
	w.And("connector = $", f.Connector)
	w.And("major = $", f.Major)
	w.And("environment = $", f.Environment)
	w.And("repository = $", f.Repository)
	w.And("sha = $", f.Commit)
	w.And("semver = $", f.Semver)
	w.And("check_id = $", f.Check)
	if f.Environment == "" && f.Commit == "" && f.Check == "" {
		w.Only("environment <> 'try'")
	}
	if f.Open {
		w.Only("outcome IN ('waiting', 'running')")
	}
	tail, args := w.Newest(f.Before, f.Limit)
	return store.List(ctx, q, releaseRow, `SELECT `+releaseColumns+` FROM releases`+tail, args...)
}

// Lane lists the releases of a connector major to an environment whose outcome is not final, oldest first.
func Lane(ctx context.Context, q store.Querier, connector string, major int, env waybill.Environment) ([]waybill.Release, error) {
	return store.List(ctx, q, releaseRow, `SELECT `+releaseColumns+` FROM releases
		WHERE connector = $1 AND major = $2 AND environment = $3 AND outcome IN ('waiting', 'running')
		ORDER BY id`, connector, major, env)
}

// CountReleases counts the releases of each outcome.
func CountReleases(ctx context.Context, q store.Querier) ([]Count, error) {
	return store.List(ctx, q, countRow, `SELECT outcome, COUNT(*) FROM releases GROUP BY outcome ORDER BY outcome`)
}

const liveColumns = `connector, major, environment, release_id, seq, since`

func liveRow(l *waybill.Live) []any {
	return []any{&l.Connector, &l.Major, &l.Environment, &l.Release, &l.Seq, store.Time(&l.Since)}
}

// FindLive returns what new runs of a connector major use in an environment.
func FindLive(ctx context.Context, q store.Querier, connector string, major int, env waybill.Environment) (waybill.Live, bool, error) {
	return store.Find(ctx, q, liveRow, `SELECT `+liveColumns+` FROM lives
		WHERE connector = $1 AND major = $2 AND environment = $3`, connector, major, env)
}

// LivesOf lists what an environment serves of the connectors whose names a repository holds.
func LivesOf(ctx context.Context, q store.Querier, repository string, env waybill.Environment) ([]waybill.Live, error) {
	return store.List(ctx, q, liveRow, `SELECT `+liveColumns+` FROM lives
		WHERE environment = $1 AND connector IN (SELECT name FROM connectors WHERE repository = $2)
		ORDER BY connector, major`, env, repository)
}

// Lives lists all live pointers by connector, major and environment.
func Lives(ctx context.Context, q store.Querier) ([]waybill.Live, error) {
	list, err := store.List(ctx, q, liveRow, `SELECT `+liveColumns+` FROM lives ORDER BY major, environment`)
	slices.SortStableFunc(list, func(a, b waybill.Live) int { return strings.Compare(a.Connector, b.Connector) })
	return list, err
}

// SetLive moves the pointer if its Seq is still l.Seq, as FindLive returned it; 0 means that there was none. The new
// Seq is one more. It reports Conflict when somebody else moved the pointer first.
func SetLive(ctx context.Context, tx *store.Tx, l waybill.Live) error {
	statement := `UPDATE lives SET release_id = $4, seq = seq + 1, since = $6
		WHERE connector = $1 AND major = $2 AND environment = $3 AND seq = $5`
	if l.Seq == 0 {
		statement = `INSERT INTO lives (` + liveColumns + `) VALUES ($1, $2, $3, $4, $5 + 1, $6)
			ON CONFLICT (connector, major, environment) DO NOTHING`
	}
	changed, err := tx.Exec(ctx, statement, l.Connector, l.Major, l.Environment, l.Release, l.Seq, store.Micros(l.Since))
	if err == nil && changed == 0 {
		err = waybill.Errorf(waybill.Conflict, "somebody else has changed what is live of %s in %s",
			waybill.Identity{Name: l.Connector, Major: l.Major}, l.Environment)
	}
	return err
}

// RemoveLive forgets what an environment serves of a connector major. Nothing is no error.
func RemoveLive(ctx context.Context, tx *store.Tx, connector string, major int, env waybill.Environment) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM lives WHERE connector = $1 AND major = $2 AND environment = $3`, connector, major, env)
	return err
}
