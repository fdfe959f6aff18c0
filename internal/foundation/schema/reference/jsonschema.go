package reference

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Schema is one JSON Schema (draft 2020-12), with the keywords that the definitions need.
type Schema struct {
	Dialect     string `json:"$schema,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	Ref         string `json:"$ref,omitempty"`

	Comment string `json:"$comment,omitempty"`

	Type    any `json:"type,omitempty"` // a name, or a list of names
	Const   any `json:"const,omitempty"`
	Enum    any `json:"enum,omitempty"` // a list
	Default any `json:"default,omitempty"`

	MinLength int    `json:"minLength,omitempty"`
	MaxLength int    `json:"maxLength,omitempty"`
	Pattern   string `json:"pattern,omitempty"`
	Minimum   *int64 `json:"minimum,omitempty"`
	Maximum   *int64 `json:"maximum,omitempty"`

	MinItems    int     `json:"minItems,omitempty"`
	MaxItems    int     `json:"maxItems,omitempty"`
	UniqueItems bool    `json:"uniqueItems,omitempty"`
	Items       *Schema `json:"items,omitempty"`
	Contains    *Schema `json:"contains,omitempty"`

	Required   []string   `json:"required,omitempty"`
	Properties Properties `json:"properties,omitempty"`
	// Additional is false or a schema; nil: anything.
	Additional    any     `json:"additionalProperties,omitempty"`
	PropertyNames *Schema `json:"propertyNames,omitempty"`
	MinProperties int     `json:"minProperties,omitempty"`
	MaxProperties int     `json:"maxProperties,omitempty"`

	If    *Schema    `json:"if,omitempty"`
	Then  *Schema    `json:"then,omitempty"`
	AllOf []*Schema  `json:"allOf,omitempty"`
	AnyOf []*Schema  `json:"anyOf,omitempty"`
	OneOf []*Schema  `json:"oneOf,omitempty"`
	Not   *Schema    `json:"not,omitempty"`
	Defs  Properties `json:"$defs,omitempty"`
}

// Properties are named schemas in the order of the definition, which editors offer them in.
type Properties []Property

// Property is a named schema.
type Property struct {
	Name string
	*Schema
}

// MarshalJSON writes an object whose keys stand in order.
func (ps Properties) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, p := range ps {
		if i > 0 {
			text = append(text, ',')
		}
		value, err := json.Marshal(p.Schema)
		if err != nil {
			return nil, err
		}
		text = append(append(strconv.AppendQuote(text, p.Name), ':'), value...)
	}
	return append(text, '}'), nil
}

// JSONSchema returns one schema for whole documents of the definitions: kind and type choose what holds for the rest.
func JSONSchema(definitions []Definition) (*Schema, error) {
	w := &writer{names: map[string]string{}}
	root := &Schema{Dialect: "https://json-schema.org/draft/2020-12/schema", Title: "Waybill manifest", Type: "object"}
	if len(definitions) == 1 {
		root.Title = "Waybill manifest: " + definitions[0].Title()
	}
	var kinds []string
	types := map[string][]string{}
	var choices []*Schema
	for _, d := range definitions {
		if !slices.Contains(kinds, d.Kind) {
			kinds = append(kinds, d.Kind)
		}
		types[d.Kind] = append(types[d.Kind], d.Types...)
		ref, err := w.define(strings.TrimPrefix(d.Name, "#"), w.schema(d.Outline))
		if err != nil {
			return nil, err
		}
		choices = append(choices, &Schema{If: chosen(d), Then: ref})
	}
	root.Required = []string{"apiVersion", "kind"}
	root.Properties = Properties{{"apiVersion", &Schema{Const: "waybill.dev/v1"}}, {"kind", &Schema{Enum: kinds}}}
	for _, k := range kinds {
		if len(types[k]) > 0 {
			root.AllOf = append(root.AllOf, &Schema{If: kindIs(k), Then: typed(&Schema{Enum: types[k]})})
		}
	}
	root.AllOf = append(root.AllOf, choices...)
	for _, k := range kinds {
		ref, err := w.define(k+"Rules", &Schema{AllOf: rules(k)})
		if err != nil {
			return nil, err
		}
		root.AllOf = append(root.AllOf, &Schema{If: kindIs(k), Then: ref})
	}
	root.Defs = w.defs
	return root, w.err
}

// chosen is true of the documents that d is for.
func chosen(d Definition) *Schema {
	s := kindIs(d.Kind)
	if len(d.Types) > 0 {
		t := typed(&Schema{Enum: d.Types})
		s.Required, s.Properties = append(s.Required, t.Required...), append(s.Properties, t.Properties...)
	}
	return s
}

func kindIs(kind string) *Schema {
	return &Schema{Required: []string{"kind"}, Properties: Properties{{"kind", &Schema{Const: kind}}}}
}

// typed is true of documents whose spec.type is there and fits t.
func typed(t *Schema) *Schema {
	spec := &Schema{Required: []string{"type"}, Properties: Properties{{"type", t}}}
	return &Schema{Required: []string{"spec"}, Properties: Properties{{"spec", spec}}}
}

// writer collects what several places share.
type writer struct {
	defs  Properties
	names map[string]string // of a definition, by its text
	err   error
}

// define returns a reference to s, which is written once however often it is needed.
func (w *writer) define(name string, s *Schema) (*Schema, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, waybill.Wrap(waybill.Internal, err, "cannot write the schema")
	}
	if as, ok := w.names[string(text)]; ok {
		return &Schema{Ref: "#/$defs/" + as}, nil
	}
	free := name
	for n := 2; slices.ContainsFunc(w.defs, func(p Property) bool { return p.Name == free }); n++ {
		free = name + strconv.Itoa(n)
	}
	w.names[string(text)] = free
	w.defs = append(w.defs, Property{free, s})
	return &Schema{Ref: "#/$defs/" + free}, nil
}

// field returns the schema of a part. What has parts itself is written once and referred to.
func (w *writer) field(f schema.Field) *Schema {
	s := w.schema(f.Outline)
	name := strings.ToUpper(f.Name[:1]) + f.Name[1:]
	if values, ok := s.Additional.(*Schema); ok {
		s.Additional = w.share(strings.TrimSuffix(name, "s"), values)
	}
	if s.Items != nil {
		s.Items = w.share(strings.TrimSuffix(name, "s"), s.Items)
	}
	return w.share(name, s)
}

// share returns a reference to s when it has parts, else s.
func (w *writer) share(name string, s *Schema) *Schema {
	if len(s.Properties) == 0 {
		return s
	}
	about := s.Description
	s.Description = ""
	ref, err := w.define(name, s)
	if err != nil && w.err == nil {
		w.err = err
		return s
	}
	ref.Description = about
	return ref
}

// schema returns what o says.
func (w *writer) schema(o *schema.Outline) *Schema {
	s := &Schema{Type: typeOf(o.Kinds), Description: describe(o), Default: o.Default}
	switch {
	case o.Kinds&schema.List != 0:
		s.MinItems, s.MaxItems = o.MinItems, o.MaxItems
		if o.Elements != nil {
			s.Items = w.schema(o.Elements)
		}
	case o.Kinds&schema.Mapping != 0:
		w.mapping(s, o)
	case len(o.Choices) == 1 && !o.Open:
		s.Const = o.Choices[0]
	case len(o.Choices) > 0 && !o.Open:
		s.Enum = o.Choices
	default:
		limits(s, o)
	}
	return s
}

func (w *writer) mapping(s *Schema, o *schema.Outline) {
	s.MaxProperties = o.MaxItems
	if o.Values != nil {
		s.Additional, s.PropertyNames = w.schema(o.Values), &Schema{}
		limits(s.PropertyNames, o.Keys)
		return
	}
	if o.Free {
		return
	}
	s.Additional = false
	for _, f := range o.Fields {
		if f.Required {
			s.Required = append(s.Required, f.Name)
		}
		s.Properties = append(s.Properties, Property{f.Name, w.field(f)})
	}
}

// limits adds what holds for a text or a number. A choice beside a pattern is the default, which fits the pattern.
func limits(s *Schema, o *schema.Outline) {
	s.MinLength, s.MaxLength, s.Minimum, s.Maximum = o.MinRunes, o.MaxRunes, o.Minimum, o.Maximum
	for i, p := range o.Patterns {
		if i == 0 {
			s.Pattern = p
			continue
		}
		s.AllOf = append(s.AllOf, &Schema{Pattern: p})
	}
}

// describe returns what people read about o in an editor.
func describe(o *schema.Outline) string {
	if o.Say == "" {
		return o.Doc
	}
	return strings.TrimSpace(o.Doc + " Write " + o.Say + ".")
}

// typeOf returns the names of kinds in JSON Schema.
func typeOf(k schema.Kind) any {
	var names []string
	for _, n := range []struct {
		kind schema.Kind
		name string
	}{
		{schema.Text, "string"},
		{schema.Number, "number"},
		{schema.Whole, "integer"},
		{schema.Bool, "boolean"},
		{schema.Mapping, "object"},
		{schema.List, "array"},
	} {
		if k&n.kind != 0 && (n.name != "integer" || k&schema.Number == 0) {
			names = append(names, n.name)
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	return names
}
