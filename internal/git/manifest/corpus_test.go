package manifest_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

var update = flag.Bool("update", false, "write the findings into the corpus")

// specimen is one case of the corpus: files, what a person expects (codes and places), and the whole text.
type specimen struct {
	path      string
	archive   *txtar.Archive
	tree      files
	all       string // the texts of all manifests
	options   manifest.Options
	want      []string // CODE file:line:column
	unchecked int
	findings  string
}

const minCorpus = 200

// corpus reads testdata/corpus. In the comment of a case "want CODE [file] line:column" is written by hand; the section
// "findings" is written by -update and read by people.
func corpus(tb testing.TB) []specimen {
	tb.Helper()
	paths, err := filepath.Glob("testdata/corpus/*.txtar")
	if err != nil || len(paths) < minCorpus {
		tb.Fatalf("corpus of %d cases, want at least 200 (%v)", len(paths), err)
	}
	var all []specimen
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		s := specimen{path: path, archive: a, tree: files{"Dockerfile": "FROM scratch"}, options: manifest.Options{Owner: "feeds"}}
		escapes := s.directives(tb, string(a.Comment))
		for _, f := range a.Files {
			text := string(f.Data)
			switch {
			case f.Name == "findings":
				s.findings = text
				continue
			case escapes:
				text = strings.NewReplacer(`\r\n`, "\r", `\x07`, "\x07", `\xe9`, "\xe9", `\xef\xbb\xbf`, "\xef\xbb\xbf").Replace(text)
			case strings.HasPrefix(text, "→ "):
				text = strings.TrimSuffix(text, "\n")
			}
			s.tree[f.Name] = text
			s.all += text
		}
		all = append(all, s)
	}
	return all
}

// directives reads the comment of a case.
func (s *specimen) directives(tb testing.TB, comment string) (escapes bool) {
	tb.Helper()
	for line := range strings.Lines(comment) {
		words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "#"))
		switch {
		case len(words) == 3 && words[0] == "want":
			s.want = append(s.want, words[1]+" waybill.yaml:"+words[2])
		case len(words) == 4 && words[0] == "want":
			s.want = append(s.want, words[1]+" "+words[2]+":"+words[3])
		case slices.Equal(words, []string{"no", "Dockerfile"}):
			delete(s.tree, "Dockerfile")
		case slices.Equal(words, []string{"owner", "none"}):
			s.options.Owner = ""
		case slices.Equal(words, []string{"platform"}):
			s.options.Platform = true
		case slices.Equal(words, []string{"publishing"}):
			s.options.Publishing = true
		case len(words) >= 2 && words[0] == "known":
			s.known(words[1], words[2:])
		case len(words) == 2 && words[0] == "unchecked":
			s.unchecked, _ = strconv.Atoi(words[1])
		case slices.Equal(words, []string{"escapes"}):
			escapes = true
		}
	}
	return escapes
}

// known adds names of a kind, or of forges, to what exists beyond the tree.
func (s *specimen) known(kind string, names []string) {
	if s.options.References == nil {
		s.options.References = &manifest.References{Names: map[string][]string{}}
	}
	if kind == "forge" {
		s.options.References.Forges = append(s.options.References.Forges, names...)
		return
	}
	s.options.References.Names[kind] = append(s.options.References.Names[kind], names...)
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	l := newLoader(t)
	for _, s := range corpus(t) {
		t.Run(strings.TrimSuffix(filepath.Base(s.path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			r, err := l.Load(t.Context(), s.tree, s.options)
			if err != nil {
				t.Fatal(err)
			}
			judged(t, r)
			got := strings.Join(append(lines(r.Findings), ""), "\n")
			if *update {
				s.write(t, got)
				s.findings = got
			}
			if diff := cmp.Diff(s.findings, got); diff != "" {
				t.Error(diff)
			}
			slices.Sort(s.want)
			if diff := cmp.Diff(s.want, places(r.Findings)); diff != "" {
				t.Errorf("codes and places:\n%s", diff)
			}
			if r.Unchecked != s.unchecked {
				t.Errorf("%d references unchecked, want %d", r.Unchecked, s.unchecked)
			}
			if r.Findings.Errors() == 0 && len(r.Declarations) == 0 && !slices.ContainsFunc(r.Findings, warns) {
				t.Error("no error and no declaration")
			}
		})
	}
}

func warns(f waybill.Finding) bool { return f.Severity == waybill.SeverityWarning }

func places(fs waybill.Findings) []string {
	var s []string
	for _, f := range fs {
		s = append(s, string(f.Code)+" "+f.Place())
	}
	slices.Sort(s)
	return s
}

func (s *specimen) write(t *testing.T, findings string) {
	t.Helper()
	a := *s.archive
	a.Files = slices.DeleteFunc(slices.Clone(a.Files), func(f txtar.File) bool { return f.Name == "findings" })
	a.Files = append(a.Files, txtar.File{Name: "findings", Data: []byte(findings)})
	if err := os.WriteFile(s.path, txtar.Format(&a), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCorpusHasEveryCode fails for a code that no case shows.
func TestCorpusHasEveryCode(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	for _, s := range corpus(t) {
		for _, w := range s.want {
			code, _, _ := strings.Cut(w, " ")
			shown[code] = true
		}
	}
	bombs := []waybill.FindingCode{manifest.TooLarge, manifest.TooManyDocuments, manifest.TooDeep} // limit_test.go
	for _, c := range manifest.Codes() {
		if !shown[string(c)] && !slices.Contains(bombs, c) {
			t.Errorf("no case for %s", c)
		}
	}
}
