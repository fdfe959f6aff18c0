package schema_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/schemas"
)

func compile(t *testing.T, src string) *schema.Set {
	t.Helper()
	s, err := schema.New([]byte(src))
	if err != nil {
		t.Fatal(errors.Unwrap(err))
	}
	return s
}

// problems judges one document and prints what is wrong with it.
func problems(t *testing.T, s *schema.Set, text string) []string {
	t.Helper()
	documents, found := schema.Parse([]byte(text))
	for _, d := range documents {
		if err := s.Check("#A", d); err != nil {
			t.Fatal(err)
		}
		found = append(found, d.Problems...)
	}
	var lines []string
	for _, p := range found {
		lines = append(lines, string(p.Mistake)+" "+p.Path.String()+": "+p.Message)
	}
	slices.Sort(lines)
	return lines
}

// TestFillAgreesWithCUE compares defaults as the outline fills them with what CUE itself makes of valid documents.
func TestFillAgreesWithCUE(t *testing.T) {
	t.Parallel()
	set, err := schema.New(schemas.Manifest()...)
	if err != nil {
		t.Fatal(err)
	}
	ctx := cuecontext.New()
	paths, err := filepath.Glob("../../git/manifest/testdata/corpus/valid_*.txtar")
	if err != nil || len(paths) < 3 {
		t.Fatalf("%d valid manifests (%v)", len(paths), err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if filepath.Base(f.Name) != "waybill.yaml" {
				continue
			}
			documents, _ := schema.Parse(f.Data)
			for _, d := range documents {
				if diff := filled(t, ctx, set, d); diff != "" {
					t.Errorf("%s: %s", path, diff)
				}
			}
		}
	}
}

// filled returns how the defaults of one valid document differ.
func filled(t *testing.T, ctx *cue.Context, set *schema.Set, d *schema.Document) string {
	t.Helper()
	definition := definitionOf(d)
	outline, err := set.Outline(definition)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Check(definition, d); err != nil || len(d.Problems) > 0 {
		t.Fatal(err, d.Problems)
	}
	source, err := set.Source(definition)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := d.Root.Decode(&plain); err != nil {
		t.Fatal(err)
	}
	want, err := ctx.CompileString(source).LookupPath(cue.ParsePath(definition)).Unify(ctx.Encode(plain)).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(d.Fill(outline))
	if err != nil {
		t.Fatal(err)
	}
	return cmp.Diff(decoded(t, want), decoded(t, got))
}

// definitionOf returns the definition of a document; empty when it has none.
func definitionOf(d *schema.Document) string {
	_, kind := schema.Find(d.Root, schema.Path{"kind"})
	_, typ := schema.Find(d.Root, schema.Path{"spec", "type"})
	for _, def := range schemas.Definitions() {
		if kind != nil && def.Kind == kind.Value && (def.Types == nil || typ != nil && slices.Contains(def.Types, typ.Value)) {
			return def.Name
		}
	}
	return ""
}

func decoded(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestOutlinesAreComplete walks every definition that is shipped: each field is documented, and what is limited by a
// pattern says in words what is legal.
func TestOutlinesAreComplete(t *testing.T) {
	t.Parallel()
	files := map[string][][]byte{"#Server": {schemas.Server}}
	for _, d := range schemas.Definitions() {
		files[d.Name] = schemas.Manifest()
	}
	for name, src := range files {
		set, err := schema.New(src...)
		if err != nil {
			t.Fatal(err)
		}
		o, err := set.Outline(name)
		if err != nil {
			t.Fatal(name, err)
		}
		documented(t, name, o)
	}
}

func documented(t *testing.T, path string, o *schema.Outline) {
	t.Helper()
	for _, f := range o.Fields {
		at := path + "." + f.Name
		if f.Doc == "" || !strings.HasSuffix(f.Doc, ".") {
			t.Errorf("%s has no doc comment", at)
		}
		documented(t, at, f.Outline)
	}
	if o.Elements != nil {
		documented(t, path+"[]", o.Elements)
	}
	if o.Values != nil && o.Keys.Say == "" && o.Keys.MaxRunes > 0 {
		t.Errorf("%s does not say what keys are legal", path)
	}
}

func TestCheckFindsWhatIsBehind(t *testing.T) {
	t.Parallel()
	s := compile(t, `
import "list"
import "strings"

// A.
#A: {
	// Kind.
	kind!: "a" | "b"
	// List.
	items: list.MaxItems(2) & [...{n!: int & >=1 & <=9, t?: strings.MaxRunes(3)}]
	// Map.
	map: {[=~"^[a-z]+$"]: int}
	// Deep.
	deep!: {x!: {y!: bool}}
	// Default.
	on: *true | bool
}`)
	for _, c := range []struct{ text, want string }{
		{"kind: a\ndeep: {x: {y: true}}", ""},
		{"kind: c\ndeep: {x: {y: 1}}", `choice kind: unknown kind "c"|type deep.x.y: deep.x.y is a whole number, not true or false`},
		{"deep: {x: {}}", "missing deep.x.y: deep.x.y is missing|missing kind: kind is missing"},
		{"kind: a\ndeep: 1", "type deep: deep is a whole number, not a mapping"},
		{"kind: a\ndeep: {x: {y: true}}\nitems: [{n: 0}, {n: x}, {n: 1}]", `type items[1].n: items[1].n is text, not a whole number|value items: items has 3 entries|value items[0].n: 0 is not legal for items[0].n`},
		{"kind: a\ndeep: {x: {y: true}}\nmap: {A: 1, b: x, c: 2}", `type map.b: map.b is text, not a whole number|value map.A: "A" is not legal as a key of map`},
		{"kind: a\ndeep: {x: {y: true, z: {q: 1}}}", `unknown deep.x.z: unknown field "z"`},
		{"kind: &k a\ndeep: {x: {y: *k}}", "alias deep.x.y: aliases are not supported"},
		{"kind: a\nkind: b\ndeep: {x: {y: true}}", `duplicate kind: field "kind" is written twice`},
		{"kidn: a\ndeep: {x: {y: true}}", `unknown kidn: unknown field "kidn"`},
	} {
		got := strings.Join(problems(t, s, c.text), "|")
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s\n%s", c.text, diff)
		}
	}
}

// TestCheckConcurrently judges many documents at once and more than one compiled source is good for.
func TestCheckConcurrently(t *testing.T) {
	t.Parallel()
	s := compile(t, "// A.\n#A: {\n\t// N.\n\tn!: int\n}\n")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 300 {
				documents, _ := schema.Parse([]byte("n: x\nother" + string(rune('a'+i%26)) + ": 1"))
				if err := s.Check("#A", documents[0]); err != nil || len(documents[0].Problems) != 2 {
					t.Errorf("Check = %v, %v", documents[0].Problems, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestNewRefusesWhatItCannotExplain(t *testing.T) {
	t.Parallel()
	for _, src := range []string{"#A: {", "#A: {a: b}", "#A: {a: [for x in [1] {x}]}", "#A: {a: math.Pi}"} {
		s, err := schema.New([]byte(src))
		if err == nil {
			_, err = s.Outline("#A")
		}
		if !waybill.IsCode(err, waybill.Internal) {
			t.Errorf("New(%q) = %v, want Internal", src, err)
		}
	}
	s := compile(t, "#A: {a: int}")
	if _, err := s.Outline("#B"); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("Outline = %v, want NotFound", err)
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	p := schema.Path{"spec", "fields"}.Index(2).Child("key")
	if got := p.String(); got != "spec.fields[2].key" {
		t.Errorf("String = %q", got)
	}
	if !p.Under(schema.Path{"spec", "fields"}) || p.Under(schema.Path{"spec", "run"}) || (schema.Path{"spec"}).Under(p) {
		t.Error("Under is wrong")
	}
	var root yaml.Node
	if err := yaml.Unmarshal([]byte("a: [{b: c}]"), &root); err != nil {
		t.Fatal(err)
	}
	key, value := schema.Find(root.Content[0], schema.Path{"a", "[0]", "b"})
	if key == nil || key.Value != "b" || value.Value != "c" {
		t.Errorf("Find = %v, %v", key, value)
	}
	for _, missing := range []schema.Path{{"x"}, {"a", "[1]"}, {"a", "[x]"}, {"a", "[0]", "b", "c"}, {"a", "b"}} {
		if _, value := schema.Find(root.Content[0], missing); value != nil {
			t.Errorf("Find(%s) = %v", missing, value)
		}
	}
}

func TestParsePlaces(t *testing.T) {
	t.Parallel()
	documents, found := schema.Parse([]byte("# c\n---\na: 1\n...\n%YAML 1.2\n---\nb: 1\n--- {c: 1}\n---\n# none\n"))
	if len(found) > 0 || len(documents) != 3 {
		t.Fatalf("%d documents, problems %v", len(documents), found)
	}
	for i, want := range []int{3, 7, 8} {
		if documents[i].Line != want || documents[i].Root.Line != want {
			t.Errorf("document %d is in line %d, its root in %d, want %d", i, documents[i].Line, documents[i].Root.Line, want)
		}
	}
	if key := documents[2].Root.Content[0]; key.Value != "c" || key.Column != 6 {
		t.Errorf("key %q in column %d", key.Value, key.Column)
	}
}
