package reconcile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// desk is an engine on a real store and the real loader; the mirror and the connector room are small fakes.
type desk struct {
	*Engine
	t        *testing.T
	tips     map[string]string  // ref → commit
	commits  map[string]mapTree // commit → files
	unread   error              // what reading a tree ends with
	refused  error              // what a fetch ends with
	observed []waybill.Observed // what the connector room stores
	accepted []string           // changes handed over, as "name class environment"
	tells    bool               // the tip is told before it is fetched
	cut      error              // what ends a fetch after that
}

// mapTree is the files of a commit by path.
type mapTree map[string]string

func (m mapTree) Walk(_ context.Context, fn func(waybill.File) error) error {
	for path, text := range m {
		if err := fn(waybill.File{Path: path, Mode: 0o644, Blob: text}); err != nil {
			return err
		}
	}
	return nil
}

func (m mapTree) Open(_ context.Context, path string) (io.ReadCloser, error) {
	text, ok := m[path]
	if !ok {
		return nil, waybill.Errorf(waybill.NotFound, "no file %s", path)
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func (m mapTree) Size(ctx context.Context, name string) (int64, error) {
	text, err := waybill.ReadFile(ctx, m, name, 1<<20)
	return int64(len(text)), err
}

func (d *desk) FetchTelling(_ context.Context, _ waybill.Repository, ref string, told func(string) error) (string, error) {
	if d.tells {
		if err := errors.Join(told(d.tips[ref]), d.cut); err != nil {
			return "", err
		}
	}
	if d.refused != nil {
		return d.tips[ref], d.refused
	}
	if tip, ok := d.tips[ref]; ok {
		return tip, nil
	}
	return "", waybill.Errorf(waybill.NotFound, "no ref %s", ref)
}

func (d *desk) Tree(_ context.Context, _ waybill.Repository, commit string) (waybill.Tree, error) {
	return d.commits[commit], d.unread
}

func (d *desk) Keep(context.Context, waybill.Repository, string) error { return nil }

func (d *desk) Observe(context.Context, store.Querier, string, []waybill.Identity) ([]waybill.Observed, error) {
	return d.observed, nil
}

func (d *desk) Content(context.Context, waybill.Tree, waybill.Declaration) (string, error) {
	return "content", nil
}

func (d *desk) Accept(_ context.Context, _ *store.Tx, _ waybill.Check, changes []waybill.Change) error {
	for _, c := range changes {
		d.accepted = append(d.accepted, fmt.Sprintf("%s %s %s", c.Identity, c.Class, c.Environment))
	}
	return nil
}

// nobody declares settings.
type nobody struct{}

func (nobody) Is(waybill.Repository) bool { return false }

func (nobody) Known(_ context.Context, _ store.Querier, o manifest.Options) (manifest.Options, error) {
	return o, nil
}

func (nobody) Observe(context.Context, store.Querier, waybill.Check, []waybill.Declaration) ([]waybill.Observed, waybill.Findings, error) {
	return nil, nil, nil
}

func (nobody) Apply(context.Context, *store.Tx, waybill.Check, []waybill.Declaration) (int, error) {
	return 0, nil
}

const (
	mainRef = "refs/heads/main"
	good    = `apiVersion: waybill.dev/v1
kind: Connector
metadata: {name: shop-feed, title: Shop feed, owner: feeds}
spec:
  type: datasource
  datasource: {categories: [shop-systems]}
  application: {command: /bin/feed, healthCheck: {arguments: [--check]}}
`
)

func newDesk(t *testing.T) *desk {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), store.Options{URL: filepath.Join(t.TempDir(), "waybill.db"), Log: log, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	loader, err := manifest.New()
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, tips: map[string]string{}, commits: map[string]mapTree{}}
	d.Engine = New(Options{
		DB: db, Mirrors: d, Loader: loader, Connectors: d, Platform: nobody{}, Now: time.Now, Log: log,
		Observer: Observer{
			Git:       func(string, time.Duration, error) {},
			Validated: func(time.Duration) {}, Found: func(waybill.Findings) {},
		},
	})
	r := waybill.Repository{ID: "R", Name: "shop-feed", URL: "/srv/a.git", Forge: "plain", Owner: "feeds", Hook: "h"}
	err = db.Write(t.Context(), "test", func(tx *store.Tx) error { return gitstore.AddRepository(t.Context(), tx, r) })
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// push moves a ref to a commit with a manifest and a Dockerfile, and lets a worker look.
func (d *desk) push(ref, commit, text string) queue.Result {
	d.tips[ref], d.commits[commit] = commit, mapTree{"waybill.yaml": text, "Dockerfile": "FROM scratch\n"}
	return d.Handle(d.t.Context(), queue.Item{Kind: Kind, Key: Key("R", ref)})
}

// board returns what a commit says, one "context state description" a line.
func (d *desk) board(commit string) string {
	d.t.Helper()
	statuses, err := gitstore.Statuses(d.t.Context(), d.DB.Query(), "R", commit)
	if err != nil {
		d.t.Fatal(err)
	}
	var b strings.Builder
	for _, s := range statuses {
		fmt.Fprintf(&b, "%s %s %s\n", s.Context, s.State, s.Description)
	}
	return b.String()
}

func (d *desk) want(commit, board string) {
	d.t.Helper()
	if diff := cmp.Diff(board, d.board(commit)); diff != "" {
		d.t.Errorf("commit %s (-want +got):\n%s", commit, diff)
	}
}

func TestGoodManifestIsHandedOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.push(mainRef, "aaa", good)
	d.want("aaa", "waybill success 1 connector released\nwaybill/shop-feed/validate success 1 connector\n")
	if diff := cmp.Diff([]string{"shop-feed create dev"}, d.accepted); diff != "" {
		t.Error(diff)
	}
	r, err := gitstore.Repository(t.Context(), d.DB.Query(), "R")
	if err != nil || r.DefaultBranch != "main" {
		t.Errorf("the first pushed branch is the default: %q, %v", r.DefaultBranch, err)
	}
}

func TestBrokenManifestIsNot(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.push(mainRef, "aaa", strings.Replace(good, "type: datasource", "type: datasorce", 1))
	const first = `1 error: waybill.yaml:5:9 unknown type "datasorce"`
	d.want("aaa", "waybill failure "+first+"\nwaybill/shop-feed/validate failure "+first+"\n")
	if len(d.accepted) != 0 {
		t.Errorf("handed over: %v", d.accepted)
	}
}

func TestNamelessMistakeSpeaksThroughTheAggregate(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.push(mainRef, "aaa", "kind: [")
	if got := d.board("aaa"); !strings.HasPrefix(got, "waybill failure 1 error: waybill.yaml:") || strings.Count(got, "\n") != 1 {
		t.Error(got)
	}
}

func TestCommitWithoutManifest(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.tips[mainRef], d.commits["aaa"] = "aaa", mapTree{"README.md": "hello"}
	d.Handle(t.Context(), queue.Item{Kind: Kind, Key: Key("R", mainRef)})
	d.want("aaa", "waybill success no manifest changed\n")
}

func TestKilledCheckOfAnOvertakenCommitEndsToo(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.commits["aaa"] = mapTree{"waybill.yaml": good, "Dockerfile": "FROM scratch\n"}
	err := d.DB.Write(t.Context(), "test", func(tx *store.Tx) error {
		return gitstore.PutCheck(t.Context(), tx, waybill.Check{
			ID: store.NewID(time.Now()), Repository: "R", Ref: mainRef, Commit: "aaa", Phase: waybill.Fetched,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	d.push(mainRef, "bbb", good)
	d.want("aaa", "waybill success valid; not deployed, superseded by bbb\nwaybill/shop-feed/validate success 1 connector\n")
	if diff := cmp.Diff([]string{"shop-feed create dev"}, d.accepted); diff != "" {
		t.Errorf("only the tip is handed over:\n%s", diff)
	}
}

func TestUnreadableCommitIsOurError(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.unread = waybill.Errorf(waybill.TooLarge, "the commit holds more than 100000 files")
	d.push(mainRef, "aaa", good)
	d.want("aaa", "waybill error not checked: the commit holds more than 100000 files\n")
}

func TestPassingFaultIsTriedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.unread = waybill.Errorf(waybill.Unavailable, "the disk is away")
	if got := d.push(mainRef, "aaa", good); got.String() != "retry" {
		t.Errorf("got %s", got)
	}
	d.want("aaa", "waybill pending in progress\n")
	d.unread = nil
	d.Handle(t.Context(), queue.Item{Kind: Kind, Key: Key("R", mainRef)})
	if got := d.board("aaa"); !strings.HasPrefix(got, "waybill success") {
		t.Error(got)
	}
}

func TestSameTipIsLookedAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.push(mainRef, "aaa", good)
	d.push(mainRef, "aaa", good)
	checks, err := gitstore.Checks(t.Context(), d.DB.Query(), "R", "aaa")
	if err != nil || len(checks) != 1 || len(d.accepted) != 1 {
		t.Errorf("%d checks, accepted %v, %v", len(checks), d.accepted, err)
	}
}

func TestDeletedRefDoesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.push(mainRef, "aaa", good)
	delete(d.tips, mainRef)
	if got := d.Handle(t.Context(), queue.Item{Kind: Kind, Key: Key("R", mainRef)}); got.String() != "done" {
		t.Errorf("got %s, %v", got, got.Err())
	}
	ref, _, err := gitstore.FindRef(t.Context(), d.DB.Query(), "R", mainRef)
	if err != nil || ref.Tip != "" || len(d.accepted) != 1 {
		t.Errorf("tip %q, accepted %v, %v", ref.Tip, d.accepted, err)
	}
}

func TestRetryReopensTheTip(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.push(mainRef, "aaa", good)
	by := waybill.Actor{Name: "ada", Channel: waybill.ChannelAPI}
	if err := d.Retry(t.Context(), "R", "bbb", by); !waybill.IsCode(err, waybill.Conflict) {
		t.Errorf("a commit that is no tip: %v", err)
	}
	if err := d.Retry(t.Context(), "R", "aaa", by); err != nil {
		t.Fatal(err)
	}
	d.want("aaa", "waybill pending in progress\nwaybill/shop-feed/validate success 1 connector\n")
	d.Handle(t.Context(), queue.Item{Kind: Kind, Key: Key("R", mainRef)})
	if got := d.board("aaa"); !strings.HasPrefix(got, "waybill success") {
		t.Error(got)
	}
}

func TestFirstPushOfTwoBranchesKeepsTheFirst(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	stale, err := gitstore.Repository(t.Context(), d.DB.Query(), "R")
	if err != nil {
		t.Fatal(err)
	}
	d.push(mainRef, "aaa", good)
	late := &work{repository: stale, ref: "refs/heads/feature", tip: "bbb"} // its worker began together with the other
	if _, err := d.observe(t.Context(), late); err != nil || late.repository.DefaultBranch != "main" {
		t.Errorf("the default became %q (%v)", late.repository.DefaultBranch, err)
	}
}

func TestPushIsOnlyOfWhoMadeIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	err := d.DB.Write(t.Context(), "test", func(tx *store.Tx) error {
		_, _, err := gitstore.AcceptDelivery(t.Context(), tx, waybill.Delivery{Repository: "R", Forge: "plain", Hook: "h", Event: waybill.Event{
			Kind: "push", Key: "1", Actor: "ada", Refs: []waybill.RefUpdate{{Name: mainRef, New: "aaa"}},
		}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, pushed := range []struct{ commit, actor string }{{"aaa", "ada"}, {"bbb", ""}} { // bbb was found by polling
		d.push(mainRef, pushed.commit, good)
		checks, err := gitstore.Checks(t.Context(), d.DB.Query(), "R", pushed.commit)
		if err != nil || len(checks) != 1 || checks[0].Actor != pushed.actor {
			t.Errorf("%s was pushed by %+v, want %q (%v)", pushed.commit, checks, pushed.actor, err)
		}
	}
}

func TestRetryEndsWhenTheRepositoryRefuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.push(mainRef, "aaa", good)
	if err := d.Retry(t.Context(), "R", "aaa", waybill.Actor{Name: "ada"}); err != nil {
		t.Fatal(err)
	}
	d.refused = waybill.Errorf(waybill.Denied, "feeds/shop-feed refuses the credentials")
	if got := d.Handle(t.Context(), queue.Item{Kind: Kind, Key: Key("R", mainRef)}); got.String() != "discard" {
		t.Errorf("got %s", got)
	}
	if got := d.board("aaa"); !strings.HasPrefix(got, "waybill error not checked: feeds/shop-feed refuses the credentials\n") {
		t.Error(got)
	}
}

func TestCommitThatIsTooLargeIsTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.refused = waybill.Errorf(waybill.TooLarge, "the history is larger than the limit for one fetch")
	d.push(mainRef, "aaa", good)
	d.want("aaa", "waybill error not checked: the history is larger than the limit for one fetch\n")
	ref, _, err := gitstore.FindRef(t.Context(), d.DB.Query(), "R", mainRef)
	if err != nil || ref.Tip != "aaa" {
		t.Errorf("the next poll would send a worker again: %+v, %v", ref, err)
	}
}

func TestMendedManifestSaysSo(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.push(mainRef, "aaa", strings.Replace(good, "type: datasource", "type: datasorce", 1))
	d.observed = served(t, d)
	d.push(mainRef, "bbb", good)
	d.want("bbb", "waybill success 1 connector valid again; what is deployed is the same\n"+
		"waybill/shop-feed/validate success 1 connector\n")
}

func TestRetryThatChangesNothingKeepsTheWords(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.push(mainRef, "aaa", good)
	before := d.board("aaa")
	d.observed = served(t, d)
	if err := d.Retry(t.Context(), "R", "aaa", waybill.Actor{}); err != nil {
		t.Fatal(err)
	}
	d.Handle(t.Context(), queue.Item{Kind: Kind, Key: Key("R", mainRef)})
	d.want("aaa", before)
}

func TestGoodTagHealsWhatAWrongOneSaid(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.push(mainRef, "aaa", good)
	d.observed = served(t, d)
	d.push("refs/tags/v2.0.0", "aaa", good) // no declaration has major 2
	if got := d.board("aaa"); !strings.HasPrefix(got, "waybill failure") {
		t.Fatalf("after a wrong tag:\n%s", got)
	}
	d.push("refs/tags/demo", "aaa", good) // no release tag at all
	if got := d.board("aaa"); strings.Contains(got, "failure") {
		t.Errorf("after a tag that asks for nothing:\n%s", got)
	}
}

// served is what the connector room stores once dev serves the good manifest.
func served(t *testing.T, d *desk) []waybill.Observed {
	t.Helper()
	loaded, err := d.Loader.Load(t.Context(), mapTree{"waybill.yaml": good, "Dockerfile": "FROM scratch\n"}, manifest.Options{})
	if err != nil || len(loaded.Declarations) != 1 {
		t.Fatal(loaded.Findings, err)
	}
	r := &waybill.Release{
		Declaration: loaded.Declarations[0], Environment: waybill.Dev, Repository: "R", Context: "content", Outcome: waybill.OK,
	}
	return []waybill.Observed{{Identity: r.Declaration.Identity, Owner: "feeds", Repository: "R", Newest: r, Live: r}}
}

func TestDeclarationThatIsGoneIsNamed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.push(mainRef, "aaa", good)
	d.observed = served(t, d)
	d.tips[mainRef], d.commits["bbb"] = "bbb", mapTree{"README.md": "hello"}
	d.Handle(t.Context(), queue.Item{Kind: Kind, Key: Key("R", mainRef)})
	d.want("bbb", "waybill success shop-feed is no longer declared; dev loses it after a while, prod keeps it\n")
}

// TestConsequences checks that a commit says what happens, and nothing that does not.
func TestConsequences(t *testing.T) {
	t.Parallel()
	change := func(kind, name string, class waybill.ChangeClass, env waybill.Environment) waybill.Change {
		return waybill.Change{Identity: waybill.Identity{Kind: kind, Name: name, Major: 1}, Class: class, Environment: env}
	}
	connector := change("Connector", "shop-feed", waybill.Rebuild, waybill.Dev)
	draft, published := change("App", "invoice-sync", waybill.Create, waybill.Dev), change("App", "invoice-sync", waybill.Minor, waybill.Prod)
	team, site := change("Team", "feeds", waybill.Create, waybill.Prod), change("Site", "shops", waybill.Altered, waybill.Prod)
	for want, changes := range map[string][]waybill.Change{
		"1 connector released":                                          {connector},
		"1 app valid; apps are not published yet":                       {draft},
		"1 connector released, 1 app valid; apps are not published yet": {published, connector},
		"1 team applied":                                                {team},
		"2 settings applied":                                            {team, site},
		"1 connector valid; this ref deploys nothing":                   {change("Connector", "shop-feed", waybill.Create, "")},
		"shop-feed is no longer declared; dev loses it after a while, prod keeps it": {
			change("Connector", "shop-feed", waybill.Remove, ""),
		},
		"team/feeds, site/shops are no longer declared and not applied any more": {
			change("Team", "feeds", waybill.Remove, waybill.Prod), change("Site", "shops", waybill.Remove, waybill.Prod),
		},
	} {
		if state, got := result(nil, changes, false, "", past{}); got != want || state != waybill.StateSuccess {
			t.Errorf("%s %q, want %q", state, got, want)
		}
	}
}

// TestPushIsSeenBeforeItsObjectsAreHere: people see at once that their push arrived, and a fetch that is cut short
// opens nothing twice.
func TestPushIsSeenBeforeItsObjectsAreHere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.tells, d.cut = true, waybill.Errorf(waybill.Unavailable, "the connection is gone")
	if got := d.push(mainRef, "aaa", good); got.String() != "retry" {
		t.Errorf("cut short: %s", got)
	}
	d.want("aaa", "waybill pending in progress\n")
	d.cut = nil
	d.push(mainRef, "aaa", good)
	d.push(mainRef, "bbb", good)
	for _, commit := range []string{"aaa", "bbb"} {
		d.want(commit, "waybill success 1 connector released\nwaybill/shop-feed/validate success 1 connector\n")
		if checks, err := gitstore.Checks(t.Context(), d.DB.Query(), "R", commit); err != nil || len(checks) != 1 {
			t.Errorf("%s: %d checks, %v", commit, len(checks), err)
		}
	}
	if diff := cmp.Diff([]string{"shop-feed create dev", "shop-feed create dev"}, d.accepted); diff != "" {
		t.Error(diff)
	}
}
