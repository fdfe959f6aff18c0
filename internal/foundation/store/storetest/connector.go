package storetest

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func places(t *testing.T, db *store.DB) {
	ctx := t.Context()
	site := waybill.Site{Name: "feeds-dev", Owner: "feeds", Environment: waybill.Dev, Created: now()}
	var created atomic.Int32
	together(8, func(i int) {
		err := db.Write(ctx, "test.site", func(tx *store.Tx) error {
			if err := connector.EnsureTeam(ctx, tx, "feeds", now()); err != nil {
				return err
			}
			is, err := connector.EnsureSite(ctx, tx, site)
			if is {
				tx.After(func() { created.Add(1) })
			}
			return err
		})
		if err != nil {
			t.Errorf("writer %d: %v", i, err)
		}
	})
	wantGot(t, int32(1), created.Load(), nil)
	got, err := connector.Site(ctx, db.Query(), "feeds-dev")
	wantGot(t, site, got, err)
	list, err := connector.Sites(ctx, db.Query())
	wantGot(t, []waybill.Site{site}, list, err)
	_, err = connector.Site(ctx, db.Query(), "none")
	wantCode(t, err, waybill.NotFound)

	mine := connector.Connector{Name: "shop-feed", Owner: "feeds", Repository: "1", Created: now()}
	theirs := connector.Connector{Name: "shop-feed", Owner: "ads", Repository: "2", Created: now()}
	for _, c := range []connector.Connector{mine, theirs, mine} {
		write(t, db, func(tx *store.Tx) error {
			owner, err := connector.ClaimName(ctx, tx, c)
			wantGot(t, mine, owner, err)
			return nil
		})
	}
	all, err := connector.Connectors(ctx, db.Query())
	wantGot(t, []connector.Connector{mine}, all, err)
	_, err = connector.GetConnector(ctx, db.Query(), "none")
	wantCode(t, err, waybill.NotFound)
}

func release(id string, env waybill.Environment) waybill.Release {
	size := "10"
	return waybill.Release{
		ID: id, Environment: env, Repository: "r", Ref: "refs/heads/main", Commit: "c", Check: "k", Semver: "1.2.0",
		Declaration: waybill.Declaration{
			Identity: waybill.Identity{Kind: "Connector", Name: "shop-feed", Major: 2}, File: "a/waybill.yaml", Folder: "a",
			Line: 3, Lines: map[string]int{"spec.build": 7}, Digest: "d",
			Connector: &waybill.Connector{
				Title: "Shop <feed> & more", Owner: "feeds", Labels: map[string]string{"a": "b"},
				Build:       waybill.Build{Dockerfile: "Dockerfile", Args: map[string]string{"A": "ü"}, Timeout: time.Minute},
				Application: waybill.Application{Command: "/x", HealthCheck: &waybill.HealthCheck{Timeout: time.Second}},
				Fields:      []waybill.Field{{Key: "size", Default: &size}},
			},
		},
		Steps: waybill.NewSteps(env), Outcome: waybill.Waiting, Created: now(),
	}
}

func releases(t *testing.T, db *store.DB) {
	ctx := t.Context()
	one, two := release("01", waybill.Dev), release("02", waybill.Dev)
	prod := release("03", waybill.Prod)
	for _, r := range []waybill.Release{two, one, prod} {
		write(t, db, func(tx *store.Tx) error { return connector.InsertRelease(ctx, tx, r) })
	}
	err := db.Write(ctx, "test.again", func(tx *store.Tx) error { return connector.InsertRelease(ctx, tx, one) })
	wantCode(t, err, waybill.Conflict)
	lane, err := connector.Lane(ctx, db.Query(), "shop-feed", 2, waybill.Dev)
	wantGot(t, []waybill.Release{one, two}, lane, err)
	if err := one.Move(waybill.StepBuild, waybill.Failed, "exit 1", now()); err != nil {
		t.Fatal(err)
	}
	one.Context, one.Recipe, one.Image, one.RepoDigest = "ctx", "rec", "sha256:1", "reg/x@sha256:2"
	changed := one
	changed.Commit = "not stored"
	write(t, db, func(tx *store.Tx) error { return connector.SaveRelease(ctx, tx, changed) })
	got, err := connector.Release(ctx, db.Query(), "01")
	wantGot(t, one, got, err)
	lane, err = connector.Lane(ctx, db.Query(), "shop-feed", 2, waybill.Dev)
	wantGot(t, []waybill.Release{two}, lane, err)
	for filter, want := range map[connector.ReleaseFilter][]string{
		{}:                               {"03", "02", "01"},
		{Connector: "shop-feed"}:         {"03", "02", "01"},
		{Major: 1}:                       nil,
		{Major: 2, Open: true}:           {"03", "02"},
		{Environment: waybill.Prod}:      {"03"},
		{Repository: "r", Commit: "c"}:   {"03", "02", "01"},
		{Check: "other"}:                 nil,
		{Before: "03", Limit: 1}:         {"02"},
		{Check: "k", Before: "02"}:       {"01"},
		{Commit: "c", Repository: "oth"}: nil,
	} {
		list, err := connector.Releases(ctx, db.Query(), filter)
		var ids []string
		for _, r := range list {
			ids = append(ids, r.ID)
		}
		if !slices.Equal(ids, want) || err != nil {
			t.Errorf("%+v: %v, %v; want %v", filter, ids, err, want)
		}
	}
	counts, err := connector.CountReleases(ctx, db.Query())
	wantGot(t, []connector.Count{{State: "failed", Count: 1}, {State: "waiting", Count: 2}}, counts, err)
	err = db.Write(ctx, "test.none", func(tx *store.Tx) error { return connector.SaveRelease(ctx, tx, release("09", waybill.Dev)) })
	wantCode(t, err, waybill.NotFound)
}

// pages: following Before visits everything once, newest first.
func pages(t *testing.T, db *store.DB) {
	ctx := t.Context()
	write(t, db, func(tx *store.Tx) error {
		for range 125 {
			if err := connector.InsertRelease(ctx, tx, release(store.NewID(tx.Now()), waybill.Dev)); err != nil {
				return err
			}
		}
		return nil
	})
	var ids []string
	for before := ""; ; {
		page, err := connector.Releases(ctx, db.Query(), connector.ReleaseFilter{Before: before})
		wantCode(t, err, "")
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			ids = append(ids, r.ID)
		}
		before = ids[len(ids)-1]
	}
	if len(ids) != 125 || !slices.IsSortedFunc(ids, func(a, b string) int { return -compare(a, b) }) {
		t.Errorf("%d ids in order %v", len(ids), ids)
	}
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// lives: of those who saw the same pointer, one moves it.
func lives(t *testing.T, db *store.DB) {
	ctx := t.Context()
	var moved atomic.Int64
	for round := range 5 {
		before, _, err := connector.FindLive(ctx, db.Query(), "a", 1, waybill.Prod)
		wantCode(t, err, "")
		together(8, func(i int) {
			err := db.Write(ctx, "test.live", func(tx *store.Tx) error {
				return connector.SetLive(ctx, tx, waybill.Live{
					Connector: "a", Major: 1, Environment: waybill.Prod, Release: fmt.Sprint(round, i), Seq: before.Seq, Since: now(),
				})
			})
			switch {
			case err == nil:
				moved.Add(1)
			case !waybill.IsCode(err, waybill.Conflict):
				t.Error(err)
			}
		})
	}
	got, found, err := connector.FindLive(ctx, db.Query(), "a", 1, waybill.Prod)
	wantGot(t, []int64{5, 5}, []int64{moved.Load(), got.Seq}, err)
	all, err := connector.Lives(ctx, db.Query())
	wantGot(t, []waybill.Live{got}, all, err)
	_, none, err := connector.FindLive(ctx, db.Query(), "a", 2, waybill.Prod)
	wantGot(t, []bool{true, false}, []bool{found, none}, err)
}

func images(t *testing.T, db *store.DB) {
	ctx := t.Context()
	put := func(i connector.Image) {
		t.Helper()
		write(t, db, func(tx *store.Tx) error { return connector.PutImage(ctx, tx, i) })
	}
	first := connector.Image{Context: "c", Recipe: "r", Image: "i1", FirstCommit: "one", Created: now()}
	put(first)
	first.Size = 7
	put(connector.Image{Context: "c", Recipe: "r", Image: "i1", RepoDigest: "reg@1", Size: 7, FirstCommit: "two", Created: now().Add(time.Hour)})
	first.RepoDigest = "reg@1"
	got, _, err := connector.FindImage(ctx, db.Query(), "c", "r")
	wantGot(t, first, got, err)
	rebuilt := connector.Image{Context: "c", Recipe: "r", Image: "i2", FirstCommit: "three", Created: now()}
	put(rebuilt)
	put(connector.Image{Context: "c2", Recipe: "r", Image: "i2"})
	got, found, err := connector.FindImage(ctx, db.Query(), "c", "r")
	wantGot(t, rebuilt, got, err)
	_, none, err := connector.FindImage(ctx, db.Query(), "c", "other")
	wantGot(t, []bool{true, false}, []bool{found, none}, err)

	healthy := func() (bool, string, string, bool) {
		t.Helper()
		ok, detail, log, found, err := connector.FindHealth(ctx, db.Query(), "i2", "p")
		wantCode(t, err, "")
		return ok, detail, log, found
	}
	write(t, db, func(tx *store.Tx) error {
		if err := connector.PutHealth(ctx, tx, "i2", "p", false, "exit 1", "log/1", now()); err != nil {
			return err
		}
		return connector.PutHealth(ctx, tx, "i2", "p", true, "exit 0", "log/2", now())
	})
	if ok, detail, log, found := healthy(); !ok || detail != "exit 0" || log != "log/2" || !found {
		t.Errorf("health %v %q %q %v", ok, detail, log, found)
	}
	write(t, db, func(tx *store.Tx) error { return connector.RemoveImage(ctx, tx, "c", "r") })
	if _, _, _, found := healthy(); !found {
		t.Error("the health of an image that is still there is gone")
	}
	write(t, db, func(tx *store.Tx) error { return connector.RemoveImage(ctx, tx, "c2", "r") })
	if _, _, _, found := healthy(); found {
		t.Error("the health of a removed image is still there")
	}
	list, err := connector.Images(ctx, db.Query())
	wantGot(t, 0, len(list), err)
}

func assignments(t *testing.T, db *store.DB) {
	ctx := t.Context()
	a := waybill.Assignment{
		Site: "s", Connector: "a", Major: 1, Config: map[string]string{"k": "v"}, Schedule: "@daily", Enabled: true, Updated: now(),
	}
	b := waybill.Assignment{Site: "s", Connector: "a-b", Major: 1, Updated: now()}
	for _, x := range []waybill.Assignment{b, a, a} {
		write(t, db, func(tx *store.Tx) error { return connector.PutAssignment(ctx, tx, x) })
	}
	got, found, err := connector.FindAssignment(ctx, db.Query(), "s", "a", 1)
	wantGot(t, a, got, err)
	_, none, err := connector.FindAssignment(ctx, db.Query(), "s", "a", 2)
	wantGot(t, []bool{true, false}, []bool{found, none}, err)
	list, err := connector.Assignments(ctx, db.Query(), connector.AssignmentFilter{Site: "s"})
	wantGot(t, []waybill.Assignment{a, b}, list, err)
	list, err = connector.Assignments(ctx, db.Query(), connector.AssignmentFilter{Connector: "a-b"})
	wantGot(t, []waybill.Assignment{b}, list, err)

	_, found, err = connector.NextSchedule(ctx, db.Query())
	wantGot(t, false, found, err)
	at := now()
	wake, stop := db.Subscribe(connector.ScheduleTopic)
	defer stop()
	write(t, db, func(tx *store.Tx) error {
		if err := connector.PutSchedule(ctx, tx, "s", "b", 1, "@daily", at.Add(time.Hour)); err != nil {
			return err
		}
		return connector.PutSchedule(ctx, tx, "s", "a", 1, "@hourly", at)
	})
	<-wake
	due, _, err := connector.NextSchedule(ctx, db.Query())
	wantGot(t, at, due, err)
	want := []connector.Schedule{{Site: "s", Connector: "a", Major: 1, Spec: "@hourly", Due: at}}
	now1, err := connector.DueSchedules(ctx, db.Query(), at)
	wantGot(t, want, now1, err)
	write(t, db, func(tx *store.Tx) error { return connector.RemoveSchedule(ctx, tx, "s", "b", 1) })
	all, err := connector.Schedules(ctx, db.Query())
	wantGot(t, want, all, err)
}

func runs(t *testing.T, db *store.DB) {
	ctx := t.Context()
	code := 3
	for i, state := range waybill.RunStates() {
		r := waybill.Run{ID: fmt.Sprint("0", i), Connector: "a", Major: 1 + i%2, Site: "s", State: state, ExitCode: &code, Values: map[string]string{"a": "b"}, Created: now()}
		write(t, db, func(tx *store.Tx) error { return connector.InsertRun(ctx, tx, r) })
		got, err := connector.Run(ctx, db.Query(), r.ID)
		wantGot(t, r, got, err)
	}
	list := func(want string, f connector.RunFilter) {
		t.Helper()
		got, err := connector.Runs(ctx, db.Query(), f)
		var ids []string
		for _, r := range got {
			ids = append(ids, r.ID)
		}
		wantGot(t, want, fmt.Sprint(ids), err)
	}
	list("[06 05 04 03 02 01 00]", connector.RunFilter{})
	list("[01 00]", connector.RunFilter{States: []waybill.RunState{waybill.RunQueued, waybill.RunRunning}})
	list("[04 02]", connector.RunFilter{Major: 1, Before: "06", Limit: 2, Site: "s", Connector: "a"})
	list("[]", connector.RunFilter{Site: "other"})

	queued, err := connector.Run(ctx, db.Query(), "00")
	wantCode(t, err, "")
	asked := queued
	asked.Cancel = true
	write(t, db, func(tx *store.Tx) error { return connector.SaveRun(ctx, tx, asked, waybill.RunQueued) })
	if err := queued.Move(waybill.RunRunning, now()); err != nil {
		t.Fatal(err)
	}
	write(t, db, func(tx *store.Tx) error { return connector.SaveRun(ctx, tx, queued, waybill.RunQueued) })
	got, err := connector.Run(ctx, db.Query(), "00")
	queued.Cancel = true // what somebody asked for is not forgotten
	wantGot(t, queued, got, err)
	err = db.Write(ctx, "test.late", func(tx *store.Tx) error { return connector.SaveRun(ctx, tx, asked, waybill.RunQueued) })
	wantCode(t, err, waybill.Conflict)
	err = db.Write(ctx, "test.none", func(tx *store.Tx) error {
		return connector.SaveRun(ctx, tx, waybill.Run{ID: "none"}, waybill.RunQueued)
	})
	wantCode(t, err, waybill.NotFound)
	counts, err := connector.CountRuns(ctx, db.Query())
	wantGot(t, 6, len(counts), err)
}
