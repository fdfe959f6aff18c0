package manifest_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// bombs are manifests that are meant to hurt, each with the first finding that ends it.
func bombs() map[string]struct{ text, want string } {
	const kib = 1 << 10
	head := strings.ReplaceAll(feed, "\n  fields:", "\n  x:") // fields are added below
	long := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	return map[string]struct{ text, want string }{
		"too many bytes":     {strings.Repeat("# x\n", 65*kib), "waybill.yaml:1:1: error WB006: the file is larger than 256 KiB (spread its documents over several folders)"},
		"too many documents": {strings.Repeat("---\na: b\n", 101), "waybill.yaml:201:1: error WB007: the file has more than 100 documents (spread them over several folders)"},
		"brackets":           {strings.Repeat("[", 255*kib), "waybill.yaml:1:1: error WB008: values are nested more than 64 deep (no field needs that)"},
		"braces":             {strings.Repeat("{a: ", 60*kib), "waybill.yaml:1:1: error WB008: values are nested more than 64 deep (no field needs that)"},
		"closed brackets":    {"a: " + strings.Repeat("[", 200) + strings.Repeat("]", 200), "waybill.yaml:1:67: error WB008: values are nested more than 64 deep (no field needs that)"},
		"dashes":             {strings.Repeat("- ", 120*kib), "waybill.yaml:1:1: error WB008: values are nested more than 64 deep (no field needs that)"},
		"question marks":     {strings.Repeat("? ", 120*kib), "waybill.yaml:1:1: error WB008: values are nested more than 64 deep (no field needs that)"},
		"indentation":        {stairs(150), "waybill.yaml:65:129: error WB008: values are nested more than 64 deep (no field needs that)"},
		"laughs":             {laughs(), "waybill.yaml:1:1: error WB001: apiVersion is missing (write \"apiVersion: waybill.dev/v1\")"},
		"laughs in place":    {strings.Replace(laughs(), "a: &a", "apiVersion: waybill.dev/v1\nkind: Connector\na: &a", 1), "waybill.yaml:1:1: error WB013: metadata is missing (add \"metadata:\" with name, title, owner)"},
		"huge scalar":        {strings.Replace(feed, "Shop feed", strings.Repeat("x", 250*kib), 1), "waybill.yaml:5:10: error WB016: metadata.title has 256000 characters (at most 50 are allowed)"},
		"huge key":           {feed + "  " + strings.Repeat("k", 1000) + ": x\n", `waybill.yaml:18:3: error WB012: unknown field "` + strings.Repeat("k", 59) + `…" (legal here: type, flow, version, execution, source, build, application, authentication, secrets, fields, datasource, run, release)`},
		"many values":        {head + "  fields: [" + long(6000, "%d,") + "]\n", "waybill.yaml:18:23692: error WB006: the document holds more than 5000 values (shorten its lists)"},
		"many entries":       {head + "  fields: [" + long(2000, "%d,") + "]\n", "waybill.yaml:14:3: error WB012: unknown field \"x\" (legal here: type, flow, version, execution, source, build, application, authentication, secrets, fields, datasource, run, release)"},
		"many fields":        {head + "  fields:\n" + long(120, "  - {key: k%d, type: input, label: L}\n"), "waybill.yaml:14:3: error WB012: unknown field \"x\" (legal here: type, flow, version, execution, source, build, application, authentication, secrets, fields, datasource, run, release)"},
		"many unknown":       {feed + long(3000, "  f%d: x\n"), `waybill.yaml:18:3: error WB012: unknown field "f0" (legal here: type, flow, version, execution, source, build, application, authentication, secrets, fields, datasource, run, release)`},
		"many broken":        {strings.Repeat("---\n"+strings.Replace(feed, "Shop feed", `""`, 1), 100), "waybill.yaml:6:10: error WB016: metadata.title is empty (write a title of 1 to 50 characters)"},
		"filters":            {appHead + "  webhooks:\n" + long(50, "    - {name: w%d, endpoint: main, events: [a.b], filter: '"+strings.Repeat("data.a.b == 1 && ", 100)+nested("data.a.all(x, ", ")", 10)+" && y'}\n"), `waybill.yaml:8:57: error WB518: the filter is not legal at 1:1859: unknown name "y" (an expression sees event, workspace, timestamp, data)`},
		"nested filters":     {appHead + "  webhooks:\n" + long(50, "    - {name: w%d, endpoint: main, events: [a.b], filter: '"+nested("data.a.all(x, ", ")", 40)+" && y'}\n"), `waybill.yaml:8:57: error WB518: the filter is not legal at 1:1: the expression is too long (filter in the program)`},
		"patterns":           {appHead + "  install:\n    settings:\n" + long(50, "      - {key: k%d, type: string, title: A, pattern: '"+strings.Repeat("(a{1,30}){1,30}", 30)+"', default: x}\n"), `waybill.yaml:9:52: error WB519: "(a{1,30}){1,30}(a{1,30}){1,30}(a{1,30}){1,30}(a{1,30}){1,30…" repeats too much (write * or + in place of large counts)`},
		"schemas": {"apiVersion: waybill.dev/v1\nkind: EventCatalog\nmetadata: {name: many}\nspec:\n  events:\n" +
			long(300, "    - {type: a.b%d, category: a, scope: 'a:b', schema: {type: object, properties: {a: {type: nummber}}}}\n"), `waybill.yaml:6:40: error WB311: no event catalog has the scope "a:b" (declare it in spec.scopes)`},
		"open quote":         {`a: "` + strings.Repeat("x\n", 100*kib), "waybill.yaml:1:1: error WB005: a quoted text is not closed (close the quotes)"},
		"colons":             {strings.Repeat("a:", 100*kib), `waybill.yaml:1:1: error WB005: a ":" stands where no field can start (put a text that contains ": " in quotes, and check the indentation)`},
		"only marks":         {strings.Repeat("---\n", 60*kib), "waybill.yaml:1:1: warning WB024: the manifest declares nothing (delete it, or start with \"apiVersion: waybill.dev/v1\")"},
		"long lines of text": {strings.Repeat(strings.Repeat("x ", 500)+"\n", 250), "waybill.yaml:1:1: error WB018: the document is text, not a mapping (write \"key: value\" lines)"},
	}
}

// appHead starts an app; lists of its spec are added below.
const appHead = `apiVersion: waybill.dev/v1
kind: App
metadata: {name: many-things, title: Many things, description: An app that has more than enough., owner: feeds, support: {email: a@example.org}}
spec:
  members: [{user: ada, role: owner}]
  endpoints: {main: {url: "https://hooks.example.org"}}
`

// nested puts true into n calls.
func nested(before, after string, n int) string {
	return strings.Repeat(before, n) + "true" + strings.Repeat(after, n)
}

// stairs nests n mappings by indentation.
func stairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("  ", i) + "a:\n")
	}
	return b.String()
}

// laughs is the bomb that grows by a factor of nine per line where aliases are expanded.
func laughs() string {
	var b strings.Builder
	b.WriteString("a: &a [x]\n")
	for c := 'b'; c <= 'i'; c++ {
		fmt.Fprintf(&b, "%c: &%c [%s]\n", c, c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 9))
	}
	return b.String()
}

// TestLoadBombs checks that what is meant to hurt ends in a finding, at once.
func TestLoadBombs(t *testing.T) {
	t.Parallel()
	l := newLoader(t)
	for name, bomb := range bombs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			r, err := l.Load(t.Context(), files{"waybill.yaml": bomb.text, "Dockerfile": "x"}, manifest.Options{Owner: "feeds", Platform: true})
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			t.Logf("%d findings in %s", len(r.Findings), took.Round(time.Millisecond))
			if took > time.Minute { // 100 ms on a quiet machine, see BenchmarkBombs
				t.Errorf("took %s", took)
			}
			judged(t, r)
			if len(r.Findings) == 0 || len(r.Findings) > 101 {
				t.Fatalf("%d findings", len(r.Findings))
			}
			if diff := cmp.Diff(bomb.want, r.Findings[0].String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func BenchmarkBombs(b *testing.B) {
	l := newLoader(b)
	for name, bomb := range bombs() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := l.Load(b.Context(), files{"waybill.yaml": bomb.text}, manifest.Options{Platform: true}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed())/float64(time.Millisecond)/float64(b.N), "ms/op")
			b.ReportMetric(100, "target-ms/op")
		})
	}
}

// TestAttacksAreNamed checks that each known way to hurt a reader of YAML or of files is shown by a bomb or by a case of
// the corpus, and which finding answers it.
func TestAttacksAreNamed(t *testing.T) {
	t.Parallel()
	l := newLoader(t)
	shown := map[string]string{}
	for name, bomb := range bombs() {
		r, err := l.Load(t.Context(), files{"waybill.yaml": bomb.text, "Dockerfile": "x"}, manifest.Options{Owner: "feeds", Platform: true})
		if err != nil {
			t.Fatal(err)
		}
		shown[name] = strings.Join(lines(r.Findings), "\n")
	}
	for _, s := range corpus(t) {
		shown[strings.TrimSuffix(filepath.Base(s.path), ".txtar")] = s.findings
	}
	for _, attack := range []struct {
		name  string
		code  waybill.FindingCode
		cases []string
	}{
		{"alias bombs", manifest.Alias, []string{"laughs in place", "alias", "merge"}},
		{"deep nesting", manifest.TooDeep, []string{"brackets", "braces", "dashes", "question marks", "indentation"}},
		{"huge scalars", manifest.IllegalValue, []string{"huge scalar"}},
		{"huge files", manifest.TooLarge, []string{"too many bytes", "many values"}},
		{"many documents", manifest.TooManyDocuments, []string{"too many documents"}},
		{"duplicate keys", manifest.DuplicateField, []string{"duplicate_field"}},
		{"tabs", manifest.NotYAML, []string{"syntax_tab"}},
		{"BOM", manifest.ByteOrderMark, []string{"byte_order_mark"}},
		{"CRLF", manifest.WindowsLineEnds, []string{"crlf"}},
		{"invalid UTF-8", manifest.NotText, []string{"not_utf8", "control_character"}},
		{"linked manifests", manifest.LinkedManifest, []string{"manifest_link"}},
		{"linked paths", manifest.LinkedPath, []string{"path_link", "path_link_folder", "logo_link"}},
		{"names that differ in case only", manifest.CaseCollision, []string{"collision"}},
		{"costly patterns", manifest.IllegalRegexp, []string{"patterns"}},
		{"costly filters", manifest.IllegalFilter, []string{"filters"}},
	} {
		for _, name := range attack.cases {
			if !strings.Contains(shown[name], " "+string(attack.code)+": ") {
				t.Errorf("%s: %q shows no %s: %s", attack.name, name, attack.code, shown[name])
			}
		}
	}
}
