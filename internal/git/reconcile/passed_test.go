package reconcile

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// told stores a delivery that says where main is now.
func (s *scene) told(commit string) {
	s.t.Helper()
	s.write(func(tx *store.Tx) error {
		_, _, err := gitstore.AcceptDelivery(s.t.Context(), tx, waybill.Delivery{Repository: "R", Forge: "forge", Hook: "h", Event: waybill.Event{
			Kind: waybill.EventPush, Key: commit, Actor: "ada", Refs: []waybill.RefUpdate{{Name: mainRef, New: commit}},
		}})
		return err
	})
}

// TestPassedCommits: what a delivery named and nobody looked at in time is judged all the same, once, and not deployed.
func TestPassedCommits(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	files := func(title string) map[string]string {
		return map[string]string{"waybill.yaml": strings.Replace(good, "Shop feed", title, 1), "Dockerfile": "FROM scratch\n"}
	}
	first := s.commit("main", "FIRST", files("One"))
	s.told(first)
	s.push("main")

	s.told(first) // the forge delivers again
	gone := s.commit("main", "GONE", files("Gone"))
	s.told(gone)
	s.clone.Run("reset", "--quiet", "--hard", first)
	passed := s.commit("main", "PASSED", files("Two"))
	s.told(passed)
	broken := s.commit("main", "BROKEN", map[string]string{"waybill.yaml": strings.Replace(good, "title:", "titel:", 1)})
	last := s.commit("main", "LAST", files("Three"))
	s.told(last)
	s.push("main")
	s.want(passed, `
waybill success valid; not deployed, superseded by LAST
waybill/shop-feed/validate success 1 connector
`)
	s.want(gone, "\nwaybill error not checked, superseded by LAST\n")
	s.want(last, "\nwaybill success 1 connector released\nwaybill/shop-feed/validate success 1 connector\n")
	s.want(broken, "\n") // nobody told of it, and it was no tip when somebody looked

	s.told(broken) // late
	s.push("main")
	if board := s.board(broken); !strings.HasPrefix(board, "waybill failure 1 error: waybill.yaml:3:29") {
		t.Errorf("the late one says %s", board)
	}
	if diff := cmp.Diff([]string{"shop-feed create", "shop-feed metadata"}, s.room.accepted); diff != "" {
		t.Errorf("handed over (-want +got):\n%s", diff)
	}
	latest, _, err := gitstore.LatestCheck(t.Context(), s.DB.Query(), "R", mainRef)
	if err != nil || latest.Commit != last {
		t.Errorf("the newest check of main is of %s, %v", s.names[latest.Commit], err)
	}
	ids := map[string]string{}
	for _, commit := range []string{first, passed, gone, last, broken} {
		checks, err := gitstore.Checks(t.Context(), s.DB.Query(), "R", commit)
		if err != nil || len(checks) != 1 || checks[0].Phase != waybill.Planned || checks[0].Actor != "ada" {
			t.Fatalf("%s: checks %+v, %v", s.names[commit], checks, err)
		}
		ids[commit] = checks[0].ID
	}
	if told := []string{ids[first], ids[gone], ids[passed], ids[broken], ids[last]}; !slices.IsSorted(told) {
		t.Errorf("checks are not in the order in which their commits were told: %s", told)
	}
}
