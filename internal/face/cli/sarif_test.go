package cli

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestSARIF validates logs against the schema that OASIS publishes with the standard.
func TestSARIF(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	every := waybill.Findings{{Code: "WB999", Severity: waybill.SeverityWarning, File: "ä b/c:d%/waybill.yaml", Line: 1, Column: 1, Message: "no \"x\""}}
	for _, c := range manifest.Codes() {
		f := waybill.Finding{
			Code: c, Severity: waybill.SeverityError, File: "waybill.yaml", Line: 3, Column: 7, Path: "spec.run", Message: "wrong", Hint: "write it right",
		}
		every = append(every, f, f)
		f.Fix, f.Width = "right", 4
		every = append(every, f)
		f.Fix, f.Width = "right: x\n", 0
		every = append(every, f)
	}
	for name, findings := range map[string]waybill.Findings{"none": nil, "every code": every} {
		var b bytes.Buffer
		if err := writeSARIF(&b, "v1.2.3", findings); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		v, err := jsonschema.UnmarshalJSON(&b)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var log sarifLog
		if err := json.NewDecoder(strings.NewReader(text)).Decode(&log); err != nil {
			t.Fatal(err)
		}
		for _, r := range log.Runs[0].Results {
			if rule := log.Runs[0].Tool.Driver.Rules[r.RuleIndex]; rule.ID != r.Rule {
				t.Errorf("%s: the rule of %s is %s", name, r.Rule, rule.ID)
			}
		}
	}
	if got, want := relativeURI("ä b/c:d%/waybill.yaml"), "%C3%A4%20b/c:d%25/waybill.yaml"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := relativeURI("c:d/waybill.yaml"), "./c:d/waybill.yaml"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestSARIFFixes applies the fixes of a log as a program would that knows nothing but the standard.
func TestSARIFFixes(t *testing.T) {
	t.Parallel()
	const wrong = "apiVersion: waybill.dev/v2\nkind: Conector\n---\nkind: Terms\nmetadata: {name: größe, title: 12, description: ä, lables: {}}\n"
	const right = "apiVersion: waybill.dev/v1\nkind: Connector\n---\napiVersion: waybill.dev/v1\nkind: Terms\nmetadata: {name: größe, title: \"12\", description: ä, labels: {}}\n"
	loader, err := manifest.New()
	if err != nil {
		t.Fatal(err)
	}
	r, err := loader.Load(t.Context(), folder{fstest.MapFS{"waybill.yaml": {Data: []byte(wrong), Mode: 0o644}}}, manifest.Options{Platform: true})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := writeSARIF(&b, "v1.2.3", r.Findings); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(wrong, "\n")
	for _, result := range slices.Backward(log.Runs[0].Results) { // the last first, so that columns stay true
		for _, fix := range result.Fixes {
			change := fix.Changes[0]
			if change.Artifact.URI != "waybill.yaml" || fix.Description.Text == "" {
				t.Errorf("%+v", fix)
			}
			at, line := change.Replacements[0].Deleted, []rune(lines[change.Replacements[0].Deleted.Line-1])
			lines[at.Line-1] = string(line[:at.Column-1]) + change.Replacements[0].Inserted.Text + string(line[at.End-1:])
		}
	}
	if got := strings.Join(lines, ""); got != right {
		t.Errorf("fixed:\n%s\nwant:\n%s", got, right)
	}
}
