package schema_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
)

func TestConstraints(t *testing.T) {
	t.Parallel()
	c, line, column := schema.NewConstraints([]byte(`
kind: string
if kind == "Connector" {
	spec: retries: <=3 @say("at most 3")
	spec: build!: network: "none" @say(no network)
	fields: [...{key: =~"^[a-z]+$" @say("small letters")}]
}
`))
	if line != 0 || column != 0 {
		t.Fatalf("no CUE at %d:%d", line, column)
	}
	for name, test := range map[string]struct {
		values map[string]any
		want   string
	}{
		"legal":     {map[string]any{"kind": "Team"}, ""},
		"one":       {map[string]any{"kind": "Connector", "spec": map[string]any{"retries": int64(5), "build": map[string]any{"network": "none"}}}, "spec.retries: at most 3"},
		"several":   {map[string]any{"kind": "Connector", "spec": map[string]any{"retries": int64(5), "build": map[string]any{"network": "host"}}}, "spec.retries: at most 3|spec.build.network: no network"},
		"of a list": {map[string]any{"kind": "Connector", "spec": map[string]any{"build": map[string]any{}}, "fields": []any{map[string]any{"key": "a"}, map[string]any{"key": "B"}}}, "fields[1].key: small letters"},
		"absent":    {map[string]any{"kind": "Connector", "spec": map[string]any{}}, "spec.build: "},
	} {
		var got []string
		for _, o := range c.Judge(test.values) {
			got = append(got, o.Path.String()+": "+o.Say)
		}
		if diff := cmp.Diff(test.want, strings.Join(got, "|")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for src, want := range map[string][2]int{"a: =~": {1, 6}, "a: b": {1, 4}, "a: 1\na: 2": {1, 4}, "{": {1, 2}} {
		if _, line, column := schema.NewConstraints([]byte(src)); [2]int{line, column} != want {
			t.Errorf("%q is no CUE at %d:%d, want %v", src, line, column, want)
		}
	}
}

// TestReplace checks which fixes are offered, and how much they take the place of.
func TestReplace(t *testing.T) {
	t.Parallel()
	s := compile(t, "// A.\n#A: {\n\t// Kind.\n\tkind!: \"alpha\" | \"beta\"\n\t// N.\n\tnumber?: int\n}\n")
	for text, want := range map[string]schema.Problem{
		"kind: alhpa":                 {Column: 7, Fix: "alpha", Width: 5},
		"kind: 'alhpa'":               {Column: 7, Fix: "alpha", Width: 7},
		"kind: \"alhp\\x61\"":         {Column: 7},
		"kind: |\n  alhpa":            {Column: 7},
		"kind: alpha\nnumbr: 1":       {Column: 1, Fix: "number", Width: 5},
		"kind: alpha\nnumber: \"17\"": {Column: 9, Fix: "17", Width: 4},
	} {
		documents, _ := schema.Parse([]byte(text))
		if err := s.Check("#A", documents[0]); err != nil || len(documents[0].Problems) != 1 {
			t.Errorf("%s: %v, %v", text, documents[0].Problems, err)
			continue
		}
		p := documents[0].Problems[0]
		if p.Column != want.Column || p.Fix != want.Fix || p.Width != want.Width {
			t.Errorf("%s: column %d, fix %q of %d, want %+v", text, p.Column, p.Fix, p.Width, want)
		}
	}
}
