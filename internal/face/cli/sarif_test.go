package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

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
