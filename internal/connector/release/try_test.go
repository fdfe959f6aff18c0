package release

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// registry is where nothing of a pull request may go.
type registry struct{ pushed []string }

func (r *registry) Push(_ context.Context, image, _ string) (string, error) {
	r.pushed = append(r.pushed, image)
	return "digest", nil
}

// pull makes a commit the head of a pull request.
func (h *house) pull(number int, commit string, open bool) {
	h.t.Helper()
	h.write(func(tx *store.Tx) error {
		p := waybill.Pull{Repository: "R", Number: number, Ref: fmt.Sprintf("refs/pull/%d/head", number), Head: commit, Base: "main", Open: open}
		if err := gitstore.PutPull(h.t.Context(), tx, p); err != nil {
			return err
		}
		return h.Reconsider(h.t.Context(), tx, "R", p.Ref)
	})
}

// try asks for the build of a pull request's head.
func (h *house) propose(number int, commit, cause string, secrets ...waybill.SecretRef) {
	h.t.Helper()
	h.pull(number, commit, true)
	d := waybill.Declaration{
		Identity: waybill.Identity{Kind: "Connector", Name: "shop-feed", Major: 1}, Folder: ".",
		Connector: &waybill.Connector{Owner: "feeds", Secrets: secrets, Application: waybill.Application{
			Command: "/feed", HealthCheck: &waybill.HealthCheck{Timeout: time.Second},
		}},
	}
	code, _, _ := strings.Cut(commit, "-")
	change := waybill.Change{Identity: d.Identity, Class: waybill.Rebuild, Environment: waybill.Try, Wanted: &d, Content: code}
	check := waybill.Check{
		ID: store.NewID(time.Now()), Repository: "R", Ref: fmt.Sprintf("refs/pull/%d/head", number), Commit: commit, Pull: number, Cause: cause,
		Phase: waybill.Planned, State: waybill.StateSuccess, Summary: "1 change planned",
	}
	h.write(func(tx *store.Tx) error {
		if err := gitstore.PutCheck(h.t.Context(), tx, check); err != nil {
			return err
		}
		return h.Try(h.t.Context(), tx, check, []waybill.Change{change})
	})
}

func (h *house) tries() []waybill.Release {
	h.t.Helper()
	all, err := connectorstore.Releases(h.t.Context(), h.DB.Query(), connectorstore.ReleaseFilter{Environment: waybill.Try})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

func TestPullIsBuiltAndNothingElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	pushed := &registry{}
	h.Pusher, h.Registry = pushed, "registry.example.org"
	h.propose(7, "a-1", "pull")
	h.settleDown()
	want := "waybill success 1 change planned\nwaybill/shop-feed/build success sha256:" + shortHex(h.image("a")) + "\n"
	if diff := cmp.Diff(want, h.board("a-1")); diff != "" {
		t.Error(diff)
	}
	if len(h.deployed)+len(pushed.pushed) != 0 || h.liveCommit(waybill.Dev)+h.liveCommit(waybill.Prod) != "" {
		t.Errorf("deployed %v, pushed %v", h.deployed, pushed.pushed)
	}
	if _, err := connectorstore.GetConnector(t.Context(), h.DB.Query(), "shop-feed"); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("a pull request has claimed the name: %v", err)
	}
	made := h.tries()[0]
	if _, err := h.Promote(t.Context(), made.ID, waybill.Actor{}); !waybill.IsCode(err, waybill.Conflict) || !strings.Contains(err.Error(), "merge it") {
		t.Errorf("promote: %v", err)
	}
	if all, err := connectorstore.Releases(t.Context(), h.DB.Query(), connectorstore.ReleaseFilter{Connector: "shop-feed"}); err != nil || len(all) != 0 {
		t.Errorf("people see %v among the releases (%v)", all, err)
	}
	h.propose(7, "a-1", "pull") // its base moved
	h.settleDown()
	if len(h.tries()) != 1 {
		t.Errorf("%d builds of one commit", len(h.tries()))
	}
	h.push("a-2", "")
	h.settleDown()
	if h.docker.builds != 1 || h.liveCommit(waybill.Dev) != "a-2" {
		t.Errorf("after merging: %d builds, dev serves %q", h.docker.builds, h.liveCommit(waybill.Dev))
	}
}

func TestFailedBuildOfAPull(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.docker.code = 3
	for i, cause := range []string{"pull", "pull", "retry"} {
		h.propose(7, "a-1", cause)
		h.settleDown()
		if want := []int{1, 1, 2}[i]; len(h.tries()) != want {
			t.Errorf("%s: %d builds, want %d", cause, len(h.tries()), want)
		}
		if got := h.board("a-1"); !strings.HasPrefix(got, "waybill failure shop-feed/build: health check ended with exit code 3\n") {
			t.Error(got)
		}
	}
	h.propose(7, "a-2", "pull", waybill.SecretRef{Name: "TOKEN"}) // which a pull request does not get
	h.settleDown()
	if got := h.board("a-2"); !strings.HasPrefix(got, "waybill success ") {
		t.Errorf("checked without the secrets that it needs:\n%s", got)
	}
}

// TestPeopleAreToldHowABuildEnded: the comment of the pull request is brought up to date in the transaction of the end.
func TestPeopleAreToldHowABuildEnded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.docker.size = 2 << 20
	h.Discussion = func(repository string, number int, owner string) queue.Entry {
		return queue.Entry{Kind: "comment", Key: fmt.Sprint(repository, " ", number), Tenant: owner}
	}
	for i, step := range []struct {
		commit, cause string
		code          int
		want          waybill.Trial
	}{
		{"a-1", "pull", 3, waybill.Trial{Outcome: waybill.Failed, Detail: "health check ended with exit code 3", Image: h.image("a")}},
		{"a-1", "retry", 0, waybill.Trial{Outcome: waybill.OK, Detail: "sha256:" + shortHex(h.image("a")), Image: h.image("a")}},
	} {
		h.docker.code = step.code
		h.propose(7, step.commit, step.cause)
		if said := h.told(); len(said) != i {
			t.Errorf("before the end: %v", said)
		}
		h.settleDown()
		if said := h.told(); len(said) != 1 || said[0] != fmt.Sprint("R 7 feeds ", i+1) {
			t.Errorf("after the end: %v", said)
		}
		check := waybill.Check{Repository: "R", Ref: "refs/pull/7/head", Commit: step.commit}
		got, err := h.Trials(t.Context(), h.DB.Query(), check)
		if err != nil || len(got) != 1 {
			t.Fatalf("%v %v", got, err)
		}
		step.want.Identity, step.want.Release, step.want.Size = waybill.Identity{Kind: "Connector", Name: "shop-feed", Major: 1}, h.tries()[0].ID, h.docker.size
		if diff := cmp.Diff(step.want, got[0]); diff != "" {
			t.Error(diff)
		}
		check.Ref = "refs/pull/8/head"
		if got, err := h.Trials(t.Context(), h.DB.Query(), check); err != nil || len(got) != 0 {
			t.Errorf("of another pull request: %v %v", got, err)
		}
	}
}

// told lists what people are to be told: key, tenant, and how often it was asked for.
func (h *house) told() []string {
	h.t.Helper()
	all, err := store.List(h.t.Context(), h.DB.Query(), func(s *string) []any { return []any{s} },
		`SELECT key || ' ' || tenant || ' ' || wanted FROM work WHERE kind = 'comment'`)
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

func TestNewerHeadStopsTheBuild(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]struct {
		meanwhile func(h *house)
		says      string
	}{
		"newer head": {func(h *house) { h.propose(7, "b-1", "pull") }, "superseded by b-1"},
		"no change":  {func(h *house) { h.pull(7, "b-1", true) }, "superseded by b-1"},
		"closed":     {func(h *house) { h.pull(7, "a-1", false) }, "the pull request is closed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			first := true
			h.docker.during = func(ctx context.Context) error {
				if !first {
					return nil
				}
				first = false
				end.meanwhile(h)
				<-ctx.Done()
				return context.Cause(ctx)
			}
			h.propose(7, "a-1", "pull")
			h.settleDown()
			want := "waybill success 1 change planned\nwaybill/shop-feed/build success " + end.says + "\n"
			if diff := cmp.Diff(want, h.board("a-1")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPullsBuildSideBySide(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.propose(7, "a-1", "pull")
	h.propose(8, "b-1", "pull")
	h.push("c-1", "")
	h.settleDown()
	for _, commit := range []string{"a-1", "b-1", "c-1"} {
		if got := h.board(commit); !strings.Contains(got, "waybill/shop-feed/build success sha256:") {
			t.Errorf("%s:\n%s", commit, got)
		}
	}
}

func TestSweepTakesTheImagesOfClosedPulls(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.push("a-1", "")
	h.propose(7, "b-1", "pull")
	h.propose(8, "c-1", "pull")
	h.propose(9, "a-2", "pull") // the same as dev
	h.settleDown()
	h.pull(8, "c-1", false)
	h.pull(9, "a-2", false)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	images, err := connectorstore.Images(t.Context(), h.DB.Query())
	var left []string
	for _, i := range images {
		left = append(left, i.Context)
	}
	slices.Sort(left)
	if err != nil || !slices.Equal(left, []string{"a", "b"}) {
		t.Errorf("images of %v are left (%v)", left, err)
	}
}
