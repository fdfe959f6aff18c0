package reference_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/waybill-dev/waybill/internal/foundation/schema/reference"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// compile returns the JSON Schema of a kind, or of all.
func compile(tb testing.TB, kind string) (*jsonschema.Schema, []byte) {
	tb.Helper()
	definitions, err := reference.Definitions(kind)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := reference.JSONSchema(definitions)
	if err != nil {
		tb.Fatal(err)
	}
	return testkit.JSONSchema(tb, s)
}

// documents reads YAML as editors do: dates are text, and every document counts.
func documents(text []byte) ([]any, error) {
	var all []any
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var n yaml.Node
		if err := d.Decode(&n); err != nil {
			if err.Error() == "EOF" {
				return all, nil
			}
			return nil, err
		}
		dated(&n)
		var v any
		if err := n.Decode(&v); err != nil {
			return nil, err
		}
		b, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(b)); err != nil {
			return nil, err
		}
		if v != nil {
			all = append(all, v)
		}
	}
}

func dated(n *yaml.Node) {
	if n.Tag == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, c := range n.Content {
		dated(c)
	}
}

// TestJSONSchemaTakesExamples checks that editors find nothing wrong with what people copy.
func TestJSONSchemaTakesExamples(t *testing.T) {
	t.Parallel()
	s, _ := compile(t, "")
	var names []string
	err := filepath.WalkDir("../../../../examples", func(name string, _ os.DirEntry, err error) error {
		if filepath.Base(name) == "waybill.yaml" {
			names = append(names, name)
		}
		return err
	})
	if err != nil || len(names) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all, err := documents(text)
		if err != nil || len(all) == 0 {
			t.Fatalf("%s: %v", name, err)
		}
		for _, d := range all {
			if err := s.Validate(d); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestJSONSchemaOfEachKind checks that every kind can be exported alone, and that words and defaults are there.
func TestJSONSchemaOfEachKind(t *testing.T) {
	t.Parallel()
	for _, kind := range reference.Kinds() {
		s, text := compile(t, strings.ToLower(kind))
		if !strings.Contains(string(text), `"description":"`) {
			t.Errorf("%s: no description", kind)
		}
		if err := s.Validate(map[string]any{"apiVersion": "waybill.dev/v1", "kind": "Nothing"}); err == nil {
			t.Errorf("%s: another kind is legal", kind)
		}
	}
	_, text := compile(t, "")
	for _, want := range []string{
		`"Where people find it in the catalog."`, `"default":"1h"`, `"default":false`, `"default":1`, `"pattern":"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"`,
		`"additionalProperties":false`, `"$schema":"https://json-schema.org/draft/2020-12/schema"`, `"maxLength":50`, `"maximum":10`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the schema has no %s", want)
		}
	}
	if _, err := reference.Definitions("Conector"); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("an unknown kind: %v", err)
	}
}

// TestMarkdown checks that every field of every definition is told.
func TestMarkdown(t *testing.T) {
	t.Parallel()
	definitions, err := reference.Definitions("")
	if err != nil {
		t.Fatal(err)
	}
	text := reference.Markdown(definitions)
	for _, want := range []string{
		"## Connector\n", "### Connector of type export-delta\n", "## Policy\n",
		"| `spec.fields[].key` | letters, digits, \"-\" and \"_\", a letter first; required | | Name of the value;",
		"| `spec.endpoints.<key>.timeout` |", "| `spec.run.timeout` | a duration such as 30s, 20m or 1h30m | `1h` |",
	} {
		if !strings.Contains(strings.ReplaceAll(text, "  ", " "), want) {
			t.Errorf("the reference has no %q", want)
		}
	}
	if strings.Count(text, "`spec.run.timeout`") != 1 {
		t.Error("what types have in common is told more than once")
	}
}

// TestCUE checks that what is exported can be compiled and holds the definitions with their comments.
func TestCUE(t *testing.T) {
	t.Parallel()
	for _, kind := range append(reference.Kinds(), "") {
		definitions, err := reference.Definitions(kind)
		if err != nil {
			t.Fatal(err)
		}
		text, err := reference.CUE(definitions)
		if err != nil {
			t.Fatal(err)
		}
		v := cuecontext.New().CompileString(text)
		if err := v.Err(); err != nil {
			t.Fatalf("%q: %v", kind, err)
		}
		for _, d := range definitions {
			if err := v.LookupPath(cue.ParsePath(d.Name)).Err(); err != nil {
				t.Errorf("%q: %v", kind, err)
			}
			if doc := strings.Split(d.Outline.Doc, ".")[0]; doc == "" || !strings.Contains(text, "// "+doc) {
				t.Errorf("%s: no comment %q", d.Name, doc)
			}
		}
	}
}
