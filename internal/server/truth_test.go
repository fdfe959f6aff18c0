package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
)

// note is one line of a commit's note.
type note struct {
	Context, State, Description string
}

// String is one line.
func (n note) String() string { return n.Context + " " + n.State + " " + n.Description }

// notes reads what a commit says at a revision of the notes: refs/notes/waybill or an earlier commit of it.
func (w *world) notes(at, commit string) []note {
	w.t.Helper()
	out, _, err := w.git.Try(w.bare, nil, "cat-file", "blob", at+":"+commit[:2]+"/"+commit[2:])
	if err != nil {
		return nil
	}
	var list []note
	for line := range strings.Lines(out) {
		var n note
		if err := json.Unmarshal([]byte(line), &n); err != nil {
			w.t.Fatalf("note of %s: %v in %q", commit, err, line)
		}
		list = append(list, n)
	}
	return list
}

// settled waits until the commit's note has a final aggregate, nothing pending, and the context.
func (w *world) settled(commit, context string) {
	w.t.Helper()
	w.eventually("note of "+commit+" is final and has "+context, func() bool {
		list := w.notes("refs/notes/waybill", commit)
		found := false
		for _, n := range list {
			if n.State == "pending" {
				return false
			}
			found = found || n.Context == context
		}
		return found
	})
}

// finalWrites counts how often the aggregate of a commit was written to its note as final.
func (w *world) finalWrites(commit string) int {
	w.t.Helper()
	count, before := 0, ""
	for rev := range strings.Lines(w.git.Run(w.bare, "rev-list", "--reverse", "refs/notes/waybill")) {
		for _, n := range w.notes(strings.TrimSpace(rev), commit) {
			if n.Context != "waybill" {
				continue
			}
			if now := n.String(); now != before {
				before = now
				if n.State != "pending" {
					count++
				}
			}
		}
	}
	return count
}

// truth is everything that must be equal after a crash and without one: statuses in store and note, releases with
// their steps, what is live, assignments, sites, work, images and containers. Names and digests that differ from world
// to world are made equal.
func (w *world) truth(commits ...string) string {
	w.t.Helper()
	var b strings.Builder
	ctx := w.t.Context()
	db, err := store.Open(ctx, store.Options{URL: w.storeURL(), Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, step := range []func(context.Context, *strings.Builder, store.Querier, []string) error{
		w.tellCommits, w.tellReleases, w.tellPlaces, w.tellWork,
	} {
		if err := step(ctx, &b, db.Query(), commits); err != nil {
			w.t.Fatal(err)
		}
	}
	fmt.Fprintf(&b, "images %d\ncontainers %d\n", len(w.images(ctx)), w.containers(ctx))
	return w.normalise(b.String())
}

func (w *world) storeURL() string {
	if w.database != "" {
		return w.database
	}
	return filepath.Join(w.dir, "data", "waybill.db")
}

func (w *world) tellCommits(ctx context.Context, b *strings.Builder, q store.Querier, commits []string) error {
	repository, err := gitstore.RepositoryByName(ctx, q, "feeds/"+w.connector)
	if err != nil {
		return err
	}
	for _, commit := range commits {
		statuses, err := gitstore.Statuses(ctx, q, repository.ID, commit)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "commit %d final writes\n", w.finalWrites(commit))
		for _, s := range statuses {
			fmt.Fprintf(b, "  store %s\n", note{s.Context, string(s.State), s.Description})
		}
		for _, n := range w.notes("refs/notes/waybill", commit) {
			fmt.Fprintf(b, "  note  %s\n", n)
		}
	}
	return nil
}

func (w *world) tellReleases(ctx context.Context, b *strings.Builder, q store.Querier, _ []string) error {
	releases, err := connectorstore.Releases(ctx, q, connectorstore.ReleaseFilter{})
	if err != nil {
		return err
	}
	for _, r := range releases {
		fmt.Fprintf(b, "release to %s %s:", r.Environment, r.Outcome)
		for _, st := range r.Steps {
			fmt.Fprintf(b, " %s=%s (%s)", st.Step, st.Outcome, st.Detail)
		}
		fmt.Fprintln(b)
	}
	lives, err := connectorstore.Lives(ctx, q)
	for _, l := range lives {
		r, err := connectorstore.Release(ctx, q, l.Release)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "live in %s: %s %s, moved %d times\n", l.Environment, r.Outcome, r.Semver, l.Seq)
	}
	return err
}

func (w *world) tellPlaces(ctx context.Context, b *strings.Builder, q store.Querier, _ []string) error {
	sites, err := connectorstore.Sites(ctx, q)
	if err != nil {
		return err
	}
	for _, s := range sites {
		fmt.Fprintf(b, "site %s of %s\n", s.Name, s.Owner)
	}
	assignments, err := connectorstore.Assignments(ctx, q, connectorstore.AssignmentFilter{})
	for _, a := range assignments {
		fmt.Fprintf(b, "assignment at %s: %v enabled=%v\n", a.Site, a.Config, a.Enabled)
	}
	return err
}

func (w *world) tellWork(ctx context.Context, b *strings.Builder, q store.Querier, _ []string) error {
	var open int
	if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM work WHERE wanted <> done OR discarded > 0`).Scan(&open); err != nil {
		return err
	}
	fmt.Fprintf(b, "work left %d\n", open)
	images, err := connectorstore.Images(ctx, q)
	fmt.Fprintf(b, "images in store %d\n", len(images))
	return err
}

var digests = regexp.MustCompile(`sha256:[0-9a-f]{12}`)

func (w *world) normalise(text string) string {
	return digests.ReplaceAllString(strings.ReplaceAll(text, w.connector, "NAME"), "sha256:DIGEST")
}

// images lists the ids of the images that the world's connector has on the engine.
func (w *world) images(ctx context.Context) []string {
	list, err := w.docker.ImageList(ctx, image.ListOptions{
		Filters: filters.NewArgs(filters.Arg("reference", "waybill/"+w.connector)),
	})
	if err != nil {
		w.t.Error(err)
	}
	var ids []string
	for _, i := range list {
		if !slices.Contains(ids, i.ID) {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

// containers counts the containers, running or ended, that were made from images of the world's connector.
func (w *world) containers(ctx context.Context) int {
	w.t.Helper()
	list, err := w.listContainers(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(list)
}

func (w *world) listContainers(ctx context.Context) (all []container.Summary, err error) {
	for _, id := range w.images(ctx) {
		list, err := w.docker.ContainerList(ctx, container.ListOptions{
			All: true, Filters: filters.NewArgs(filters.Arg("ancestor", id)),
		})
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// tidy removes what the world has on the engine. It runs when the test has ended, and its context with it.
func (w *world) tidy() {
	ctx := context.WithoutCancel(w.t.Context())
	left, err := w.listContainers(ctx)
	if err != nil {
		w.t.Error(err)
	}
	for _, c := range left {
		_ = w.docker.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true})
	}
	for _, id := range w.images(ctx) {
		_, _ = w.docker.ImageRemove(ctx, id, image.RemoveOptions{Force: true, PruneChildren: true})
	}
}
