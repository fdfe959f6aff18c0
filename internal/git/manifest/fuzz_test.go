package manifest_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// phrases are words of the libraries that no person should have to read, beside those of libraryPhrases.
var phrases = []string{
	"yaml: ", "cannot unmarshal", "unmarshal errors", "did not find expected", "could not find expected", "found unexpected",
	"found character that", "found a tab", "found unknown", "found invalid", "found undefined", "found duplicate", "found extra",
	"mapping values", "block mapping", "block sequence", "block collection", "block scalar", "flow mapping", "flow sequence", "simple key",
	"document start", "stream end", "unknown anchor", "while parsing", "while scanning", "max depth", "exceeded",
	"conflicting values", "empty disjunction", "errors in", "incomplete value", "non-concrete", "field not allowed", "not allowed in",
	"out of bound", "mismatched types", "does not satisfy", "incompatible", "required but not present", "invalid value", "invalid interpolation",
	"structural cycle", "undefined field", "reference ", "unresolved", "_|_", "cannot use", "cannot convert", "non-bool",
	"#Connector", "MinRunes", "MaxRunes", "MaxItems", "MinItems", "MaxFields", "=~", "regexp", "strconv", "json:", "expected exactly",
	"end of range", "beginning of range", "unrecognized", "failed to parse", "%!", "runtime error", "<nil>",
}

// quoted is what a message repeats of the author's own text.
var quoted = regexp.MustCompile(`"(\\.|[^"\\])*"|[^ ]+ is |\[[^ ]*\]`)

// leaks returns a phrase of a library in a finding.
func leaks(f waybill.Finding) (phrase string, found bool) {
	hint := f.Hint
	if before, _, ok := strings.Cut(hint, "legal here: "); ok {
		hint = before
	}
	text := quoted.ReplaceAllString(f.Message, "") + " / " + quoted.ReplaceAllString(hint, "")
	formats, err := libraryPhrases()
	if err != nil {
		return err.Error(), true
	}
	for _, p := range formats {
		if strings.Contains(text, p) && !strings.Contains(f.Path, p) {
			return p, true
		}
	}
	return "", false
}

// judged fails for findings that no person should see. Corpus, bombs and fuzzing go through it.
func judged(t *testing.T, r manifest.Result) {
	t.Helper()
	for _, f := range r.Findings {
		if phrase, found := leaks(f); found {
			t.Errorf("%s says %q", f, phrase)
		}
		if f.Code == "" || f.Message == "" || f.Line < 1 || f.Column < 1 || f.File == "" {
			t.Errorf("incomplete finding %+v", f)
		}
		if strings.ContainsAny(f.Message+f.Hint, "\n\r") {
			t.Errorf("%q has several lines", f.Message)
		}
		if _, ok := manifest.Explain(f.Code); !ok {
			t.Errorf("%s is not explained", f.Code)
		}
	}
	for _, d := range r.Declarations {
		if d.Name == "" || d.Major < 1 || d.Connector == nil && d.App == nil && d.Platform == nil || d.Digest == "" {
			t.Errorf("incomplete declaration %+v", d)
		}
		if c := d.Connector; c != nil && (c.Run.Timeout <= 0 || c.Build.Timeout <= 0) {
			t.Errorf("connector without limits %+v", d)
		}
	}
}

// TestLeaksAreSeen checks the check.
func TestLeaksAreSeen(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"yaml: line 3: x", "spec.x: conflicting values 1 and 2", "2 errors in empty disjunction"} {
		if _, found := leaks(waybill.Finding{Message: text}); !found {
			t.Errorf("%q passes", text)
		}
	}
}

// FuzzLoad loads anything: no crash, no hang, findings with places in our words.
func FuzzLoad(f *testing.F) {
	for _, s := range corpus(f) {
		f.Add([]byte(s.tree["waybill.yaml"]))
	}
	for _, bomb := range bombs() {
		if len(bomb.text) < 64<<10 {
			f.Add([]byte(bomb.text))
		}
	}
	for _, text := range []string{"", "---", "...", "%YAML", "\t", "? ", "- ", ": ", "&a", "*a", "!", "|", ">", "'", "\"", "{", "[", "@", "`", "\x00", "\xff", "\u2028", "a: \"\\ud800\""} {
		f.Add([]byte(feed + "  run: " + text))
		f.Add([]byte(text))
	}
	l, err := manifest.New()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		r, err := l.Load(t.Context(), files{"waybill.yaml": string(text), "Dockerfile": "x"}, manifest.Options{Owner: "feeds", Platform: true})
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
		judged(t, r)
	})
}
