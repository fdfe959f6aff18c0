package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// The shapes of SARIF 2.1.0 (OASIS Standard, section 3), as far as findings need them.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
		Full  sarifText `json:"fullDescription"`
		Help  sarifText `json:"help"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifResult struct {
		Rule         string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Fixes        []sarifFix        `json:"fixes,omitempty"`
	}
	sarifFix struct {
		Description sarifText     `json:"description"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion   `json:"deletedRegion"`
		Inserted *sarifContent `json:"insertedContent"`
	}
	sarifContent struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId"`
	}
	sarifRegion struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn"`
		End    int `json:"endColumn,omitempty"` // of the same line, exclusive
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
)

// writeSARIF writes findings as a SARIF 2.1.0 log with one run. The rules are those that occur.
func writeSARIF(w io.Writer, version string, findings waybill.Findings) error {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "waybill", Version: version, Rules: []sarifRule{}}},
		ColumnKind: "unicodeCodePoints", Results: []sarifResult{},
	}
	rules := &run.Tool.Driver.Rules
	for _, f := range findings {
		i := slices.IndexFunc(*rules, func(r sarifRule) bool { return r.ID == string(f.Code) })
		if i < 0 {
			i = len(*rules)
			*rules = append(*rules, ruleOf(f.Code))
		}
		run.Results = append(run.Results, resultOf(f, i))
	}
	return writeJSON(w, sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func ruleOf(code waybill.FindingCode) sarifRule {
	e, ok := manifest.Explain(code)
	if !ok { // a policy of the portal, which explains itself in the message
		e.Title, e.Why = string(code), "A rule of this portal."
	}
	r := sarifRule{ID: string(code), Short: sarifText{Text: e.Title}, Full: sarifText{Text: e.Why}, Help: sarifText{Text: e.Why}}
	if e.Right != "" {
		r.Help.Text += "\n\nWrong:\n" + indented(e.Wrong) + "\nRight:\n" + indented(e.Right)
		r.Help.Markdown = e.Why + "\n\nWrong:\n\n" + indented(e.Wrong) + "\nRight:\n\n" + indented(e.Right)
	}
	return r
}

func resultOf(f waybill.Finding, rule int) sarifResult {
	r := sarifResult{
		Rule: string(f.Code), RuleIndex: rule, Level: string(f.Severity), Message: sarifText{Text: f.Message},
		Locations: []sarifLocation{{Physical: sarifPhysical{
			Artifact: sarifArtifact{URI: relativeURI(f.File), Base: "%SRCROOT%"},
			Region:   sarifRegion{Line: f.Line, Column: f.Column},
		}}},
		Fingerprints: map[string]string{"waybillFinding/v1": fingerprint(f)},
	}
	if f.Hint != "" {
		r.Message.Text += ": " + f.Hint
	}
	if f.Path != "" {
		r.Locations[0].Logical = []sarifLogical{{Name: f.Path, Kind: "member"}}
	}
	if f.Fix != "" {
		r.Fixes = []sarifFix{fixOf(f)}
	}
	return r
}

// fixOf describes the fix of f. With a region that ends where it begins, SARIF inserts (section 3.57.3).
func fixOf(f waybill.Finding) sarifFix {
	return sarifFix{
		Description: sarifText{Text: "Write " + strings.TrimSpace(f.Fix)},
		Changes: []sarifChange{{
			Artifact: sarifArtifact{URI: relativeURI(f.File), Base: "%SRCROOT%"},
			Replacements: []sarifReplacement{{
				Deleted: sarifRegion{Line: f.Line, Column: f.Column, End: f.Column + f.Width}, Inserted: &sarifContent{Text: f.Fix},
			}},
		}},
	}
}

// fingerprint tells a finding apart from others of its file without its line, which moves with every edit above it.
func fingerprint(f waybill.Finding) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(f.Code), f.File, f.Declaration, f.Path, f.Message}, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// relativeURI writes a path as a relative reference (RFC 3986, section 4.2).
func relativeURI(name string) string { return (&url.URL{Path: name}).String() }
