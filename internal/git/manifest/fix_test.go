package manifest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// fixed puts the fix of a finding into the text.
func fixed(text string, f waybill.Finding) string {
	all := strings.SplitAfter(text, "\n")
	line := []rune(all[f.Line-1])
	all[f.Line-1] = string(line[:f.Column-1]) + f.Fix + string(line[f.Column-1+f.Width:])
	return strings.Join(all, "")
}

// TestFixes applies every fix of the corpus, one at a time: the finding is gone, and no fix breaks the document.
func TestFixes(t *testing.T) {
	t.Parallel()
	l := newLoader(t)
	count := 0
	for _, s := range corpus(t) {
		before, err := l.Load(t.Context(), s.tree, s.options)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range before.Findings {
			text, ok := s.tree[f.File]
			if f.Fix == "" || !ok || len(text) > 20_000 || strings.HasPrefix(text, "\xef\xbb\xbf") {
				continue
			}
			count++
			tree := files{}
			for name, content := range s.tree {
				tree[name] = content
			}
			tree[f.File] = fixed(text, f)
			after, err := l.Load(t.Context(), tree, s.options)
			if err != nil {
				t.Fatal(err)
			}
			still := func(g waybill.Finding) bool {
				return g.File == f.File && g.Line == f.Line && g.Column == f.Column && g.Code == f.Code && g.Message == f.Message || g.Code == manifest.NotYAML
			}
			if slices.ContainsFunc(after.Findings, still) && !slices.ContainsFunc(before.Findings, func(g waybill.Finding) bool { return g.Code == manifest.NotYAML }) {
				t.Errorf("%s: the fix %q of %s leaves\n%s", s.path, f.Fix, f, strings.Join(lines(after.Findings), "\n"))
			}
		}
	}
	if count < 30 {
		t.Errorf("only %d fixes in the corpus", count)
	}
	t.Logf("%d fixes", count)
}
