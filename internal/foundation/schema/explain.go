package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// explain says what is wrong at path and takes the node out of further judgement.
func (d *Document) explain(root *Outline, path Path) Problem {
	key, value := Find(d.Root, path)
	parent := root.At(path[:max(len(path)-1, 0)])
	switch o := root.At(path); {
	case len(path) == 0:
		return d.at(d.Root, Problem{Mistake: Type, Message: "this document is not legal", Hint: "compare it with the reference"})
	case value == nil && o != nil:
		p := missing(path, o)
		p.Line, p.Column = d.Place(path[:len(path)-1])
		return p
	case value == nil:
		return d.elsewhere(path)
	case o == nil:
		d.gone[value] = true
		if key == nil {
			key = value
		}
		return d.at(key, unknown(root, parent, path))
	default:
		d.holes[value] = true
		p := illegal(o, path, value)
		p.Path = path
		if p.Mistake != Type {
			p.Code = o.Code
		}
		p.Line, p.Column = d.Place(path)
		p.Fix, p.Width = d.Replace(value, p.Fix)
		return p
	}
}

// elsewhere covers a path that is neither in the document nor in the definition; it is told at what is above it.
func (d *Document) elsewhere(path Path) Problem {
	line, column := d.Place(path)
	return Problem{Mistake: Value, Path: path, Line: line, Column: column, Message: path.String() + " is not legal", Hint: "compare it with the reference"}
}

func missing(path Path, o *Outline) Problem {
	name := path[len(path)-1]
	hint := "add " + strconv.Quote(name+":")
	switch {
	case len(o.Choices) == 1 && !o.Open:
		hint = "write " + strconv.Quote(name+": "+o.Choices[0])
	case len(o.Choices) > 0 && !o.Open:
		hint += " with one of: " + strings.Join(o.Choices, ", ")
	case o.Say != "":
		hint += " with " + o.Say
	case o.Kinds&List != 0:
		hint += " with at least one entry"
	case o.Kinds&Mapping != 0:
		var parts []string
		for _, f := range o.Fields {
			if f.Required {
				parts = append(parts, f.Name)
			}
		}
		hint += prefixed(" with ", strings.Join(parts, ", "))
	}
	return Problem{Mistake: Missing, Path: path, Message: path.String() + " is missing", Hint: hint}
}

func unknown(root, parent *Outline, path Path) Problem {
	name := path[len(path)-1]
	p := Problem{Mistake: Unknown, Path: path, Message: "unknown field " + Quote(name)}
	var fields []string
	if parent != nil {
		for _, f := range parent.Fields {
			fields = append(fields, f.Name)
		}
	}
	near, found := waybill.Nearest(name, fields)
	places := root.places(name, nil)
	switch {
	case found:
		p.Hint, p.Fix = didYouMean+strconv.Quote(near)+"?", near
	case len(places) == 1:
		p.Hint = "it belongs to " + places[0]
	case len(fields) > 0:
		p.Hint = "legal here: " + strings.Join(fields, ", ")
	}
	return p
}

const didYouMean = "did you mean "

// slips removes what is said to be missing because its name is misspelt: one slip, one problem.
func slips(problems []Problem) []Problem {
	misspelt := map[string]bool{}
	for _, p := range problems {
		if near := strings.TrimSuffix(strings.TrimPrefix(p.Hint, didYouMean+`"`), `"?`); p.Mistake == Unknown && near != p.Hint {
			misspelt[p.Path[:len(p.Path)-1].Child(near).String()] = true
		}
	}
	return slices.DeleteFunc(problems, func(p Problem) bool { return p.Mistake == Missing && misspelt[p.Path.String()] })
}

// places lists the paths of fields called name, for a field that was written at the wrong level.
func (o *Outline) places(name string, path Path) []string {
	var found []string
	if o == nil {
		return nil
	}
	for _, f := range o.Fields {
		p := path.Child(f.Name)
		if f.Name == name {
			found = append(found, path.String())
		}
		found = append(found, f.places(name, p)...)
	}
	if o.Elements != nil {
		found = append(found, o.Elements.places(name, path)...)
	}
	return slices.DeleteFunc(found, func(s string) bool { return s == "" })
}

// illegal says why value does not fit o.
func illegal(o *Outline, path Path, value *yaml.Node) Problem {
	kind := kindOf(value)
	fits := kind&o.Kinds != 0 || kind == Whole && o.Kinds&Number != 0
	length := utf8.RuneCountInString(value.Value)
	switch {
	case kind == Empty:
		return Problem{Mistake: Type, Message: path.String() + " is empty", Hint: "give it a value or delete the line"}
	case !fits:
		return mismatch(o, path, value)
	case kind == List || kind == Mapping:
		return Problem{Mistake: Value, Message: path.String() + " has too few entries", Hint: "at least " + itoa(max(o.MinItems, 1)) + " must be there"}
	case len(o.Choices) > 0 && !o.Open:
		p := Problem{Mistake: Choice, Message: "unknown " + path[len(path)-1] + " " + Quote(value.Value), Hint: "one of: " + strings.Join(o.Choices, ", ")}
		if strings.HasPrefix(path[len(path)-1], "[") {
			p.Message = "unknown entry " + Quote(value.Value) + " of " + path[:len(path)-1].String()
		}
		if near, ok := waybill.Nearest(value.Value, o.Choices); ok {
			p.Hint, p.Fix = didYouMean+strconv.Quote(near)+"?", near
		}
		return p
	case kind == Text && value.Value == "":
		return Problem{Mistake: Value, Message: path.String() + " is empty", Hint: prefixed("write ", o.Say)}
	case kind == Text && o.MaxRunes > 0 && length > o.MaxRunes:
		return Problem{Mistake: Value, Message: fmt.Sprintf("%s has %d characters", path, length), Hint: fmt.Sprintf("at most %d are allowed", o.MaxRunes)}
	case kind == Text && length < o.MinRunes:
		return Problem{Mistake: Value, Message: fmt.Sprintf("%s has only %s", path, waybill.Count(length, "character")), Hint: fmt.Sprintf("at least %d are needed", o.MinRunes)}
	case kind == Text:
		return Problem{Mistake: Value, Message: Quote(value.Value) + " is not legal for " + path.String(), Hint: prefixed("write ", o.Say)}
	default:
		return Problem{Mistake: Value, Message: shorten(value.Value) + " is not legal for " + path.String(), Hint: prefixed("write ", o.Say)}
	}
}

// mismatch says that value is of the wrong kind, and how to write it if that is plain.
func mismatch(o *Outline, path Path, value *yaml.Node) Problem {
	p := Problem{Mistake: Type, Message: path.String() + " is " + kindOf(value).String() + ", not " + o.Kinds.String()}
	switch {
	case value.Kind == yaml.ScalarNode && o.Kinds&Text != 0 && (o.Open && o.fits(value.Value) || slices.Contains(o.Choices, value.Value)):
		p.Fix = strconv.Quote(value.Value)
		p.Hint = "write " + Quote(value.Value)
	case value.Kind == yaml.ScalarNode && kindOf(&yaml.Node{Kind: yaml.ScalarNode, Value: value.Value})&o.Kinds != 0:
		p.Fix = value.Value
		p.Hint = "write " + shorten(value.Value) + " without quotes"
	case o.Kinds == Bool:
		p.Hint = "write true or false"
	case value.Kind == yaml.ScalarNode && o.Kinds&List != 0:
		p.Hint = "write [" + shorten(value.Value) + "]"
	case o.Say != "":
		p.Hint = "write " + o.Say
	case o.Kinds&List != 0:
		p.Hint = `write its entries on lines that start with "- "`
	case o.Kinds&Mapping != 0 && len(o.Fields) > 0:
		var fields []string
		for _, f := range o.Fields {
			fields = append(fields, f.Name)
		}
		p.Hint = "its fields are: " + strings.Join(fields, ", ")
	}
	return p
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}
