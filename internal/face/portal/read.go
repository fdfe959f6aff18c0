package portal

import (
	"context"
	"slices"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// reader reads what one page needs and remembers it while the page is built.
type reader struct {
	q            store.Querier
	repositories map[string]waybill.Repository // by id
	releases     map[string]*waybill.Release   // by id
	heads        map[laneKey]*waybill.Release  // newest of each lane; nil: there is none
	lives        map[laneKey]waybill.Live
	all          bool // heads holds every lane there is
}

// laneKey names a lane.
type laneKey struct {
	Connector   string
	Major       int
	Environment waybill.Environment
}

// read begins a page.
func (p *Portal) read(ctx context.Context) (*reader, error) {
	r := &reader{
		q: p.DB.Query(), repositories: map[string]waybill.Repository{}, releases: map[string]*waybill.Release{},
		heads: map[laneKey]*waybill.Release{}, lives: map[laneKey]waybill.Live{},
	}
	repositories, err := gitstore.Repositories(ctx, r.q)
	if err != nil {
		return nil, err
	}
	for _, repository := range repositories {
		r.repositories[repository.ID] = repository
	}
	lives, err := connectorstore.Lives(ctx, r.q)
	if err != nil {
		return nil, err
	}
	for _, l := range lives {
		r.lives[laneKey{l.Connector, l.Major, l.Environment}] = l
	}
	return r, nil
}

// link returns the link of a commit.
func (r *reader) link(repository, sha string) commitLink {
	return newCommitLink(r.repositories, repository, sha)
}

// live tells which releases are live, by id.
func (r *reader) live() map[string]bool {
	live := map[string]bool{}
	for _, l := range r.lives {
		live[l.Release] = true
	}
	return live
}

// keep remembers releases, so that they are not read again. They come newest first: the first of a lane is its head.
func (r *reader) keep(releases []waybill.Release) {
	for i := range releases {
		rel := &releases[i]
		r.releases[rel.ID] = rel
		key := laneKey{rel.Declaration.Name, rel.Declaration.Major, rel.Environment}
		if _, known := r.heads[key]; !known {
			r.heads[key] = rel
		}
	}
}

// keepAll reads the head of every lane and every live release at once.
func (r *reader) keepAll(ctx context.Context) error {
	heads, err := connectorstore.Heads(ctx, r.q)
	if err != nil {
		return err
	}
	r.keep(heads)
	r.all = true
	return nil
}

// release returns a release, or nil when it is gone.
func (r *reader) release(ctx context.Context, id string) (*waybill.Release, error) {
	if known, ok := r.releases[id]; ok {
		return known, nil
	}
	release, err := connectorstore.Release(ctx, r.q, id)
	if waybill.IsCode(err, waybill.NotFound) {
		return nil, nil //nolint:nilnil // Gone is an answer, and no error.
	}
	if err != nil {
		return nil, err
	}
	r.releases[id] = &release
	return &release, nil
}

// lanes reads both lanes of a connector major.
func (r *reader) lanes(ctx context.Context, id waybill.Identity) (l lanes, err error) {
	if l.Dev, err = r.lane(ctx, id, waybill.Dev); err != nil {
		return lanes{}, err
	}
	l.Prod, err = r.lane(ctx, id, waybill.Prod)
	return l, err
}

func (r *reader) lane(ctx context.Context, id waybill.Identity, env waybill.Environment) (lane, error) {
	key := laneKey{id.Name, id.Major, env}
	if _, known := r.heads[key]; !known && !r.all {
		releases, err := connectorstore.Releases(ctx, r.q, connectorstore.ReleaseFilter{
			Connector: id.Name, Major: id.Major, Environment: env, Limit: 1,
		})
		if err != nil {
			return lane{}, err
		}
		r.keep(releases)
	}
	l := lane{Newest: r.heads[key]}
	pointer, ok := r.lives[key]
	if !ok {
		return l, nil
	}
	l.Since = pointer.Since
	var err error
	l.Live, err = r.release(ctx, pointer.Release)
	return l, err
}

// runRows builds the rows of runs, with the versions they ran.
func (r *reader) runRows(ctx context.Context, runs []waybill.Run) ([]runRow, error) {
	rows := make([]runRow, 0, len(runs))
	for _, run := range runs {
		release, err := r.release(ctx, run.Release)
		if err != nil {
			return nil, err
		}
		rows = append(rows, newRunRow(run, release, r.link))
	}
	return rows, nil
}

// majors lists the majors of a connector that are live or were read, lowest first.
func (r *reader) majors(name string) []int {
	var majors []int
	for key := range r.lives {
		if key.Connector == name {
			majors = append(majors, key.Major)
		}
	}
	for key := range r.heads {
		if key.Connector == name {
			majors = append(majors, key.Major)
		}
	}
	slices.Sort(majors)
	return slices.Compact(majors)
}
