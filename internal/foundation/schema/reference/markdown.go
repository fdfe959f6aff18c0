package reference

import (
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
)

// Markdown returns the reference of the definitions: a section for each kind, with a table of its fields. What the types
// of a kind have in common is told once.
func Markdown(definitions []Definition) string {
	var b strings.Builder
	b.WriteString("# Manifests\n\nEvery document starts with `apiVersion: waybill.dev/v1` and `kind`. Fields that are not listed are mistakes.\n")
	for len(definitions) > 0 {
		kind := definitions[0].Kind
		n := slices.IndexFunc(definitions, func(d Definition) bool { return d.Kind != kind })
		if n < 0 {
			n = len(definitions)
		}
		section(&b, definitions[:n])
		definitions = definitions[n:]
	}
	return b.String()
}

// section writes one kind.
func section(b *strings.Builder, types []Definition) {
	fmt.Fprintf(b, "\n## %s\n\n", types[0].Kind)
	if len(types) == 1 {
		b.WriteString(types[0].Outline.Doc + "\n\n")
		table(b, rows(types[0].Outline, ""))
		return
	}
	all := make([][]row, 0, len(types))
	for _, d := range types {
		all = append(all, rows(d.Outline, ""))
	}
	common := slices.DeleteFunc(slices.Clone(all[0]), func(r row) bool {
		return slices.ContainsFunc(all, func(other []row) bool { return !slices.Contains(other, r) })
	})
	b.WriteString("For every type:\n\n")
	table(b, common)
	for i, d := range types {
		fmt.Fprintf(b, "\n### %s\n\n%s\n\n", d.Title(), d.Outline.Doc)
		table(b, slices.DeleteFunc(all[i], func(r row) bool { return slices.Contains(common, r) }))
	}
}

// row is one field: its path, what may stand there, the default, and what it is for.
type row struct{ path, value, preset, about string }

func table(b *strings.Builder, rows []row) {
	b.WriteString("| field | value | default | meaning |\n| --- | --- | --- | --- |\n")
	cell := strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;")
	for _, r := range rows {
		preset := ""
		if r.preset != "" {
			preset = "`" + r.preset + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", r.path, cell.Replace(r.value), cell.Replace(preset), cell.Replace(r.about))
	}
}

// rows lists the fields of o and of everything in it.
func rows(o *schema.Outline, path string) []row {
	var all []row
	for _, f := range o.Fields {
		if path == "" && (f.Name == "apiVersion" || f.Name == "kind") {
			continue // told above
		}
		p := strings.TrimPrefix(path+"."+f.Name, ".")
		all = append(all, row{path: p, value: value(f.Outline), preset: preset(f.Default), about: f.Doc})
		all = append(all, inner(f.Outline, p)...)
	}
	return all
}

// inner lists what is below a field.
func inner(o *schema.Outline, path string) []row {
	switch {
	case o.Elements != nil:
		return inner(o.Elements, path+"[]")
	case o.Values != nil:
		return inner(o.Values, path+".<key>")
	default:
		return rows(o, path)
	}
}

// value says what may stand in a field.
func value(o *schema.Outline) string {
	var text string
	switch {
	case len(o.Choices) > 0 && !o.Open:
		text = "`" + strings.Join(o.Choices, "` | `") + "`"
	case o.Say != "":
		text = o.Say
	case o.Elements != nil && o.Kinds&schema.List != 0:
		text = "a list"
		if v := value(o.Elements); o.Elements.Kinds&schema.Mapping == 0 {
			text += "; each entry " + v
		}
	default:
		text = o.Kinds.String()
	}
	if o.MaxItems > 0 {
		text += fmt.Sprintf(", up to %d", o.MaxItems)
	}
	if o.Required {
		text += "; required"
	}
	return text
}

func preset(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
