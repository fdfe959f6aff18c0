package reference_test

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// reasons are why a JSON Schema cannot know what is wrong with a document.
func reasons() []string {
	return []string{
		"(other documents)",   // references, names that are taken, what policies say
		"(files)",             // what the tree holds and where
		"(the server)",        // whose repository it is, what it may declare, which ref publishes it
		"(only a warning)",    // it is legal
		"(how YAML says it)",  // tags, merge keys, dates: the values are the same
		"(compares values)",   // one part of the document with another one
		"(unique by a field)", // uniqueItems compares whole entries
		"(an expression)",     // CEL, and regular expressions of RE2
		"(the calendar)",      // time zones
	}
}

// TestJSONSchemaAgreesWithCorpus checks that every broken manifest says what an editor finds, and that it does:
// "jsonschema: rejects", or "jsonschema: cannot" and the reason. An editor finds nothing in those that are legal.
func TestJSONSchemaAgreesWithCorpus(t *testing.T) {
	t.Parallel()
	s, _ := compile(t, "")
	names, err := filepath.Glob("../../../git/manifest/testdata/corpus/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	marked := 0
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		comment := string(archive.Comment)
		want := "cannot" // legal ones have no mark
		if _, mark, found := strings.Cut(comment, "# jsonschema: "); found {
			mark, _, _ = strings.Cut(mark, "\n")
			word, reason, _ := strings.Cut(mark, " ")
			want = word
			marked++
			if want == "cannot" && !slices.Contains(reasons(), reason) {
				t.Errorf("%s: %q is no reason: use one of %q", filepath.Base(name), reason, reasons())
			}
		} else if strings.Contains(comment, "# want ") {
			t.Errorf("%s says nothing of the schema", filepath.Base(name))
		}
		got, why := "cannot", ""
		for _, f := range archive.Files {
			if path.Base(f.Name) != "waybill.yaml" || strings.HasPrefix(string(f.Data), "→ ") {
				continue
			}
			text := string(f.Data)
			if strings.Contains(comment, "# escapes") {
				text = strings.NewReplacer(`\r\n`, "\r", `\x07`, "\x07", `\xe9`, "\xe9", `\xef\xbb\xbf`, "\xef\xbb\xbf").Replace(text)
			}
			text = strings.Replace(text, "%YAML 1.2\n", "", 1) // legal, but the library reads 1.1
			all, err := documents([]byte(text))
			for _, d := range all {
				if err == nil {
					err = s.Validate(d)
				}
			}
			if err != nil {
				got, why = "rejects", err.Error()
			}
		}
		if got != want {
			t.Errorf("%s: the schema %s, want %s\n%s", filepath.Base(name), got, want, why)
		}
	}
	if marked < 200 {
		t.Errorf("only %d of %d cases are marked", marked, len(names))
	}
}
