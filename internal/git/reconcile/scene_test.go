package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// scene is an engine on a real store, a real repository and a real mirror. The forge and the connector room are small
// fakes.
type scene struct {
	*Engine
	t     *testing.T
	git   *testkit.Git
	clone *testkit.Clone
	names map[string]string // commit → what a test calls it
	talk  *talk
	room  *room
	crash func(names []string, run func() error) error // nil: nothing crashes
}

// talk is the forge: what it knows of pull requests, and what it was told.
type talk struct {
	pulls   map[int]waybill.Pull
	writers []string
	fails   error
	asked   []string // what the forge was asked, other than for the pull request
	bodies  []string // comments, in the order in which they were written
	comment map[int]string
}

func (f *talk) Pull(_ context.Context, _ waybill.Repository, number int) (waybill.Pull, error) {
	if f.fails != nil {
		return waybill.Pull{}, f.fails
	}
	p, ok := f.pulls[number]
	if !ok {
		return p, waybill.Errorf(waybill.NotFound, "no pull request %d", number)
	}
	return p, nil
}

func (f *talk) OpenPulls(context.Context, waybill.Repository) ([]waybill.Pull, error) {
	return slices.Collect(maps.Values(f.pulls)), nil
}

func (f *talk) Comment(_ context.Context, _ waybill.Repository, p waybill.Pull, body string) (string, error) {
	if f.fails != nil {
		return "", f.fails
	}
	f.bodies = append(f.bodies, body)
	if f.comment == nil {
		f.comment = map[int]string{}
	}
	f.asked = append(f.asked, "comment "+p.Comment)
	f.comment[p.Number] = body
	return "c" + fmt.Sprint(p.Number), nil
}

func (f *talk) MayWrite(_ context.Context, _ waybill.Repository, user string) (bool, error) {
	f.asked = append(f.asked, "may "+user)
	return slices.Contains(f.writers, user), f.fails
}

// room is the connector room: what is handed over is deployed at once.
type room struct {
	releases map[waybill.Identity]*waybill.Release
	accepted []string
	tried    []string
	trials   []waybill.Trial
	again    []string
}

func (r *room) Observe(_ context.Context, _ store.Querier, _ string, ids []waybill.Identity) ([]waybill.Observed, error) {
	var all []waybill.Observed
	for id, rel := range r.releases {
		all = append(all, waybill.Observed{Identity: id, Owner: "feeds", Repository: "R", Newest: rel, Live: rel})
	}
	return all, nil
}

func (r *room) Content(ctx context.Context, t waybill.Tree, d waybill.Declaration) (string, error) {
	var all []string
	err := waybill.Sub(t, d.Folder).Walk(ctx, func(f waybill.File) error {
		if !strings.HasSuffix(f.Path, "waybill.yaml") {
			all = append(all, f.Path+f.Blob)
		}
		return nil
	})
	slices.Sort(all)
	return strings.Join(all, " "), err
}

func (r *room) Accept(_ context.Context, tx *store.Tx, c waybill.Check, changes []waybill.Change) error {
	tx.After(func() {
		for _, change := range changes {
			if change.Wanted == nil || change.Wanted.Connector == nil || change.Environment == "" {
				continue
			}
			r.accepted = append(r.accepted, change.Identity.String()+" "+string(change.Class))
			r.releases[change.Identity] = &waybill.Release{
				Declaration: *change.Wanted, Environment: change.Environment, Repository: "R", Commit: c.Commit, Context: change.Content, Outcome: waybill.OK,
			}
		}
	})
	return nil
}

func (r *room) Try(_ context.Context, tx *store.Tx, c waybill.Check, changes []waybill.Change) error {
	tx.After(func() {
		for _, change := range changes {
			r.tried = append(r.tried, fmt.Sprintf("%s %s %s", change.Identity, change.Class, change.Environment))
		}
	})
	return nil
}

func (r *room) Trials(context.Context, store.Querier, waybill.Check) ([]waybill.Trial, error) {
	return r.trials, nil
}

func (r *room) Reconsider(_ context.Context, tx *store.Tx, _, ref string) error {
	tx.After(func() { r.again = append(r.again, ref) })
	return nil
}

func newScene(t *testing.T) *scene {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	s := &scene{
		t: t, git: testkit.NewGit(t), names: map[string]string{}, talk: &talk{pulls: map[int]waybill.Pull{}},
		room: &room{releases: map[waybill.Identity]*waybill.Release{}},
	}
	db, err := store.Open(t.Context(), store.Options{
		URL: filepath.Join(t.TempDir(), "waybill.db"), Log: log, Now: time.Now,
		Commit: func(names []string, run func() error) error {
			if s.crash != nil {
				return s.crash(names, run)
			}
			return run()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	loader, err := manifest.New()
	if err != nil {
		t.Fatal(err)
	}
	mirrors, err := repo.Open(filepath.Join(s.git.Dir, "mirrors"), repo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mirrors.Close)
	bare := s.git.Bare("shop.git")
	s.clone = s.git.Clone(bare, "work")
	s.Engine = New(Options{
		DB: db, Mirrors: mirrors, History: mirrors, Loader: loader, Connectors: s.room, Trials: s.room, Platform: nobody{},
		Forge:     func(string) (forge.Conversation, bool) { return s.talk, true },
		PublicURL: "https://waybill.test", Now: time.Now, Log: log,
		Observer: Observer{
			Git: func(string, time.Duration, error) {}, Validated: func(time.Duration) {}, Found: func(waybill.Findings) {},
		},
	})
	r := waybill.Repository{
		ID: "R", Name: "shop", URL: bare, Forge: "forge", Owner: "feeds", Hook: "h", DefaultBranch: "main", ForgeID: "1", Path: "feeds/shop",
	}
	s.write(func(tx *store.Tx) error { return gitstore.AddRepository(t.Context(), tx, r) })
	return s
}

func (s *scene) write(fn func(tx *store.Tx) error) {
	s.t.Helper()
	if err := s.DB.Write(s.t.Context(), "test", fn); err != nil {
		s.t.Fatal(err)
	}
}

// commit makes a commit on a branch, which it creates where main is, with the files changed; "" deletes one.
func (s *scene) commit(branch, name string, files map[string]string) string {
	s.t.Helper()
	if _, _, err := s.git.Try(s.clone.Dir, nil, "switch", "--quiet", branch); err != nil {
		s.clone.Run("switch", "--quiet", "-C", branch)
	}
	written := map[string]string{}
	for path, text := range files {
		if text == "" {
			s.clone.Run("rm", "--quiet", path)
		} else {
			written[path] = text
		}
	}
	sha := s.clone.Commit(name, written)
	s.names[sha] = name
	return sha
}

// push pushes a branch and lets a worker look at it.
func (s *scene) push(branch string) {
	s.t.Helper()
	s.clone.Push("--force", branch)
	s.done(s.Handle(s.t.Context(), queue.Item{Kind: Kind, Key: Key("R", "refs/heads/"+branch)}))
}

// propose makes the branch the head of a pull request to main, as a forge does.
func (s *scene) propose(number int, branch string) waybill.Pull {
	s.t.Helper()
	s.clone.Run("push", "--quiet", "--force", "origin", fmt.Sprintf("%s:refs/pull/%d/head", branch, number))
	p := waybill.Pull{
		Number: number, Ref: fmt.Sprintf("refs/pull/%d/head", number), Head: s.clone.Run("rev-parse", branch), Base: "main",
		Open: true, Author: "lin", Title: branch, URL: fmt.Sprintf("https://forge.test/feeds/shop/pulls/%d", number),
	}
	s.talk.pulls[number] = p
	return p
}

// look lets a worker look at a pull request.
func (s *scene) look(number int) {
	s.t.Helper()
	s.done(s.HandlePull(s.t.Context(), queue.Item{Kind: PullKind, Key: PullKey("R", number), Attempt: 1}))
}

func (s *scene) done(r queue.Result) {
	s.t.Helper()
	if r.String() != "done" {
		s.t.Fatalf("%s: %v", r, r.Err())
	}
}

// board returns what a commit says, with the names that the test has for commits.
func (s *scene) board(commit string) string {
	s.t.Helper()
	statuses, err := gitstore.Statuses(s.t.Context(), s.DB.Query(), "R", commit)
	if err != nil {
		s.t.Fatal(err)
	}
	var b strings.Builder
	for _, st := range statuses {
		fmt.Fprintf(&b, "%s %s %s\n", st.Context, st.State, st.Description)
	}
	text := b.String()
	for sha, name := range s.names {
		text = strings.ReplaceAll(text, sha[:7], name)
	}
	return text
}

func (s *scene) want(commit, board string) {
	s.t.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(board, "\n"), s.board(commit)); diff != "" {
		s.t.Errorf("%s (-want +got):\n%s", s.names[commit], diff)
	}
}

// pending lists the work of a kind that is wanted.
func (s *scene) wanted(kind string) []string {
	s.t.Helper()
	row := func(k *string) []any { return []any{k} }
	keys, err := store.List(s.t.Context(), s.DB.Query(), row, `SELECT key FROM work WHERE kind = $1 AND wanted <> done ORDER BY key`, kind)
	if err != nil {
		s.t.Fatal(err)
	}
	return keys
}

// forget makes all work done, so that a test sees what is wanted from then on.
func (s *scene) forget() {
	s.t.Helper()
	s.write(func(tx *store.Tx) error {
		_, err := tx.ExecContext(s.t.Context(), `UPDATE work SET done = wanted`)
		return err
	})
}
