package manifest_test

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// committed is a tree whose files have blob ids, so that a loader remembers them.
type committed struct{ files }

func (c committed) Walk(ctx context.Context, fn func(waybill.File) error) error {
	return c.files.Walk(ctx, func(f waybill.File) error {
		sum := sha1.Sum([]byte(c.files[f.Path]))
		f.Blob = hex.EncodeToString(sum[:])
		return fn(f)
	})
}

// history is a repository that changes at random, made of the cases of the corpus.
type history struct {
	*rand.Rand
	corpus  []specimen
	tree    files
	options manifest.Options
}

// step changes something: a folder, a file beside a manifest, or what the portal knows.
func (h *history) step() {
	folders := []string{".", "a", "b", "b/c", "A"}
	folder, s := folders[h.IntN(len(folders))], h.corpus[h.IntN(len(h.corpus))]
	names := make([]string, 0, len(h.tree))
	for name := range h.tree {
		names = append(names, name)
	}
	switch h.IntN(8) {
	case 0, 1, 2: // a case moves in
		for name, text := range s.tree {
			h.tree[path.Join(folder, name)] = text
		}
	case 3: // a folder goes
		maps.DeleteFunc(h.tree, func(name, _ string) bool { return path.Dir(name) == folder })
	case 4: // a manifest is copied
		if from, ok := h.tree[path.Join(folders[h.IntN(len(folders))], manifest.Name)]; ok {
			h.tree[path.Join(folder, manifest.Name)] = from
		}
	case 5: // a file goes, or is a link from now on
		if len(names) > 0 {
			name := names[h.IntN(len(names))]
			if text := h.tree[name]; h.IntN(2) == 0 && !strings.HasPrefix(text, "→ ") {
				h.tree[name] = "→ elsewhere"
			} else {
				delete(h.tree, name)
			}
		}
	case 6: // the file is another, the manifest the same
		h.tree[path.Join(folder, []string{"Dockerfile", "logo.svg", "policy.cue", "README.md"}[h.IntN(4)])] = "FROM other:" + string('a'+rune(h.IntN(4)))
	case 7: // the platform changes
		h.options = s.options
		h.options.Policies = []map[string]waybill.PolicySpec{
			nil,
			{"images": {BaseImages: []string{"scratch", "other:a"}, Message: "Take ours."}},
			{"titles": {Source: []byte(`metadata: title: =~"^[A-Z]" @say("a title starts with a capital letter")`)}},
		}[h.IntN(3)]
	}
}

// TestRecallChangesNothing: whatever happens to a repository and the platform, a loader that remembers comes to the same
// as one that reads everything anew, and what it said before stays as it was.
func TestRecallChangesNothing(t *testing.T) {
	t.Parallel()
	all := corpus(t)
	for name, budget := range map[string]int64{"everything": 4 << 20, "little": 4 << 10} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fresh, remembering := newLoader(t), newLoader(t)
			remembering.Remember(budget)
			h := history{Rand: rand.New(rand.NewPCG(1, uint64(budget))), corpus: all, tree: files{}}
			var before manifest.Result
			var said string
			for i := range 120 {
				h.step()
				want, err := fresh.Load(t.Context(), h.tree, h.options)
				if err != nil {
					t.Fatal(err)
				}
				got := twice(t, remembering, committed{h.tree}, h.options)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("step %d (read anew, remembered):\n%s", i, diff)
				}
				if now := whole(t, before); i > 0 && now != said {
					t.Fatalf("step %d changed an earlier result:\n%s", i, cmp.Diff(said, now))
				}
				before, said = got, whole(t, got)
			}
		})
	}
}

// twice loads in two goroutines and returns one of the results, which must not differ.
func twice(t *testing.T, l *manifest.Loader, tree waybill.Tree, o manifest.Options) manifest.Result {
	t.Helper()
	var results [2]manifest.Result
	var both sync.WaitGroup
	for i := range results {
		both.Go(func() {
			var err error
			if results[i], err = l.Load(t.Context(), tree, o); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if diff := cmp.Diff(results[0], results[1]); diff != "" {
		t.Fatalf("two goroutines:\n%s", diff)
	}
	return results[0]
}

func whole(t *testing.T, r manifest.Result) string {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRecallSeesOtherFiles: a manifest that did not change is judged by the files beside it as they are now.
func TestRecallSeesOtherFiles(t *testing.T) {
	t.Parallel()
	l := newLoader(t)
	tree := committed{files{"waybill.yaml": feed, "Dockerfile": "FROM scratch"}}
	for i, want := range []string{"", `waybill.yaml:7:1: error WB303: file "Dockerfile" does not exist (add the file to the commit, or set spec.build.dockerfile)`, ""} {
		if delete(tree.files, "Dockerfile"); i != 1 {
			tree.files["Dockerfile"] = "FROM scratch"
		}
		r, err := l.Load(t.Context(), tree, manifest.Options{Owner: "feeds"})
		if got := strings.Join(lines(r.Findings), "\n"); err != nil || got != want {
			t.Errorf("push %d: got %s, %v, want %s", i, got, err, want)
		}
	}
}
