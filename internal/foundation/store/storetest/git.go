package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func repository(id, owner, name string) waybill.Repository {
	return waybill.Repository{
		ID: id, Owner: owner, Name: name, URL: "/git/" + owner + "/" + name + ".git", Forge: "plain",
		Hook: "hook-" + id, HookSecret: "s", PushNotes: true, Added: now(),
	}
}

func repositories(t *testing.T, db *store.DB) {
	ctx := t.Context()
	a, b, c := repository("1", "feeds", "shop-feed"), repository("2", "feeds", "shop"), repository("3", "ads", "shop")
	for _, r := range []waybill.Repository{a, b, c} {
		write(t, db, func(tx *store.Tx) error { return git.AddRepository(ctx, tx, r) })
	}
	for _, rival := range []waybill.Repository{
		{ID: "4", Owner: "x", Name: "y", URL: a.URL},
		{ID: "5", Owner: "feeds", Name: "shop", URL: "/elsewhere"},
	} {
		err := db.Write(ctx, "test.rival", func(tx *store.Tx) error { return git.AddRepository(ctx, tx, rival) })
		wantCode(t, err, waybill.Conflict)
	}
	list, err := git.Repositories(ctx, db.Query())
	wantGot(t, []waybill.Repository{c, b, a}, list, err)
	for _, name := range []string{"1", "feeds/shop-feed", "shop-feed", a.URL} {
		got, err := git.RepositoryByName(ctx, db.Query(), name)
		wantGot(t, a, got, err)
	}
	_, err = git.RepositoryByName(ctx, db.Query(), "shop")
	wantCode(t, err, waybill.Conflict)
	_, err = git.RepositoryByName(ctx, db.Query(), "nothing")
	wantCode(t, err, waybill.NotFound)
	got, err := git.RepositoryByHook(ctx, db.Query(), "hook-2")
	wantGot(t, b, got, err)
	_, err = git.RepositoryByHook(ctx, db.Query(), "")
	wantCode(t, err, waybill.NotFound)
	b.DefaultBranch, b.LastPolled = "main", now()
	write(t, db, func(tx *store.Tx) error {
		if err := git.SetDefaultBranch(ctx, tx, "2", "main"); err != nil {
			return err
		}
		return git.SetPolled(ctx, tx, map[string]time.Time{"2": b.LastPolled, "gone": now()})
	})
	got, err = git.Repository(ctx, db.Query(), "2")
	wantGot(t, b, got, err)
	write(t, db, func(tx *store.Tx) error { return git.RemoveRepository(ctx, tx, "2") })
	_, err = git.Repository(ctx, db.Query(), "2")
	wantCode(t, err, waybill.NotFound)
	write(t, db, func(tx *store.Tx) error { return git.AddRepository(ctx, tx, repository("6", "feeds", "shop")) })
}

func deliveries(t *testing.T, db *store.DB) {
	ctx := t.Context()
	d := waybill.Delivery{
		Repository: "r", Forge: "plain", Hook: "h", Received: now(),
		Event: waybill.Event{Kind: "push", Key: "k", Actor: "ann", Refs: []waybill.RefUpdate{{Name: "refs/heads/main", Old: "0", New: "1"}}},
	}
	ids := make([]string, 20)
	var fresh atomic.Int32
	together(len(ids), func(i int) {
		err := db.Write(ctx, "test.accept", func(tx *store.Tx) error {
			id, first, err := git.AcceptDelivery(ctx, tx, d)
			ids[i] = id
			if first {
				tx.After(func() { fresh.Add(1) })
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) != 1 || fresh.Load() != 1 {
		t.Fatalf("ids %v, %d fresh; want one", ids, fresh.Load())
	}
	got, err := git.Delivery(ctx, db.Query(), ids[0])
	d.ID = ids[0]
	wantGot(t, d, got, err)
	d.ID, d.Hook = "", "other"
	write(t, db, func(tx *store.Tx) error {
		if _, first, err := git.AcceptDelivery(ctx, tx, d); err != nil || !first {
			t.Errorf("another hook with the same key: %v, %v", first, err)
		}
		return nil
	})
	_, err = git.Delivery(ctx, db.Query(), "none")
	wantCode(t, err, waybill.NotFound)
}

func pulls(t *testing.T, db *store.DB) {
	ctx := t.Context()
	p := waybill.Pull{
		Repository: "R", Number: 7, Ref: "refs/pull/7/head", Head: "aaa", Base: "main", Open: true, Title: "A \"title\"", Author: "ada", Seen: now(),
	}
	other := waybill.Pull{Repository: "R", Number: 3, Open: true}
	put := func(all ...waybill.Pull) {
		t.Helper()
		for _, p := range all {
			write(t, db, func(tx *store.Tx) error { return git.PutPull(ctx, tx, p) })
		}
	}
	put(p, other, waybill.Pull{Repository: "S", Number: 7, Open: true})
	write(t, db, func(tx *store.Tx) error {
		if err := git.SetPullComment(ctx, tx, "R", 7, "99", "digest"); err != nil {
			return err
		}
		if err := git.SetPullNote(ctx, tx, "R", 7, "no such command"); err != nil {
			return err
		}
		return git.SetPullAgainst(ctx, tx, "R", 7, "bbb")
	})
	p.Head = "ccc"
	put(p) // what Waybill remembers stays, whatever a hint holds
	p.Comment, p.Told, p.Note, p.Against = "99", "digest", "no such command", "bbb"
	got, err := git.Pull(ctx, db.Query(), "R", 7)
	wantGot(t, p, got, err)
	list, err := git.OpenPulls(ctx, db.Query(), "R")
	wantGot(t, []waybill.Pull{other, p}, list, err)
	p.Open = false
	put(p)
	list, err = git.OpenPulls(ctx, db.Query(), "R")
	wantGot(t, []waybill.Pull{other}, list, err)
	_, err = git.Pull(ctx, db.Query(), "R", 8)
	wantCode(t, err, waybill.NotFound)
	err = db.Write(ctx, "test.none", func(tx *store.Tx) error { return git.SetPullNote(ctx, tx, "R", 8, "") })
	wantCode(t, err, waybill.NotFound)
}

func comments(t *testing.T, db *store.DB) {
	ctx := t.Context()
	for _, c := range []struct{ repository, comment, delivery, first string }{
		{"R", "1", "a", "a"}, {"R", "1", "b", "a"}, {"R", "2", "b", "b"}, {"S", "1", "c", "c"}, {"R", "1", "a", "a"},
	} {
		write(t, db, func(tx *store.Tx) error {
			first, err := git.HearComment(ctx, tx, c.repository, c.comment, c.delivery)
			wantGot(t, c.first, first, err)
			return nil
		})
	}
	old, young := store.NewID(now().Add(-time.Hour)), store.NewID(now())
	for _, id := range []string{old, young} {
		write(t, db, func(tx *store.Tx) error { _, err := git.HearComment(ctx, tx, "T", id, id); return err })
	}
	write(t, db, func(tx *store.Tx) error { _, err := git.PruneComments(ctx, tx, now().Add(-time.Minute)); return err })
	for id, want := range map[string]string{old: "again", young: young} {
		write(t, db, func(tx *store.Tx) error {
			first, err := git.HearComment(ctx, tx, "T", id, "again")
			wantGot(t, want, first, err)
			return nil
		})
	}
}

func refs(t *testing.T, db *store.DB) {
	ctx := t.Context()
	main := waybill.Ref{Repository: "r", Name: "refs/heads/main", Tip: "1", Observed: now()}
	dash := waybill.Ref{Repository: "r", Name: "refs/heads/-a", Tip: "2", Observed: now()}
	for _, r := range []waybill.Ref{main, dash, {Repository: "other", Name: "refs/heads/main"}} {
		write(t, db, func(tx *store.Tx) error { return git.PutRef(ctx, tx, r) })
	}
	main.Tip = "3"
	write(t, db, func(tx *store.Tx) error { return git.PutRef(ctx, tx, main) })
	list, err := git.Refs(ctx, db.Query(), "r")
	wantGot(t, []waybill.Ref{dash, main}, list, err)
	got, found, err := git.FindRef(ctx, db.Query(), "r", main.Name)
	wantGot(t, main, got, err)
	_, none, err := git.FindRef(ctx, db.Query(), "r", "refs/heads/none")
	wantGot(t, []bool{true, false}, []bool{found, none}, err)
	nameOf := func(r waybill.Ref) git.RefName { return git.RefName{Repository: r.Repository, Name: r.Name} }
	for _, asked := range [][]git.RefName{
		{nameOf(main)}, {nameOf(main), {Repository: "r", Name: "refs/heads/none"}, nameOf(dash), {Repository: "other", Name: dash.Name}}, nil,
	} {
		want, some := map[git.RefName]waybill.Ref{}, map[git.RefName]waybill.Ref(nil)
		for _, r := range []waybill.Ref{main, dash} {
			if slices.Contains(asked, nameOf(r)) {
				want[nameOf(r)] = r
			}
		}
		write(t, db, func(tx *store.Tx) (err error) { some, err = git.FindRefs(ctx, tx, asked); return err })
		wantGot(t, want, some, nil)
	}
}

func check(id, commit string, phase waybill.Phase) waybill.Check {
	return waybill.Check{
		ID: id, Repository: "1", Ref: "refs/heads/main", Commit: commit, Cause: "push", Actor: "ann", Phase: phase,
		Findings: waybill.Findings{{Code: "WB101", Severity: waybill.SeverityWarning, File: "waybill.yaml", Line: 3}},
		State:    waybill.StateSuccess, Summary: "1 connector", Connectors: []string{"a"}, Opened: now(),
	}
}

func checks(t *testing.T, db *store.DB) {
	ctx := t.Context()
	write(t, db, func(tx *store.Tx) error { return git.AddRepository(ctx, tx, repository("1", "a", "b")) })
	one, two := check("01", "abcd"+strings.Repeat("0", 36), waybill.Planned), check("02", "abcf"+strings.Repeat("f", 36), waybill.Fetched)
	three := check("03", two.Commit, waybill.Loaded)
	for _, c := range []waybill.Check{one, two, three} {
		write(t, db, func(tx *store.Tx) error { return git.PutCheck(ctx, tx, c) })
	}
	open, err := git.OpenChecks(ctx, db.Query(), "1", "refs/heads/main")
	wantGot(t, []waybill.Check{two, three}, open, err)
	three.Phase, three.Closed = waybill.Planned, now()
	write(t, db, func(tx *store.Tx) error { return git.PutCheck(ctx, tx, three) })
	open, err = git.OpenChecks(ctx, db.Query(), "1", "refs/heads/main")
	wantGot(t, []waybill.Check{two}, open, err)
	latest, found, err := git.LatestCheck(ctx, db.Query(), "1", "refs/heads/main")
	wantGot(t, three, latest, err)
	before, _, err := git.CheckBefore(ctx, db.Query(), "1", "refs/heads/main", three.ID)
	wantGot(t, two, before, err)
	_, none, err := git.LatestCheck(ctx, db.Query(), "1", "refs/heads/other")
	wantGot(t, []bool{true, false}, []bool{found, none}, err)
	got, err := git.Check(ctx, db.Query(), "03")
	wantGot(t, three, got, err)
	list, err := git.Checks(ctx, db.Query(), "1", two.Commit)
	wantGot(t, []waybill.Check{three, two}, list, err)
	list, err = git.Checks(ctx, db.Query(), "1", "")
	wantGot(t, []waybill.Check{three, two, one}, list, err)
	for prefix, n := range map[string]int{"abcd": 1, "ABCF": 1, two.Commit: 1, "abce": 0, "ffff": 0} {
		if commits, err := git.FindCommit(ctx, db.Query(), prefix); len(commits) != n || err != nil {
			t.Errorf("%s: %v, %v", prefix, commits, err)
		}
	}
	for _, prefix := range []string{"abc", "", "main", "abc%", "abcg"} {
		_, err := git.FindCommit(ctx, db.Query(), prefix)
		wantCode(t, err, waybill.Invalid)
	}
}

// set stores statuses of commit c of repository 1.
func set(t *testing.T, db *store.DB, statuses ...waybill.Status) {
	t.Helper()
	write(t, db, func(tx *store.Tx) error { return git.SetStatuses(t.Context(), tx, "1", "c", statuses) })
}

// said lists what the commit says, without times.
func said(t *testing.T, db *store.DB) []waybill.Status {
	t.Helper()
	list, err := git.Statuses(t.Context(), db.Query(), "1", "c")
	wantCode(t, err, "")
	for i := range list {
		if list[i].Started.IsZero() || list[i].Updated.Before(list[i].Started) {
			t.Errorf("%s started %v, updated %v", list[i].Context, list[i].Started, list[i].Updated)
		}
		list[i].Started, list[i].Updated = time.Time{}, time.Time{}
	}
	return list
}

func status(context string, state waybill.State, description string) waybill.Status {
	return waybill.Status{Context: context, State: state, Description: description}
}

func statuses(t *testing.T, db *store.DB) {
	build, dev := status("waybill/a/build", waybill.StatePending, "running"), status("waybill/a/dev", waybill.StatePending, "waiting")
	set(t, db, build, dev)
	aggregate := waybill.Status{Context: "waybill", State: waybill.StatePending, Description: "in progress", Outcome: waybill.Running}
	wantGot(t, []waybill.Status{aggregate, build, dev}, said(t, db), nil)
	before, err := git.Statuses(t.Context(), db.Query(), "1", "c")
	wantCode(t, err, "")
	build.State, build.Description, build.Outcome = waybill.StateSuccess, "sha256:1", waybill.OK
	dev.State, dev.Description, dev.URL = waybill.StateFailure, strings.Repeat("é", 200), "/connectors/a"
	set(t, db, build, dev, waybill.Status{Context: "waybill", State: waybill.StateError, URL: "/commits/c"})
	dev.Description = waybill.Describe(dev.Description)
	aggregate = waybill.Status{
		Context: "waybill", State: waybill.StateFailure, Outcome: waybill.Failed, URL: "/commits/c",
		Description: waybill.Describe("a/dev: " + dev.Description),
	}
	wantGot(t, []waybill.Status{aggregate, build, dev}, said(t, db), nil)
	after, err := git.Statuses(t.Context(), db.Query(), "1", "c")
	wantCode(t, err, "")
	for i := range after {
		if !after[i].Started.Equal(before[i].Started) || !after[i].Updated.After(before[i].Updated) {
			t.Errorf("%s: %+v became %+v", after[i].Context, before[i], after[i])
		}
	}
	dev.State = waybill.StatePending // it begins again
	set(t, db, dev)
	again, err := git.Statuses(t.Context(), db.Query(), "1", "c")
	wantCode(t, err, "")
	if !again[2].Started.After(after[2].Started) || again[0].URL != "/commits/c" {
		t.Errorf("after beginning again: %+v", again)
	}
}

// aggregates: many writers, one verdict, each change with a number of its own.
func aggregates(t *testing.T, db *store.DB) {
	ctx := t.Context()
	c := check("01", "c", waybill.Loaded)
	write(t, db, func(tx *store.Tx) error { return git.PutCheck(ctx, tx, c) })
	together(8, func(i int) {
		err := db.Write(ctx, "test.status", func(tx *store.Tx) error {
			return git.SetStatuses(ctx, tx, "1", "c", []waybill.Status{status(fmt.Sprint("waybill/a/", i), waybill.StateSuccess, "ok")})
		})
		if err != nil {
			t.Error(err)
		}
	})
	if list := said(t, db); len(list) != 9 || list[0].State != waybill.StatePending {
		t.Fatalf("while the check is open: %+v", list)
	}
	c.Phase = waybill.Planned
	write(t, db, func(tx *store.Tx) error {
		if err := git.PutCheck(ctx, tx, c); err != nil {
			return err
		}
		return git.SetStatuses(ctx, tx, "1", "c", nil)
	})
	want := waybill.Status{Context: "waybill", State: waybill.StateSuccess, Description: "1 connector", Outcome: waybill.OK}
	if diff := cmp.Diff(want, said(t, db)[0], cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	broken := check("02", "c", waybill.Planned)
	broken.State, broken.Summary = waybill.StateFailure, "2 errors"
	write(t, db, func(tx *store.Tx) error {
		if err := git.PutCheck(ctx, tx, broken); err != nil {
			return err
		}
		return git.SetStatuses(ctx, tx, "1", "c", nil)
	})
	if got := said(t, db)[0]; got.State != waybill.StateFailure || got.Description != "2 errors" || got.Outcome != waybill.Failed {
		t.Errorf("a failed check: %+v", got)
	}
}

// aggregatesOfPulls: a branch and a pull request look at one commit for themselves, and neither takes back what the
// other found.
func aggregatesOfPulls(t *testing.T, db *store.DB) {
	ctx := t.Context()
	for _, step := range []struct {
		ref   string
		state waybill.State
		over  bool
		want  waybill.State
	}{
		{"refs/heads/topic", waybill.StateSuccess, false, waybill.StateSuccess},
		{"refs/pull/7/head", waybill.StateFailure, false, waybill.StateFailure},
		{"refs/heads/topic", waybill.StateSuccess, false, waybill.StateFailure},
		{"refs/pull/7/head", waybill.StateSuccess, false, waybill.StateSuccess},
		{"refs/tags/v9", waybill.StateFailure, false, waybill.StateFailure},
		{"refs/tags/v1", waybill.StateSuccess, false, waybill.StateSuccess},
		{"refs/pull/7/head", waybill.StateFailure, false, waybill.StateFailure},
		{"refs/pull/7/head", waybill.StateFailure, true, waybill.StateSuccess},
	} {
		write(t, db, func(tx *store.Tx) error {
			c := waybill.Check{
				ID: store.NewID(tx.Now()), Repository: "R", Commit: "c", Ref: step.ref, Phase: waybill.Planned, State: step.state, Cause: "push",
			}
			if strings.HasPrefix(step.ref, "refs/pull/") {
				c.Cause, c.Pull, c.Over = "pull", 7, step.over
			}
			if err := git.PutCheck(ctx, tx, c); err != nil {
				return err
			}
			return git.SetStatuses(ctx, tx, "R", "c", nil)
		})
		list, err := git.Statuses(ctx, db.Query(), "R", "c")
		if err != nil || len(list) != 1 || list[0].State != step.want {
			t.Errorf("after %s %s: %+v, want %s (%v)", step.ref, step.state, list, step.want, err)
		}
	}
}
