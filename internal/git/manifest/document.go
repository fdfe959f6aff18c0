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

// document is one document on its way to a declaration.
type document struct {
	*schema.Document
	file        *file
	folder      string
	values      map[string]any // as it is written, with defaults
	wire        wire           // of a connector
	declaration waybill.Declaration
	findings    waybill.Findings
	unchecked   int
	// filtersBefore is the length of the filters in the documents before this one.
	filtersBefore int
	world         *world // what is declared; known when every document has been read
}

// kind returns the kind; empty while it is not known.
func (d *document) kind() string { return d.declaration.Kind }

// report adds an error at path.
func (d *document) report(code waybill.FindingCode, p schema.Path, message, hint string) {
	line, column := d.Place(p)
	d.findings = append(d.findings, waybill.Finding{
		Code: code, Severity: waybill.SeverityError, File: d.file.name, Line: line, Column: column,
		Path: p.String(), Message: message, Hint: hint, Declaration: d.identity(),
	})
}

// last returns the finding that was reported last, to be refined.
func (d *document) last() *waybill.Finding { return &d.findings[len(d.findings)-1] }

// atKey moves the finding that was reported last from the value at p to its key.
func (d *document) atKey(p schema.Path) {
	if key, _ := schema.Find(d.Root, p); key != nil {
		d.last().Line, d.last().Column = key.Line, key.Column
	}
}

// replace offers text in place of the value at p, for the finding that was reported last.
func (d *document) replace(p schema.Path, text string) {
	_, n := schema.Find(d.Root, p)
	d.last().Fix, d.last().Width = d.Document.Replace(n, text)
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

// written reports whether something stands at the path, legal or not.
func (d *document) written(p ...string) bool {
	_, n := schema.Find(d.Root, p)
	return n != nil
}

// examine finds out what d declares and everything that is wrong with it alone.
func (l *Loader) examine(ctx context.Context, d *document) error {
	definition := ""
	if d.Root != nil && d.headed(l) {
		name, known := d.definition()
		if err := l.define(d, name); err != nil {
			return err
		}
		if !known && !l.muted("type") {
			d.typed()
		}
		definition = name
	}
	for _, p := range d.Problems {
		if told(p) || definition != "" && d.misfit(p) {
			continue
		}
		f, ok := l.finding(d.file.name, p)
		if !ok {
			continue
		}
		f.Declaration = d.identity()
		if hint := foreign(d.kind(), p.Path); hint != "" && f.Code == UnknownField {
			f.Hint, f.Fix, f.Width = hint, "", 0
		}
		d.findings = append(d.findings, f)
	}
	if definition == "" {
		return nil
	}
	return l.apply(ctx, d, alone)
}

// told reports whether p is about what headed tells.
func told(p schema.Problem) bool {
	return len(p.Path) == 1 && (p.Path[0] == "apiVersion" || p.Path[0] == "kind") && p.Mistake != schema.Duplicate
}

// misfit reports whether p is only about the type, which typed tells.
func (d *document) misfit(p schema.Problem) bool {
	return p.Path.String() == "spec.type" && (p.Mistake == schema.Choice || p.Mistake == schema.Missing) && len(typesOf(d.kind())) > 0
}

// headed checks apiVersion and kind, which choose the definition. It reports false when nothing more can be said.
func (d *document) headed(l *Loader) bool {
	version, written := d.text("apiVersion")
	switch {
	case l.muted("version"):
	case !written || version == "":
		d.report(MissingVersion, nil, "apiVersion is missing", "write \"apiVersion: "+apiVersion+"\"")
		if !written && d.Root.Style&yaml.FlowStyle == 0 {
			d.last().Fix = "apiVersion: " + apiVersion + "\n" + strings.Repeat(" ", d.Root.Column-1)
		}
	case version != apiVersion:
		d.report(UnknownVersion, schema.Path{"apiVersion"}, "unknown apiVersion "+quote(version), "write \"apiVersion: "+apiVersion+"\"")
		d.replace(schema.Path{"apiVersion"}, apiVersion)
	}
	kind, written := d.text("kind")
	switch {
	case slices.Contains(waybill.Kinds(), kind):
		d.name(kind)
		return !d.misplaced(l)
	case l.muted("kind"):
	case !written || kind == "":
		d.report(UnknownKind, nil, "kind is missing", "write \"kind: Connector\"")
	default:
		d.report(UnknownKind, schema.Path{"kind"}, "unknown kind "+quote(kind), suggest(kind, waybill.Kinds()))
		d.nearest(schema.Path{"kind"}, kind, waybill.Kinds())
	}
	return false
}

// misplaced refuses what only the platform repository may declare.
func (d *document) misplaced(l *Loader) bool {
	if !ofPlatform(d.kind()) || d.file.platform || l.muted("platform") {
		return false
	}
	d.report(PlatformOnly, schema.Path{"kind"}, "a "+d.kind()+" is declared in the platform repository only", "move the document there")
	return true
}

// typed tells that spec.type is missing or does not exist.
func (d *document) typed() {
	at, types := schema.Path{"spec", "type"}, typesOf(d.kind())
	_, spec := schema.Find(d.Root, at[:1])
	_, n := schema.Find(d.Root, at)
	switch {
	case n == nil && spec != nil && spec.Kind == yaml.MappingNode && !d.slipped(at[:1]):
		d.report(MissingField, at[:1], "spec.type is missing", `add "type:" with one of: `+strings.Join(types, ", "))
	case n != nil && n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" && n.Value != "":
		d.report(UnknownChoice, at, "unknown type "+quote(n.Value), suggest(n.Value, types))
		d.nearest(at, n.Value, types)
	}
}

// nearest offers the choice that word was meant to be, for the finding that was reported last.
func (d *document) nearest(p schema.Path, word string, choices []string) {
	if near, ok := waybill.Nearest(word, choices); ok {
		d.replace(p, near)
	}
}

// quote repeats a text of the author, shortened where nobody would read on.
func quote(s string) string { return schema.Quote(s) }

// suggest returns the hint for a misspelt choice.
func suggest(word string, choices []string) string {
	if near, ok := waybill.Nearest(word, choices); ok {
		return "did you mean " + quote(near) + "?"
	}
	return "one of: " + strings.Join(choices, ", ")
}

// name reads the identity as far as it can be read, so that findings are told where the author looks.
func (d *document) name(kind string) {
	name, _ := d.text("metadata", "name")
	d.declaration.Identity = waybill.Identity{Kind: kind, Name: name, Major: 1}
	version, _ := d.text("spec", "version")
	if n, err := strconv.Atoi(version); err == nil && n > 0 && kind == waybill.KindConnector {
		d.declaration.Major = n
	}
}

// define checks d against its definition and reads what it declares.
func (l *Loader) define(d *document, definition string) error {
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
	d.values = d.Fill(outline)
	canonical, err := json.Marshal(d.values)
	if err != nil {
		return waybill.Wrap(waybill.Internal, err, "document cannot be written as JSON")
	}
	if err := d.decode(canonical); err != nil && len(d.Problems) == 0 {
		return waybill.Wrap(waybill.Internal, err, "document does not fit its definition")
	}
	digest := sha256.Sum256(canonical)
	d.declaration.File, d.declaration.Folder, d.declaration.Line = d.file.name, d.folder, d.Line
	d.place()
	d.declaration.Digest = "sha256:" + hex.EncodeToString(digest[:])
	return nil
}

// decode turns the canonical document into the domain value of its kind.
func (d *document) decode(canonical []byte) error {
	switch d.kind() {
	case waybill.KindConnector:
		err := json.Unmarshal(canonical, &d.wire)
		d.declaration.Connector = d.connector()
		return err
	case waybill.KindApp:
		var w wireApp
		err := json.Unmarshal(canonical, &w)
		d.declaration.App = w.app()
		return err
	default:
		var err error
		d.declaration.Platform, err = platform(d.kind(), canonical)
		return err
	}
}

// place notes where each part of the set-up is written: metadata and spec, what is in them, and the parts of spec.execution
// and spec.release.
func (d *document) place() {
	lines, columns := map[string]int{}, map[string]int{"": d.Root.Column}
	var note func(p schema.Path)
	note = func(p schema.Path) {
		_, n := schema.Find(d.Root, p)
		if n == nil {
			return
		}
		part := strings.Join(p, ".")
		lines[part], columns[part] = d.Place(p)
		deep := len(p) == 1 || part == "spec.execution" || part == "spec.release" || len(p) == 3 && p[1] == "release"
		for i := 0; deep && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			note(append(slices.Clone(p), n.Content[i].Value))
		}
	}
	note(schema.Path{"metadata"})
	note(schema.Path{"spec"})
	d.declaration.Lines, d.declaration.Columns = lines, columns
}
