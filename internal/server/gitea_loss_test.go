//go:build gitea

package server_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// How much is pushed in TestGiteaLoss, and how often one of the pushes changes what is in the image.
const (
	lossRepositories = 20
	lossPushes       = 10 // of each
	rebuildEvery     = 5
	settling         = 10 * time.Minute
)

// lossy is one repository of TestGiteaLoss.
type lossy struct {
	path, connector string
	clone           *testkit.Clone
	commits         []string // pushed one after the other
}

// TestGiteaLoss pushes while hooks are lost, doubled, late and out of order, and Waybill is killed again and again. In
// the end every branch is deployed as it is, nothing was done twice, and every commit that Waybill heard of has its one
// result. WAYBILL_TEST_SEED repeats the choices of an earlier run.
func TestGiteaLoss(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("WAYBILL_TEST_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	t.Logf("WAYBILL_TEST_SEED=%d", seed)
	w := newForgeWorld(t, "gitea-loss")
	wire := newBadWire(t, w.address, seed)
	w.configure("publicURL: " + wire.URL + "\n")
	all := w.lossyRepositories()
	p := w.start()
	for _, l := range all {
		w.waybill("repo", "add", w.gitea.URL+"/"+l.path, "--owner", "feeds")
	}

	pushed := make(chan error, 1)
	go func() { pushed <- pushAll(all, seed) }()
	random, kills := rand.New(rand.NewPCG(seed, 1)), 0
	for running := true; running; {
		select {
		case err := <-pushed:
			if running = false; err != nil {
				t.Fatal(err)
			}
		case <-time.After(3*time.Second + time.Duration(random.Int64N(int64(6*time.Second)))):
			p.kill()
			p = w.start()
			kills++
		}
	}
	wire.underway.Wait()
	w.dustSettles(all)
	p.stop()
	w.judge(all, wire, kills)
}

// lossyRepositories makes the repositories with all their commits; nothing is pushed yet.
func (w *forgeWorld) lossyRepositories() (all []*lossy) {
	w.t.Helper()
	for n := range lossRepositories {
		l := &lossy{connector: fmt.Sprintf("gitea-loss-%02d-%s", n, nonce())}
		l.path = w.gitea.Repository(l.connector)
		l.clone = w.git.Clone(w.gitea.CloneURL(l.path), l.connector)
		manifest := strings.ReplaceAll(w.manifest(""), w.connector, l.connector)
		content := 0
		for i := range lossPushes {
			if i%rebuildEvery == rebuildEvery-1 {
				content++
			}
			l.commits = append(l.commits, l.clone.Commit(fmt.Sprintf("Step %d", i), map[string]string{
				"waybill.yaml": strings.Replace(manifest, "greeting: hello", fmt.Sprintf("greeting: hello %d", i), 1),
				"Dockerfile":   dockerfile, "feed": feed + fmt.Sprintf("echo %d\n", content),
			}))
		}
		tidy := *w.world
		tidy.connector = l.connector
		w.t.Cleanup(tidy.tidy)
		all = append(all, l)
	}
	return all
}

// pushAll pushes every commit, those of a repository in their order, four repositories at a time.
func pushAll(all []*lossy, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 2))
	var g errgroup.Group
	for lane := range 4 {
		var turns []*lossy
		for n, l := range all {
			for range lossPushes {
				if n%4 == lane {
					turns = append(turns, l)
				}
			}
		}
		random.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
		g.Go(func() error {
			next := map[*lossy]int{}
			for _, l := range turns {
				commit := l.commits[next[l]]
				if seen, err := l.clone.TryPush(nil, commit+":refs/heads/main"); err != nil {
					return fmt.Errorf("push to %s: %w: %s", l.path, err, seen)
				}
				next[l]++
			}
			return nil
		})
	}
	return g.Wait()
}

// dustSettles waits until every branch was seen where it is and no work is left.
func (w *forgeWorld) dustSettles(all []*lossy) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), settling)
	defer cancel()
	q := w.look()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for left := "?"; left != ""; {
		select {
		case <-tick.C:
			left = w.unsettled(ctx, q, all)
		case <-ctx.Done():
			w.t.Fatalf("after %s: %s", settling, left)
		}
	}
}

// look reads the store beside the running server.
func (w *forgeWorld) look() store.Querier {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.storeURL()+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = db.Close() })
	return db
}

// unsettled says what is not done yet.
func (w *forgeWorld) unsettled(ctx context.Context, q store.Querier, all []*lossy) string {
	for _, l := range all {
		r, err := gitstore.RepositoryByName(ctx, q, "feeds/"+l.connector)
		if err != nil {
			return err.Error()
		}
		ref, _, err := gitstore.FindRef(ctx, q, r.ID, "refs/heads/main")
		if last := l.commits[len(l.commits)-1]; err != nil || ref.Tip != last {
			return fmt.Sprintf("%s was last seen at %q, not at %s (%v)", l.path, ref.Tip, last, err)
		}
	}
	var open int
	err := q.QueryRowContext(ctx,
		`SELECT COUNT(*) FROM work WHERE wanted <> done AND kind IN ('ref', 'release', 'status')`).Scan(&open)
	if err != nil || open > 0 {
		return fmt.Sprintf("%d pieces of work are left (%v)", open, err)
	}
	return ""
}

// account is what became of the commits.
type account struct {
	pushed, told, taken, stored, looked, neverSeen, predicted int
	validated, deployed                                       int
}

// judge compares Gitea, the store and what the wire did.
func (w *forgeWorld) judge(all []*lossy, wire *badWire, kills int) {
	w.t.Helper()
	q, a := w.look(), account{}
	for _, l := range all {
		w.judgeOne(q, l, wire, &a)
	}
	w.t.Logf(`
pushes                                  %5d over %d repositories, Waybill killed %d times
hooks dropped / delivered / twice       %5d / %d / %d
  deliveries late / that met nobody     %5d / %d
commits of which a hook was answered    %5d
commits in a stored delivery            %5d
commits found by looking only           %5d
commits never seen                      %5d
  predicted by the log of the wire      %5d
final results at Gitea                  %5d
deployed                                %5d`,
		a.pushed, len(all), kills, wire.fates["dropped"], wire.fates["delivered"], wire.fates["duplicated"],
		wire.fates["late"], wire.fates["met nobody"], a.taken, a.stored, a.looked, a.neverSeen, a.predicted, a.validated, a.deployed)
	if a.neverSeen != a.predicted {
		w.t.Errorf("%d commits were never seen, the log of the wire predicts %d", a.neverSeen, a.predicted)
	}
}

// judgeOne judges one repository.
func (w *forgeWorld) judgeOne(q store.Querier, l *lossy, wire *badWire, a *account) {
	w.t.Helper()
	ctx := w.t.Context()
	r, err := gitstore.RepositoryByName(ctx, q, "feeds/"+l.connector)
	if err != nil {
		w.t.Fatal(err)
	}
	stored := w.storedCommits(ctx, q, r)
	for _, commit := range l.commits {
		checks, err := gitstore.Checks(ctx, q, r.ID, commit)
		if err != nil {
			w.t.Fatal(err)
		}
		seen, finals := stored[commit] || len(checks) > 0, 0
		for _, s := range w.gitea.Statuses(l.path, commit) {
			if s.Context == "waybill" && s.State != "pending" {
				finals++
			}
		}
		for context, s := range w.shown(l.path, commit) {
			if s == "pending" || s == "error" {
				w.t.Errorf("%s of %s is left %s", context, commit, s)
			}
		}
		switch {
		case seen && finals != 1:
			w.t.Errorf("%s of %s has %d results at Gitea, want 1; stored %v, checks %+v, told %+v", commit, l.path, finals, stored[commit], checks,
				w.gitea.Statuses(l.path, commit))
		case !seen && finals != 0:
			w.t.Errorf("%s has a result and was never seen", commit)
		}
		a.pushed, a.validated = a.pushed+1, a.validated+finals
		count(wire.told[commit], &a.told)
		count(wire.taken[commit], &a.taken)
		count(stored[commit], &a.stored)
		count(!stored[commit] && len(checks) > 0, &a.looked)
		count(!seen, &a.neverSeen)
		// What the wire lost is seen all the same when somebody looked while it was the tip, or when Waybill was killed
		// between storing it and answering.
		count(!wire.taken[commit] && len(checks) == 0, &a.predicted)
		if wire.taken[commit] && !stored[commit] {
			w.t.Errorf("%s was taken and is not stored", commit)
		}
	}
	w.deployedOnce(ctx, q, l, a)
}

func count(yes bool, n *int) {
	if yes {
		*n++
	}
}

// shown is the newest state of each context of a commit.
func (w *forgeWorld) shown(path, commit string) map[string]string {
	shown := map[string]string{}
	for _, s := range w.gitea.Statuses(path, commit) {
		shown[s.Context] = s.State
	}
	return shown
}

// storedCommits are those that the stored deliveries of a repository name.
func (w *forgeWorld) storedCommits(ctx context.Context, q store.Querier, r waybill.Repository) map[string]bool {
	w.t.Helper()
	var text string
	row := func(s *string) []any { return []any{s} }
	list, err := store.List(ctx, q, row, `SELECT event FROM deliveries WHERE repository = $1`, r.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	text = strings.Join(list, "\n")
	commits := map[string]bool{}
	for _, part := range strings.Split(text, `"New":"`)[1:] {
		if len(part) >= 40 {
			commits[part[:40]] = true
		}
	}
	return commits
}

// deployedOnce fails unless the newest commit is live and each commit went live at most once.
func (w *forgeWorld) deployedOnce(ctx context.Context, q store.Querier, l *lossy, a *account) {
	w.t.Helper()
	live, _, err := connectorstore.FindLive(ctx, q, l.connector, 1, waybill.Dev)
	if err != nil {
		w.t.Fatal(err)
	}
	current, err := connectorstore.Release(ctx, q, live.Release)
	if last := l.commits[len(l.commits)-1]; err != nil || current.Commit != last {
		w.t.Errorf("%s runs %s, want %s (%v)", l.connector, current.Commit, last, err)
	}
	releases, err := connectorstore.Releases(ctx, q, connectorstore.ReleaseFilter{Connector: l.connector})
	if err != nil {
		w.t.Fatal(err)
	}
	var deployed []string
	for _, r := range releases {
		if dev, ok := r.Step(waybill.StepDev); ok && dev.Outcome == waybill.OK {
			if slices.Contains(deployed, r.Commit) {
				w.t.Errorf("%s was deployed twice", r.Commit)
			}
			deployed = append(deployed, r.Commit)
		}
	}
	if int(live.Seq) != len(deployed) {
		w.t.Errorf("what is live at %s moved %d times for %d deployed commits", l.connector, live.Seq, len(deployed))
	}
	a.deployed += len(deployed)
}
