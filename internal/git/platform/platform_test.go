package platform

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	platformstore "github.com/waybill-dev/waybill/internal/foundation/store/platform"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// registry remembers what is watched.
type registry struct {
	watched map[string]bool
	refuse  error
}

func (r *registry) Acceptable(context.Context, store.Querier, string, waybill.RepositorySpec) error {
	return r.refuse
}

func (r *registry) Declare(_ context.Context, _ *store.Tx, name string, _ waybill.RepositorySpec, _ waybill.Actor) error {
	r.watched[name] = true
	return nil
}

func (r *registry) Withdraw(_ context.Context, _ *store.Tx, name string, _ waybill.RepositorySpec, _ waybill.Actor) error {
	delete(r.watched, name)
	return nil
}

// office is an engine on a real store.
type office struct {
	*Engine
	t        *testing.T
	db       *store.DB
	registry *registry
}

func newOffice(t *testing.T) *office {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{
		URL: filepath.Join(t.TempDir(), "waybill.db"), Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r := &registry{watched: map[string]bool{}}
	return &office{Engine: New(Options{URL: "/platform.git", Repositories: r, Now: time.Now}), t: t, db: db, registry: r}
}

// declare makes a declaration whose digest is its content.
func declare(kind, name string, spec waybill.Platform) waybill.Declaration {
	spec.Owner = "ops"
	return waybill.Declaration{
		Identity: waybill.Identity{Kind: kind, Name: name, Major: 1}, File: "waybill.yaml", Line: 1,
		Digest: fmt.Sprintf("%+v %+v", spec.Site, spec.Team), Platform: &spec,
	}
}

func site(name string, env waybill.Environment, assignments ...waybill.AssignmentSpec) waybill.Declaration {
	return declare("Site", name, waybill.Platform{Site: &waybill.SiteSpec{Environment: env, Assignments: assignments}})
}

// apply applies wanted and returns how many settings changed.
func (o *office) apply(wanted ...waybill.Declaration) int {
	o.t.Helper()
	changed := 0
	err := o.db.Write(o.t.Context(), "test", func(tx *store.Tx) (err error) {
		changed, err = o.Apply(o.t.Context(), tx, waybill.Check{Repository: "P", Commit: "c", Actor: "ada"}, wanted)
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return changed
}

// state lists what is there, one thing a line.
func (o *office) state() string {
	o.t.Helper()
	ctx, q := o.t.Context(), o.db.Query()
	var lines []string
	settings, err := platformstore.List(ctx, q, "")
	for _, s := range settings {
		lines = append(lines, s.Kind+" "+s.Name)
	}
	sites, err2 := connectorstore.Sites(ctx, q)
	for _, s := range sites {
		lines = append(lines, "site "+s.Name+" "+string(s.Environment))
	}
	assignments, err3 := connectorstore.Assignments(ctx, q, connectorstore.AssignmentFilter{})
	for _, a := range assignments {
		lines = append(lines, fmt.Sprintf("%s@%d at %s %v", a.Connector, a.Major, a.Site, a.Config))
	}
	for _, err := range []error{err, err2, err3} {
		if err != nil {
			o.t.Fatal(err)
		}
	}
	return strings.Join(lines, "\n")
}

func TestPushAndRevert(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	team := declare("Team", "feeds", waybill.Platform{Team: &waybill.TeamSpec{}})
	watched := declare("Repository", "shop-feed", waybill.Platform{Repository: &waybill.RepositorySpec{URL: "/a.git", Owner: "feeds"}})
	one := waybill.AssignmentSpec{Connector: "shop-feed", Major: 1, Config: map[string]string{"base_url": "a"}, Enabled: true}
	two := waybill.AssignmentSpec{Connector: "shop-feed", Major: 2, Enabled: true}

	if n := o.apply(team, watched, site("feeds-prod", waybill.Prod, one)); n != 3 {
		t.Errorf("first push changed %d settings", n)
	}
	first := o.state()
	want := strings.Join([]string{
		"Repository shop-feed", "Site feeds-prod", "Team feeds", "site feeds-prod prod", "shop-feed@1 at feeds-prod map[base_url:a]",
	}, "\n")
	if diff := cmp.Diff(want, first); diff != "" || !o.registry.watched["shop-feed"] {
		t.Errorf("watched %v\n%s", o.registry.watched, diff)
	}
	if n := o.apply(team, watched, site("feeds-prod", waybill.Prod, one)); n != 0 {
		t.Errorf("the same again changed %d settings", n)
	}

	one.Config = map[string]string{"base_url": "b"}
	if n := o.apply(team, site("feeds-prod", waybill.Prod, one, two), site("other", waybill.Dev)); n != 3 {
		t.Errorf("second push changed %d settings", n)
	}
	if got := o.state(); !strings.Contains(got, "shop-feed@2 at feeds-prod") || !strings.Contains(got, "map[base_url:b]") || o.registry.watched["shop-feed"] {
		t.Errorf("after the second push:\n%s", got)
	}

	one.Config = map[string]string{"base_url": "a"}
	o.apply(team, watched, site("feeds-prod", waybill.Prod, one))
	if diff := cmp.Diff(first, o.state()); diff != "" {
		t.Errorf("a revert takes everything back (-first +reverted):\n%s", diff)
	}
	history, err := store.History(t.Context(), o.db.Query(), store.HistoryFilter{Subject: "site:feeds-prod"})
	if err != nil || len(history) != 3 || history[0].Actor != "ada" {
		t.Errorf("history: %+v, %v", history, err)
	}
}

func TestContradictionsAreRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.apply(site("feeds-prod", waybill.Prod))
	o.registry.refuse = waybill.Errorf(waybill.Conflict, "repository feeds/shop-feed is watched at /b.git")
	moved := site("feeds-prod", waybill.Dev)
	moved.Lines, moved.Columns = map[string]int{"spec.environment": 7}, map[string]int{"spec.environment": 16}
	refused, err := o.refuse(t.Context(), o.db.Query(), []waybill.Declaration{
		moved, site("new", waybill.Dev),
		declare("Repository", "shop-feed", waybill.Platform{Repository: &waybill.RepositorySpec{}}),
	})
	if err != nil || len(refused) != 2 || refused.Errors() != 2 {
		t.Fatalf("%v, %v", refused, err)
	}
	if got := refused[0].String(); !strings.Contains(got, ":7:16: error WB906: site feeds-prod is a prod site and cannot become dev") {
		t.Error(got)
	}
}
