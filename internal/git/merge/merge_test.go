package merge_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/merge"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// files is a tree by path. A text is its own blob id; "x:" before it makes it executable, "l:" a link.
type files map[string]string

func (f files) Walk(_ context.Context, fn func(waybill.File) error) error {
	for name, text := range f {
		file := waybill.File{Path: name, Mode: 0o644, Blob: text}
		switch {
		case strings.HasPrefix(text, "x:"):
			file.Mode, file.Blob = 0o755, text[2:]
		case strings.HasPrefix(text, "l:"):
			file.Mode, file.Blob = fs.ModeSymlink|0o777, text[2:]
		}
		if err := fn(file); err != nil {
			return err
		}
	}
	return nil
}

func (f files) Open(_ context.Context, name string) (io.ReadCloser, error) {
	text, ok := f[name]
	if !ok {
		return nil, waybill.Errorf(waybill.NotFound, "no %s", name)
	}
	return io.NopCloser(strings.NewReader(strings.TrimPrefix(strings.TrimPrefix(text, "x:"), "l:"))), nil
}

func (f files) Size(ctx context.Context, name string) (int64, error) {
	text, err := waybill.ReadFile(ctx, f, name, 1<<20)
	return int64(len(text)), err
}

// read is the opposite of files: what is in a tree, read through Open.
func read(t *testing.T, tree waybill.Tree) files {
	t.Helper()
	got := files{}
	err := tree.Walk(t.Context(), func(f waybill.File) error {
		text, err := waybill.ReadFile(t.Context(), tree, f.Path, 1000)
		if err != nil || string(text) != f.Blob {
			t.Errorf("%s reads %q, want %q (%v)", f.Path, text, f.Blob, err)
		}
		if size, err := tree.Size(t.Context(), f.Path); err != nil || size != int64(len(text)) {
			t.Errorf("%s has %d bytes, %v", f.Path, size, err)
		}
		switch {
		case f.Mode&fs.ModeSymlink != 0:
			got[f.Path] = "l:" + f.Blob
		case f.Mode&0o100 != 0:
			got[f.Path] = "x:" + f.Blob
		default:
			got[f.Path] = f.Blob
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTrees(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		base, ours, theirs, want files
		conflicts                []string
	}{
		"nothing in common": {nil, files{"a": "1", "b": "1"}, files{"a": "1", "c": "1"}, files{"a": "1", "b": "1", "c": "1"}, nil},
		"one side each":     {files{"a": "1", "b": "1"}, files{"a": "2", "b": "1"}, files{"a": "1", "b": "2"}, files{"a": "2", "b": "2"}, nil},
		"both the same":     {files{"a": "1"}, files{"a": "2"}, files{"a": "2"}, files{"a": "2"}, nil},
		"both different":    {files{"a": "1"}, files{"a": "2"}, files{"a": "3"}, files{"a": "3"}, []string{"a"}},
		"both added":        {files{}, files{"a": "2"}, files{"a": "3"}, files{"a": "3"}, []string{"a"}},
		"deleted there":     {files{"a": "1"}, files{"a": "2"}, files{}, files{"a": "2"}, []string{"a"}},
		"deleted here":      {files{"a": "1"}, files{}, files{"a": "3"}, files{"a": "3"}, []string{"a"}},
		"deleted":           {files{"a": "1", "b": "1"}, files{"b": "1"}, files{"a": "1"}, files{}, nil},
		"mode and content":  {files{"a": "1"}, files{"a": "x:1"}, files{"a": "2"}, files{"a": "x:2"}, nil},
		"content and mode":  {files{"a": "1"}, files{"a": "2"}, files{"a": "x:1"}, files{"a": "x:2"}, nil},
		"link and content":  {files{"a": "1"}, files{"a": "l:b"}, files{"a": "2"}, files{"a": "2"}, []string{"a"}},
		"file over folder":  {files{}, files{"a/x": "1", "a/y": "1"}, files{"a": "1"}, files{"a": "1"}, []string{"a"}},
		"folder over file":  {files{}, files{"a": "1"}, files{"a/b/x": "1", "a/y": "1"}, files{"a/b/x": "1", "a/y": "1"}, []string{"a"}},
		"file became folder": {
			files{"a": "1", "b": "1"}, files{"a": "1", "b": "2"}, files{"a/x": "1", "b": "1"}, files{"a/x": "1", "b": "2"}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var base waybill.Tree
			if c.base != nil {
				base = c.base
			}
			got, err := merge.Trees(t.Context(), base, c.ours, c.theirs)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, read(t, got.Tree)); diff != "" {
				t.Errorf("merged (-want +got):\n%s", diff)
			}
			if !slices.Equal(c.conflicts, got.Conflicts) {
				t.Errorf("conflicts %v, want %v", got.Conflicts, c.conflicts)
			}
			if _, err := got.Tree.Open(t.Context(), "nothing"); !waybill.IsCode(err, waybill.NotFound) {
				t.Errorf("a file that is not there: %v", err)
			}
		})
	}
}

func TestUnreadableTree(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	got, err := merge.Trees(ctx, files{}, files{"a": "1"}, files{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := got.Tree.Walk(ctx, func(waybill.File) error { return nil }); !waybill.IsCode(err, waybill.Unavailable) {
		t.Errorf("got %v", err)
	}
	if _, err := merge.Trees(ctx, nil, files{}, got.Tree); !waybill.IsCode(err, waybill.Unavailable) {
		t.Errorf("a side that cannot be read: %v", err)
	}
}

// states are what may stand at one path, all of them far enough apart for git to see neither a rename nor common lines.
func states() []files {
	return []files{
		{}, {"p": "one"}, {"p": "two\n2\n"}, {"p": "x:one"}, {"p": "x:two\n2\n"}, {"p": "l:three"}, {"p/q": "four 4 4 4 4"}, {"p/q": "five"},
	}
}

// TestAsGitDoes merges every state of a path with every other from every base, and asks git for the same.
func TestAsGitDoes(t *testing.T) {
	t.Parallel()
	g := testkit.NewGit(t)
	dir := g.Bare("merge.git")
	all := states()
	var stream, pairs bytes.Buffer
	commit := func(mark, parent int, f files) {
		fmt.Fprintf(&stream, "commit refs/heads/m%d\nmark :%d\ncommitter A <a@example.org> %d +0000\ndata 0\n", mark, mark, mark)
		if parent > 0 {
			fmt.Fprintf(&stream, "from :%d\ndeleteall\n", parent)
		}
		for name, text := range f {
			mode := "100644"
			if rest, ok := strings.CutPrefix(text, "x:"); ok {
				mode, text = "100755", rest
			} else if rest, ok := strings.CutPrefix(text, "l:"); ok {
				mode, text = "120000", rest
			}
			fmt.Fprintf(&stream, "M %s inline %s\ndata %d\n%s\n", mode, name, len(text), text)
		}
		stream.WriteByte('\n')
	}
	side := func(base, i int) int { return (base+1)*100 + i + 1 }
	for b, base := range all {
		commit(b+1, 0, base)
		for i, f := range all {
			commit(side(b, i), b+1, f)
		}
		for o := range all {
			for s := range all {
				fmt.Fprintf(&pairs, "m%d m%d\n", side(b, o), side(b, s))
			}
		}
	}
	load := g.Command(dir, "fast-import", "--quiet")
	load.Stdin = &stream
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	ask := g.Command(dir, "-c", "merge.renames=false", "merge-tree", "--write-tree", "--stdin", "--name-only", "--no-messages")
	ask.Stdin = &pairs
	out, err := ask.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := bytes.Split(out, []byte{0, 0})
	for b, base := range all {
		for o, ours := range all {
			for s, theirs := range all {
				answer := answers[0]
				answers = answers[1:]
				clean, tree := answer[0] == '1', string(bytes.Split(answer, []byte{0})[1])
				got, err := merge.Trees(t.Context(), base, ours, theirs)
				if err != nil || clean != (len(got.Conflicts) == 0) {
					t.Errorf("%v → %v and %v: conflicts %v, git is clean %v (%v)", all[b], all[o], all[s], got.Conflicts, clean, err)
				}
				if merged := read(t, got.Tree); clean && !maps.Equal(merged, gitFiles(g, dir, tree)) {
					t.Errorf("%v → %v and %v: %v, git has %v", base, ours, theirs, merged, gitFiles(g, dir, tree))
				}
			}
		}
	}
}

// gitFiles reads a tree of git.
func gitFiles(g *testkit.Git, dir, tree string) files {
	got := files{}
	for line := range strings.Lines(g.Run(dir, "ls-tree", "-r", tree)) {
		about, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		parts := strings.Fields(about)
		text := g.Run(dir, "cat-file", "blob", parts[2])
		if strings.HasSuffix(text, "2") {
			text += "\n" // which reading took away
		}
		got[name] = map[string]string{"100644": "", "100755": "x:", "120000": "l:"}[parts[0]] + text
	}
	return got
}
