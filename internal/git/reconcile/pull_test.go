package reconcile

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// deployed is a scene with a connector that dev serves.
func deployed(t *testing.T) *scene {
	t.Helper()
	s := newScene(t)
	s.commit("main", "first", map[string]string{"feed/waybill.yaml": good, "feed/Dockerfile": "FROM scratch\n", "README.md": "one\n"})
	s.push("main")
	return s
}

func TestPullIsPlannedAndBuilt(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	head := s.commit("topic", "head", map[string]string{"feed/run.sh": "echo\n"})
	s.propose(7, "topic")
	s.look(7)
	s.want(head, `
waybill success 1 change planned: shop-feed rebuild
waybill/shop-feed/plan success rebuild: content; affects site:feeds-dev
waybill/shop-feed/validate success 1 connector
`)
	if diff := cmp.Diff([]string{"shop-feed rebuild try"}, s.room.tried); diff != "" {
		t.Errorf("built: %s", diff)
	}
	if diff := cmp.Diff([]string{"shop-feed create"}, s.room.accepted); diff != "" {
		t.Errorf("a pull request deploys nothing:\n%s", diff)
	}
	checks, err := gitstore.Checks(t.Context(), s.DB.Query(), "R", head)
	if err != nil || len(checks) != 1 || checks[0].Cause != "pull" || checks[0].Ref != "refs/pull/7/head" || checks[0].Pull != 7 ||
		checks[0].Actor != "lin" || len(checks[0].Changes) != 1 || checks[0].Changes[0].Wanted != nil {
		t.Errorf("%+v, %v", checks, err)
	}
	s.look(7) // what did not move is looked at once
	if checks, err = gitstore.Checks(t.Context(), s.DB.Query(), "R", head); err != nil || len(checks) != 1 {
		t.Errorf("%d checks, %v", len(checks), err)
	}
}

func TestPullIsJudgedAsIfMerged(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	s.commit("topic", "head", map[string]string{"other/waybill.yaml": strings.ReplaceAll(good, "shop-feed", "other-feed"), "other/Dockerfile": "FROM scratch\n"})
	s.commit("main", "second", map[string]string{"feed/run.sh": "echo\n", "taken/waybill.yaml": strings.ReplaceAll(good, "shop-feed", "other-feed"), "taken/Dockerfile": "FROM scratch\n"})
	s.push("main")
	p := s.propose(7, "topic")
	s.look(7)
	const duplicate = `1 error: taken/waybill.yaml:3:18 connector other-feed is declared twice`
	s.want(p.Head, `
waybill failure `+duplicate+`
waybill/other-feed/plan failure not planned: `+duplicate+`
waybill/other-feed/validate failure `+duplicate+`
`)
}

func TestPullWithConflicts(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	head := s.commit("topic", "head", map[string]string{
		"feed/waybill.yaml": strings.Replace(good, "Shop feed", "Feed of the shop", 1), "README.md": "two\n",
	})
	s.commit("main", "second", map[string]string{"feed/waybill.yaml": strings.Replace(good, "Shop feed", "Our feed", 1), "README.md": "three\n"})
	s.push("main")
	s.propose(7, "topic")
	s.look(7)
	s.want(head, `
waybill failure 1 error: feed/waybill.yaml:1:1 conflicts with main
waybill/shop-feed/plan failure not planned: 1 error: feed/waybill.yaml:1:1 conflicts with main
waybill/shop-feed/validate failure 1 error: feed/waybill.yaml:1:1 conflicts with main
`)
	checks, err := gitstore.Checks(t.Context(), s.DB.Query(), "R", head)
	if err != nil || len(checks[0].Findings) != 2 || checks[0].Findings[0].String() !=
		"README.md:1:1: warning WB209: conflicts with main (merge main into the branch of the pull request; until then its own version counts here)" {
		t.Errorf("%+v, %v", checks[0].Findings, err)
	}
	if len(s.room.tried) != 0 {
		t.Errorf("built in spite of errors: %v", s.room.tried)
	}
	s.push("topic") // the branch alone is valid, and takes nothing back
	if got := s.board(head); !strings.HasPrefix(got, "waybill failure ") {
		t.Error(got)
	}
	s.clone.Run("switch", "--quiet", "topic")
	s.clone.Run("merge", "--quiet", "-X", "ours", "--no-edit", "main")
	merged := s.clone.Run("rev-parse", "HEAD")
	s.propose(7, "topic")
	s.look(7)
	s.want(merged, `
waybill success 1 change planned: shop-feed metadata
waybill/shop-feed/plan success metadata: metadata.title
waybill/shop-feed/validate success 1 connector
`)
}

func TestMovedHeadOfAPull(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	one := s.commit("topic", "one", map[string]string{"feed/run.sh": "1\n"})
	s.propose(7, "topic")
	killed(s, "check.loaded", func() {
		if r := s.HandlePull(t.Context(), queue.Item{Kind: PullKind, Key: PullKey("R", 7)}); r.String() != "retry" {
			t.Errorf("got %s", r)
		}
	})
	s.want(one, "waybill pending in progress\n")
	s.clone.Run("reset", "--quiet", "--hard", "main")
	two := s.commit("topic", "two", map[string]string{"feed/run.sh": "2\n"}) // a force-push
	s.propose(7, "topic")
	s.look(7)
	s.want(one, `
waybill success valid; not planned, superseded by two
waybill/shop-feed/plan success superseded by two
waybill/shop-feed/validate success 1 connector
`)
	if got := s.board(two); !strings.HasPrefix(got, "waybill success 1 change planned: shop-feed rebuild\n") {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{"shop-feed rebuild try"}, s.room.tried); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(s.room.again, []string{"refs/pull/7/head", "refs/pull/7/head"}) {
		t.Errorf("builds of the old head were not asked whether they are wanted: %v", s.room.again)
	}
}

func TestForkIsValidatedOnly(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	head := s.commit("topic", "head", map[string]string{"feed/run.sh": "echo\n"})
	p := s.propose(7, "topic")
	p.Fork = true
	s.talk.pulls[7] = p
	s.look(7)
	if got := s.board(head); !strings.HasPrefix(got, "waybill success 1 change planned: shop-feed rebuild\n") || len(s.room.tried) != 0 {
		t.Errorf("built %v\n%s", s.room.tried, got)
	}
}

// strict is a platform whose policy wants nothing from forks.
type strict struct{ nobody }

func (strict) Known(_ context.Context, _ store.Querier, o manifest.Options) (manifest.Options, error) {
	o.Policies = map[string]waybill.PolicySpec{"house": {Forks: "deny"}}
	return o, nil
}

func TestForkThatNobodyWants(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	s.Platform = strict{}
	own, foreign := s.commit("topic", "own", map[string]string{"feed/run.sh": "echo\n"}), s.commit("fork", "foreign", map[string]string{"a": "b\n"})
	s.propose(7, "topic")
	p := s.propose(8, "fork")
	p.Fork = true
	s.talk.pulls[8] = p
	s.look(7)
	s.look(8)
	s.want(foreign, "waybill failure not checked: pull requests from forks are not looked at here\n")
	if got := s.board(own); !strings.HasPrefix(got, "waybill success ") {
		t.Error(got)
	}
}

func TestClosedPull(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	head := s.commit("topic", "head", map[string]string{"feed/waybill.yaml": strings.Replace(good, "datasource\n", "datasorce\n", 1)})
	p := s.propose(7, "topic")
	s.look(7)
	if got := s.board(head); !strings.HasPrefix(got, "waybill failure ") {
		t.Fatal(got)
	}
	p.Open = false
	s.talk.pulls[7] = p
	s.look(7)
	s.look(7)
	if got := s.board(head); !strings.Contains(got, "waybill/shop-feed/plan success the pull request is closed\n") {
		t.Error(got)
	}
	pulls, err := gitstore.OpenPulls(t.Context(), s.DB.Query(), "R")
	if err != nil || len(pulls) != 0 {
		t.Errorf("%+v, %v", pulls, err)
	}
	p.Open = true
	s.talk.pulls[7] = p
	s.look(7)
	if got := s.board(head); !strings.HasPrefix(got, "waybill failure ") || strings.Contains(got, "closed") {
		t.Errorf("opened again:\n%s", got)
	}
}

func TestPullThatClosesInTheMiddle(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	head := s.commit("topic", "head", map[string]string{"feed/run.sh": "echo\n"})
	s.propose(7, "topic")
	killed(s, "check.planned", func() {
		s.HandlePull(t.Context(), queue.Item{Kind: PullKind, Key: PullKey("R", 7)})
	})
	delete(s.talk.pulls, 7) // the forge does not know it any more
	s.look(7)
	s.want(head, `
waybill success valid; not planned, the pull request is closed
waybill/shop-feed/plan success the pull request is closed
waybill/shop-feed/validate success 1 connector
`)
	if len(s.room.tried) != 0 {
		t.Errorf("built: %v", s.room.tried)
	}
}

func TestPullThatNeverWas(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	s.look(9)
	if _, err := gitstore.Pull(t.Context(), s.DB.Query(), "R", 9); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("got %v", err)
	}
}

func TestMovedBaseOfAPull(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	head := s.commit("topic", "head", map[string]string{"feed/run.sh": "echo\n"})
	s.propose(7, "topic")
	s.look(7)
	s.forget()
	against := func() string {
		p, err := gitstore.Pull(t.Context(), s.DB.Query(), "R", 7)
		if err != nil {
			t.Fatal(err)
		}
		return s.names[p.Against]
	}

	s.commit("main", "readme", map[string]string{"README.md": "more\n"})
	s.push("main")
	if got := s.wanted(PullKind); len(got) != 0 || against() != "readme" {
		t.Errorf("a file that nothing depends on: %v is looked at, against %s", got, against())
	}
	s.look(7)
	if checks, err := gitstore.Checks(t.Context(), s.DB.Query(), "R", head); err != nil || len(checks) != 1 {
		t.Errorf("%d checks, %v", len(checks), err)
	}

	s.commit("main", "same", map[string]string{"feed/run.sh": "echo\n"})
	s.push("main")
	if got := s.wanted(PullKind); !slices.Equal(got, []string{"R 7"}) {
		t.Errorf("a file of an image: %v is looked at", got)
	}
	s.look(7)
	s.want(head, `
waybill success no manifest changed
waybill/shop-feed/plan success merging changes nothing
waybill/shop-feed/validate success 1 connector
`)
	if against() != "same" {
		t.Errorf("against %s", against())
	}
}

func TestPullWaitsForItsBase(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	s.commit("topic", "head", map[string]string{"feed/run.sh": "echo\n"})
	s.propose(7, "topic")
	s.write(func(tx *store.Tx) error {
		_, err := queue.Enqueue(t.Context(), tx, queue.Entry{Kind: Kind, Key: Key("R", mainRef)})
		return err
	})
	if r := s.HandlePull(t.Context(), queue.Item{Kind: PullKind, Key: PullKey("R", 7)}); r.String() != "snooze" {
		t.Errorf("got %s, %v", r, r.Err())
	}
}

func TestPullRefThatIsBehind(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	s.commit("topic", "head", map[string]string{"feed/run.sh": "echo\n"})
	p := s.propose(7, "topic")
	p.Head = strings.Repeat("a", 40)
	s.talk.pulls[7] = p
	if r := s.HandlePull(t.Context(), queue.Item{Kind: PullKind, Key: PullKey("R", 7), Attempt: 1}); r.String() != "retry" {
		t.Errorf("got %s, %v", r, r.Err())
	}
	if r := s.HandlePull(t.Context(), queue.Item{Kind: PullKind, Key: PullKey("R", 7), Attempt: behindTries}); r.String() != "done" {
		t.Errorf("got %s, %v", r, r.Err())
	}
}

func TestRetryOfAPull(t *testing.T) {
	t.Parallel()
	s := deployed(t)
	head := s.commit("topic", "head", map[string]string{"feed/run.sh": "echo\n"})
	s.propose(7, "topic")
	s.look(7)
	s.forget()
	before := s.board(head)
	if err := s.Retry(t.Context(), "R", head, waybill.Actor{Name: "ada", Channel: waybill.ChannelAPI}); err != nil {
		t.Fatal(err)
	}
	if got := s.wanted(PullKind); !slices.Equal(got, []string{"R 7"}) || !strings.HasPrefix(s.board(head), "waybill pending ") {
		t.Errorf("%v is looked at\n%s", got, s.board(head))
	}
	s.look(7)
	s.want(head, before)
	if len(s.room.tried) != 2 {
		t.Errorf("tried %v", s.room.tried)
	}
}

// settings is a platform repository that remembers what was applied.
type settings struct {
	nobody
	applied *int
}

func (settings) Is(waybill.Repository) bool { return true }

func (s settings) Apply(context.Context, *store.Tx, waybill.Check, []waybill.Declaration) (int, error) {
	*s.applied++
	return 1, nil
}

func TestPullOfThePlatformAppliesNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	applied := 0
	s.Platform = settings{applied: &applied}
	s.commit("main", "first", map[string]string{"README.md": "one\n"})
	s.push("main")
	head := s.commit("topic", "head", map[string]string{
		"teams/waybill.yaml": "apiVersion: waybill.dev/v1\nkind: Team\nmetadata: {name: feeds}\nspec: {members: [{user: ada, role: owner}]}\n",
	})
	s.propose(7, "topic")
	s.look(7)
	s.want(head, `
waybill success 1 change planned: team/feeds create
waybill/team/feeds/plan success create
waybill/team/feeds/validate success 1 team
`)
	if applied != 1 {
		t.Errorf("applied %d times, want once, for main", applied)
	}
}

func TestMergeQueueDeploysNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.write(func(tx *store.Tx) error { return gitstore.SetDefaultBranch(t.Context(), tx, "R", "") })
	const branch = "gh-readonly-queue/main/pr-7-abc"
	queued := s.commit(branch, "queued", map[string]string{
		"waybill.yaml": good + "  release: {dev: {branch: " + branch + "}}\n", "Dockerfile": "FROM scratch\n",
	})
	s.push(branch)
	s.want(queued, `
waybill success 1 connector valid; this ref deploys nothing
waybill/shop-feed/validate success 1 connector
`)
	r, err := gitstore.Repository(t.Context(), s.DB.Query(), "R")
	if err != nil || r.DefaultBranch != "" || len(s.room.accepted) != 0 {
		t.Errorf("default branch %q, accepted %v, %v", r.DefaultBranch, s.room.accepted, err)
	}
}

// killed fails the next transaction of a name, once, after it is committed.
func killed(s *scene, name string, run func()) {
	s.t.Helper()
	met := false
	s.crash = func(names []string, commit func() error) error {
		if met || !slices.Contains(names, name) {
			return commit()
		}
		met = true
		return errors.New("killed")
	}
	run()
	if s.crash = nil; !met {
		s.t.Errorf("there was no transaction %s", name)
	}
}

// TestKilledPullConverges kills the worker before and after every transaction, and starts another one.
func TestKilledPullConverges(t *testing.T) {
	t.Parallel()
	story := func(t *testing.T, crash func(s *scene, names []string, commit func() error) error) (*scene, string) {
		t.Helper()
		s := deployed(t)
		head := s.commit("topic", "head", map[string]string{"feed/run.sh": "echo\n"})
		p := s.propose(7, "topic")
		if crash != nil {
			s.crash = func(names []string, commit func() error) error { return crash(s, names, commit) }
		}
		work := func() {
			for range 4 {
				if r := s.HandlePull(t.Context(), queue.Item{Kind: PullKind, Key: PullKey("R", 7)}); r.String() == "done" {
					return
				}
			}
			t.Error("it never ends")
		}
		work()
		said := s.board(head)
		p.Open = false
		s.talk.pulls[7] = p
		work()
		return s, said + s.board(head) + strings.Join(s.wanted(CommentKind), ",")
	}
	_, want := story(t, nil)
	for _, name := range []string{"pull.seen", "check.fetched", "check.loaded", "check.planned", "pull.closed"} {
		for _, after := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				met := 0
				_, got := story(t, func(_ *scene, names []string, commit func() error) error {
					if !slices.Contains(names, name) {
						return commit()
					}
					if met++; met > 1 {
						return commit()
					}
					if after {
						if err := commit(); err != nil {
							return err
						}
					}
					return errors.New("killed")
				})
				if met == 0 {
					t.Error("there was no such transaction")
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("after %v (-undisturbed +killed):\n%s", after, diff)
				}
			})
		}
	}
}
