package release

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestPushGoesToDev(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.push("a-1", "")
	h.settleDown()
	want := strings.TrimLeft(`
waybill success 1 connector released
waybill/shop-feed/build success sha256:`+shortHex(h.image("a"))+`
waybill/shop-feed/dev success site feeds-dev
waybill/shop-feed/runtime success registered
`, "\n")
	if diff := cmp.Diff(want, h.board("a-1")); diff != "" {
		t.Error(diff)
	}
	r, err := h.live(t.Context(), h.DB.Query(), waybill.Identity{Name: "shop-feed", Major: 1}, waybill.Dev)
	if err != nil || r.Commit != "a-1" || r.Steps[0].Log != "release/"+r.ID+"/build" {
		t.Errorf("dev serves %+v, %v", r, err)
	}
	if diff := cmp.Diff([]string{"a-1 on feeds-dev"}, h.deployed); diff != "" {
		t.Error(diff)
	}
}

func TestEqualContentIsBuiltOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.push("a-1", "")
	h.settleDown()
	h.push("a-2", "")
	h.settleDown()
	if h.docker.builds != 1 || h.liveCommit(waybill.Dev) != "a-2" {
		t.Errorf("%d builds, dev serves %s", h.docker.builds, h.liveCommit(waybill.Dev))
	}
}

func TestUnhealthyImageIsNotDeployed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.push("a-1", "")
	h.settleDown()
	h.docker.code = 3
	h.push("b-1", "")
	h.settleDown()
	if got := h.board("b-1"); !strings.HasPrefix(got, "waybill failure shop-feed/build: health check ended with exit code 3\n") ||
		strings.Contains(got, "pending") {
		t.Error(got)
	}
	if got := h.liveCommit(waybill.Dev); got != "a-1" {
		t.Errorf("dev serves %q", got)
	}
}

func TestNewerPushStopsTheBuild(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := true
	h.docker.during = func(ctx context.Context) error {
		if !first {
			return nil
		}
		first = false
		h.push("b-1", "")
		<-ctx.Done()
		return context.Cause(ctx)
	}
	h.push("a-1", "")
	h.settleDown()
	want := strings.TrimLeft(`
waybill success valid; not deployed, superseded by b-1
waybill/shop-feed/build success superseded by b-1
waybill/shop-feed/dev success superseded by b-1
waybill/shop-feed/runtime success superseded by b-1
`, "\n")
	if diff := cmp.Diff(want, h.board("a-1")); diff != "" {
		t.Error(diff)
	}
	if got := h.liveCommit(waybill.Dev); got != "b-1" {
		t.Errorf("dev serves %q", got)
	}
}

func TestTagPromotesWhatDevRan(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.push("a-1", "")
	h.push("a-1", "1.0.0")
	h.settleDown()
	if h.docker.builds != 1 || h.liveCommit(waybill.Prod) != "a-1" {
		t.Errorf("%d builds, prod serves %q", h.docker.builds, h.liveCommit(waybill.Prod))
	}
	if got := h.board("a-1"); !strings.Contains(got, "waybill/shop-feed/prod success v1.0.0 on site feeds-prod\n") ||
		!strings.Contains(got, "waybill/shop-feed/dev success site feeds-dev\n") {
		t.Error(got)
	}
}

func TestTagThatDevNeverRan(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.push("a-1", "1.0.0")
	h.settleDown()
	if got := h.board("a-1"); !strings.Contains(got, "waybill/shop-feed/dev success checked only\n") ||
		h.liveCommit(waybill.Prod) != "a-1" || h.liveCommit(waybill.Dev) != "" {
		t.Error(got)
	}
}

func TestHighestOfSeveralTagsIsLive(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.push("a-1", "1.2.0")
	h.push("b-1", "1.10.0")
	h.push("c-1", "1.9.0")
	h.settleDown()
	if got := h.liveCommit(waybill.Prod); got != "b-1" {
		t.Errorf("prod serves %q", got)
	}
	if got := h.board("c-1"); !strings.Contains(got, "waybill/shop-feed/prod success recorded; v1.10.0 is newer\n") {
		t.Error(got)
	}
}

func TestTagWaitsForTagsOfTheSamePush(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	other := queue.Entry{Kind: "ref", Key: "R refs/tags/v1.10.0"}
	h.write(func(tx *store.Tx) error { _, err := queue.Enqueue(t.Context(), tx, other); return err })
	h.push("a-1", "1.2.0")
	open, err := connectorstore.Lane(t.Context(), h.DB.Query(), "shop-feed", 1, waybill.Prod)
	if err != nil || len(open) != 1 {
		t.Fatal(open, err)
	}
	if err := h.awaitDev(t.Context(), &job{release: open[0]}); !errors.As(err, new(waitError)) {
		t.Fatalf("got %v, want to wait", err)
	}
	h.push("b-1", "1.10.0")
	h.queue.Handle("ref", 1, 1, func(context.Context, queue.Item) queue.Result { return queue.Done() })
	h.settleDown()
	if got := h.board("a-1"); !strings.Contains(got, "prod success recorded; v1.10.0 is newer\n") {
		t.Error(got)
	}
}

func TestHighestOfSeveralTagsSpeaksForTheirCommit(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, version := range []string{"1.2.0", "1.10.0", "1.9.0"} {
		h.push("a-1", version)
	}
	h.settleDown()
	h.push("a-1", "1.0.1")
	h.settleDown()
	if got := h.board("a-1"); !strings.Contains(got, "waybill/shop-feed/prod success v1.10.0 on site feeds-prod\n") {
		t.Error(got)
	}
}

func TestTagSpeaksForItsCommitWhenDevFailed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.docker.code = 3
	h.push("a-1", "")
	h.settleDown()
	h.docker.code = 0
	h.push("a-1", "1.0.0")
	h.settleDown()
	if got := h.board("a-1"); !strings.HasPrefix(got, "waybill success") || !strings.Contains(got, "/dev success checked only\n") {
		t.Error(got)
	}
}

func TestReleasedTagDoesNotMove(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.push("a-1", "1.0.0")
	h.settleDown()
	h.push("b-1", "1.0.0")
	h.settleDown()
	if got := h.board("b-1"); !strings.HasPrefix(got, "waybill failure shop-feed/prod: v1.0.0 was released from a-1") {
		t.Error(got)
	}
	if got := h.liveCommit(waybill.Prod); got != "a-1" {
		t.Errorf("prod serves %q", got)
	}
}

func TestRollbackAndPromote(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	by := waybill.Actor{Name: "ada", Channel: waybill.ChannelAPI}
	if _, err := h.Rollback(t.Context(), "shop-feed", 1, waybill.Dev, by); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("nothing live: %v", err)
	}
	h.push("a-1", "")
	h.settleDown()
	if _, err := h.Rollback(t.Context(), "shop-feed", 1, waybill.Dev, by); !waybill.IsCode(err, waybill.Conflict) {
		t.Errorf("nothing before: %v", err)
	}
	h.push("b-1", "")
	h.settleDown()
	newer, err := h.live(t.Context(), h.DB.Query(), waybill.Identity{Name: "shop-feed", Major: 1}, waybill.Dev)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Rollback(t.Context(), "shop-feed", 1, waybill.Dev, by); err != nil || h.liveCommit(waybill.Dev) != "a-1" {
		t.Errorf("rollback: %v, dev serves %s", err, h.liveCommit(waybill.Dev))
	}
	if _, err := h.Promote(t.Context(), newer.ID, by); err != nil || h.liveCommit(waybill.Dev) != "b-1" {
		t.Errorf("promote: %v, dev serves %s", err, h.liveCommit(waybill.Dev))
	}
}

func TestSweepSparesWhatIsLiveOrRecent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.push("a-1", "1.0.0")
	h.settleDown()
	for _, code := range []string{"b", "c", "d", "e", "f", "g"} {
		h.push(code+"-1", "")
		h.settleDown()
	}
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]bool{"a": true, "b": false, "c": true, "g": true} {
		if got := h.docker.images[h.image(code)]; got != want {
			t.Errorf("image of %s kept: %v, want %v", code, got, want)
		}
	}
}

func TestBuildWaitsForDiskSpace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.docker.free = 1 << 30
	h.push("a-1", "")
	item := queue.Item{Kind: Kind, Key: "shop-feed@1/dev"}
	for range 2 { // the second look says the same
		if got := h.Handle(t.Context(), item); got.String() != "snooze" {
			t.Fatalf("with a full disk: %s, %v", got, got.Err())
		}
	}
	const want = "waybill/shop-feed/build pending waiting for disk space: less than 2 GiB free where images are kept\n"
	if got := h.board("a-1"); !strings.Contains(got, want) || h.docker.builds != 0 {
		t.Errorf("%d builds\n%s", h.docker.builds, got)
	}
	h.docker.free = 3 << 30
	h.Handle(t.Context(), item)
	if got := h.liveCommit(waybill.Dev); got != "a-1" {
		t.Errorf("dev serves %q", got)
	}
}

func TestDeploymentKeepsWhatWasAssigned(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	set := waybill.Assignment{
		Site: "feeds-prod", Connector: "shop-feed", Major: 1, Config: map[string]string{"base_url": "https://shop.test"},
		Schedule: "0 6 * * *", Enabled: false,
	}
	h.write(func(tx *store.Tx) error { return connectorstore.PutAssignment(t.Context(), tx, set) })
	h.push("a-1", "1.0.0")
	h.settleDown()
	got, _, err := connectorstore.FindAssignment(t.Context(), h.DB.Query(), "feeds-prod", "shop-feed", 1)
	got.Updated = set.Updated
	if diff := cmp.Diff(set, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}
