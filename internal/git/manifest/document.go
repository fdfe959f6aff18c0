package manifest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const apiVersion = "waybill.dev/v1"

// kinds lists the kinds that exist, the supported ones first.
var kinds = []string{"Connector", "App", "Repository", "Team", "Site", "Workspace", "AuthProvider", "EventCatalog", "Terms", "Policy"}

// types lists the connector types that exist, the supported ones first.
var types = []string{"datasource", "export", "export-delta", "data-service", "download", "transform", "write", "upload"}

// definitions names the definition of each supported connector type.
var definitions = map[string]string{"datasource": "#ConnectorDatasource"}

// foreign says where parts belong that are legal in connectors of another type.
var foreign = map[string]string{
	"spec.export":      "it is for connectors of type export and export-delta",
	"spec.dataService": "it is for connectors of type data-service",
	"spec.support":     "it is for apps",
	"spec.webhooks":    "it is for apps",
}

// document is one document on its way to a declaration.
type document struct {
	*schema.Document
	file        *file
	folder      string
	wire        wire
	declaration waybill.Declaration
	findings    waybill.Findings
	unchecked   int
}

// report adds an error at path.
func (d *document) report(code waybill.FindingCode, p schema.Path, message, hint string) {
	line, column := d.Place(p)
	d.findings = append(d.findings, waybill.Finding{
		Code: code, Severity: waybill.SeverityError, File: d.file.name, Line: line, Column: column,
		Path: p.String(), Message: message, Hint: hint, Declaration: d.identity(),
	})
}

// atKey moves the finding that was reported last from the value at p to its key.
func (d *document) atKey(p schema.Path) {
	if key, _ := schema.Find(d.Root, p); key != nil {
		last := &d.findings[len(d.findings)-1]
		last.Line, last.Column = key.Line, key.Column
	}
}

// identity returns the identity as a string, or "" while the name is not known.
func (d *document) identity() string {
	if d.declaration.Name == "" {
		return ""
	}
	return d.declaration.Identity.String()
}

// text returns the text at path, and whether anything is written there.
func (d *document) text(path ...string) (text string, written bool) {
	_, n := schema.Find(d.Root, path)
	if n == nil {
		return "", false
	}
	if n.Kind != yaml.ScalarNode {
		return "", true
	}
	return n.Value, true
}

// examine finds out what d declares and everything that is wrong with it.
func (l *Loader) examine(ctx context.Context, d *document) error {
	if d.Root != nil && d.headed() {
		if err := l.judge(ctx, d, definitions["datasource"]); err != nil {
			return err
		}
	}
	for _, p := range d.Problems {
		if len(p.Path) == 1 && (p.Path[0] == "apiVersion" || p.Path[0] == "kind") && p.Mistake != schema.Duplicate {
			continue // told by headed
		}
		f := d.file.finding(p)
		f.Declaration = d.identity()
		if hint := foreign[f.Path]; hint != "" && f.Code == UnknownField {
			f.Hint = hint
		}
		d.findings = append(d.findings, f)
	}
	return nil
}

// headed checks apiVersion, kind and type, which choose the definition. It reports false when nothing more can be said.
func (d *document) headed() bool {
	version, written := d.text("apiVersion")
	switch {
	case !written || version == "":
		d.report(MissingVersion, nil, "apiVersion is missing", "write \"apiVersion: "+apiVersion+"\"")
	case version != apiVersion:
		d.report(UnknownVersion, schema.Path{"apiVersion"}, "unknown apiVersion "+strconv.Quote(version), "write \"apiVersion: "+apiVersion+"\"")
	}
	kind, written := d.text("kind")
	switch {
	case !written || kind == "":
		d.report(UnknownKind, nil, "kind is missing", "write \"kind: Connector\"")
		return false
	case kind == "Connector":
	case slices.Contains(kinds, kind):
		d.report(UnsupportedKind, schema.Path{"kind"}, "kind "+strconv.Quote(kind)+" is not supported yet", "this version knows Connector")
		return false
	default:
		d.report(UnknownKind, schema.Path{"kind"}, "unknown kind "+strconv.Quote(kind), suggest(kind, kinds))
		return false
	}
	d.name()
	if t, written := d.text("spec", "type"); written && definitions[t] == "" && slices.Contains(types, t) {
		d.report(UnsupportedType, schema.Path{"spec", "type"}, "type "+strconv.Quote(t)+" is not supported yet", "this version knows datasource")
		return false
	}
	return true
}

// suggest returns the hint for a misspelt choice.
func suggest(word string, choices []string) string {
	if near, ok := waybill.Nearest(word, choices); ok {
		return "did you mean " + strconv.Quote(near) + "?"
	}
	return "one of: " + strings.Join(choices, ", ")
}

// name reads the identity as far as it can be read, so that findings are told where the author looks.
func (d *document) name() {
	name, _ := d.text("metadata", "name")
	d.declaration.Identity = waybill.Identity{Kind: "Connector", Name: name, Major: 1}
	version, _ := d.text("spec", "version")
	if n, err := strconv.Atoi(version); err == nil && n > 0 {
		d.declaration.Major = n
	}
}

// judge checks d against its definition and the rules of its kind.
func (l *Loader) judge(ctx context.Context, d *document, definition string) error {
	outline, err := l.set.Outline(definition)
	if err != nil {
		return err
	}
	if err := l.set.Check(definition, d.Document); err != nil {
		return err
	}
	if !d.Usable(schema.Path{"metadata", "name"}) {
		d.declaration.Name = "" // no context can be named after it
		for i := range d.findings {
			d.findings[i].Declaration = ""
		}
	}
	canonical, err := json.Marshal(d.Fill(outline))
	if err != nil {
		return waybill.Wrap(waybill.Internal, err, "document cannot be written as JSON")
	}
	if err := json.Unmarshal(canonical, &d.wire); err != nil && len(d.Problems) == 0 {
		return waybill.Wrap(waybill.Internal, err, "document does not fit its definition")
	}
	digest := sha256.Sum256(canonical)
	connector := d.connector()
	d.declaration.File, d.declaration.Folder, d.declaration.Line = d.file.name, d.folder, d.Line
	d.declaration.Lines = d.lines()
	d.declaration.Digest = "sha256:" + hex.EncodeToString(digest[:])
	d.declaration.Connector = connector
	return d.rules(ctx)
}

// lines says where each part of the set-up is written.
func (d *document) lines() map[string]int {
	lines := map[string]int{}
	add := func(prefix string, n *yaml.Node) {
		for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			lines[prefix+n.Content[i].Value] = n.Content[i].Line
		}
	}
	if key, metadata := schema.Find(d.Root, schema.Path{"metadata"}); metadata != nil {
		lines["metadata"] = key.Line
		add("metadata.", metadata)
	}
	if key, spec := schema.Find(d.Root, schema.Path{"spec"}); spec != nil {
		lines["spec"] = key.Line
		add("spec.", spec)
	}
	return lines
}
