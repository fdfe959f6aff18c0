package repo_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/repo"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// BenchmarkRefs fetches a push from, and lists, a repository of 100,000 refs over HTTP.
func BenchmarkRefs(b *testing.B) {
	const refs = 100_000
	g := testkit.NewGit(b)
	bare := g.Bare("crowd.git")
	clone := g.Clone(bare, "work")
	commit := clone.Commit("one", map[string]string{"a": "1"})
	clone.Push("main")
	packed := bytes.NewBufferString("# pack-refs with: peeled fully-peeled sorted \n")
	for i := range refs {
		fmt.Fprintf(packed, "%s refs/pull/%06d/head\n", commit, i)
	}
	if err := os.WriteFile(filepath.Join(bare, "packed-refs"), packed.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	mirrors, err := repo.Open(filepath.Join(g.Dir, "mirrors"), repo.Options{Credentials: login})
	if err != nil {
		b.Fatal(err)
	}
	r := waybill.Repository{ID: "01J0", Name: "crowd", Owner: "feeds", URL: serve(b, g.Dir) + "/crowd.git"}
	if _, err := mirrors.Fetch(b.Context(), r, "refs/heads/main"); err != nil {
		b.Fatal(err, cause(err))
	}
	n := 0
	b.Run("fetch", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			n++
			want := clone.Commit("more", map[string]string{"a": fmt.Sprint("x", n)})
			clone.Push("main")
			b.StartTimer()
			if got, err := mirrors.Fetch(b.Context(), r, "refs/heads/main"); err != nil || got != want {
				b.Fatal(got, err)
			}
		}
		b.ReportMetric(float64(b.Elapsed())/float64(time.Millisecond)/float64(b.N), "ms/op")
	})
	b.Run("tips", func(b *testing.B) {
		for b.Loop() {
			if tips, _, err := mirrors.Tips(b.Context(), r); err != nil || len(tips) != 1 {
				b.Fatal(len(tips), err)
			}
		}
		b.ReportMetric(float64(b.Elapsed())/float64(time.Millisecond)/float64(b.N), "ms/op")
	})
}
