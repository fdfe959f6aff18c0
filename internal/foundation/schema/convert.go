package schema

import (
	"math"
	"strconv"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/token"
	"gopkg.in/yaml.v3"
)

// expr returns the CUE of a node; holes are "_", which every definition accepts.
func (d *Document) expr(n *yaml.Node) ast.Expr {
	if d.holes[n] {
		return ast.NewIdent("_")
	}
	switch n.Kind {
	case yaml.MappingNode:
		s := &ast.StructLit{}
		if d.free[n] {
			return s
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if d.gone[n.Content[i+1]] {
				continue
			}
			s.Elts = append(s.Elts, &ast.Field{Label: ast.NewString(n.Content[i].Value), Value: d.expr(n.Content[i+1])})
		}
		return s
	case yaml.SequenceNode:
		l := &ast.ListLit{}
		for _, e := range n.Content {
			if !d.gone[e] {
				l.Elts = append(l.Elts, d.expr(e))
			}
		}
		return l
	default:
		return scalar(n)
	}
}

// scalar returns the CUE of a leaf. What JSON cannot hold (dates, infinity) becomes null, which no field accepts.
func scalar(n *yaml.Node) ast.Expr {
	switch v := plain(n).(type) {
	case string:
		return ast.NewString(v)
	case bool:
		return ast.NewBool(v)
	case int64:
		return number(token.INT, strconv.FormatInt(v, 10))
	case uint64:
		return number(token.INT, strconv.FormatUint(v, 10))
	case float64:
		return number(token.FLOAT, strconv.FormatFloat(v, 'e', -1, 64))
	default:
		return ast.NewNull()
	}
}

func number(kind token.Token, text string) ast.Expr {
	if text[0] == '-' {
		return &ast.UnaryExpr{Op: token.SUB, X: ast.NewLit(kind, text[1:])}
	}
	return ast.NewLit(kind, text)
}

// plain returns the Go value of a leaf: string, bool, int64, uint64, float64, or nil for anything else.
func plain(n *yaml.Node) any {
	kind := kindOf(n)
	if kind == Text {
		return n.Value
	}
	var v any
	if n.Kind != yaml.ScalarNode || kind == Date || n.Decode(&v) != nil {
		return nil
	}
	switch v := v.(type) {
	case int:
		return int64(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return v
	case bool, int64, uint64:
		return v
	default:
		return nil
	}
}

// Fill returns the document as Go values (map, slice, string, bool, int64, float64) with every default of o filled in.
// Unknown fields and holes are left out; a hole in a list is nil, so that the others keep their place.
func (d *Document) Fill(o *Outline) map[string]any {
	m, _ := d.fill(d.Root, o).(map[string]any)
	return m
}

func (d *Document) fill(n *yaml.Node, o *Outline) any {
	switch {
	case o == nil || n != nil && d.holes[n]:
		return nil
	case n == nil:
		return d.absent(o)
	case d.free[n]:
		return whole(n)
	}
	switch n.Kind {
	case yaml.MappingNode:
		return d.fillMapping(n, o)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, e := range n.Content {
			if !d.gone[e] {
				list = append(list, d.fill(e, o.Elements))
			}
		}
		return list
	default:
		return plain(n)
	}
}

// whole returns a node as Go values, as it is written.
func whole(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = whole(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, e := range n.Content {
			list = append(list, whole(e))
		}
		return list
	default:
		return plain(n)
	}
}

func (d *Document) fillMapping(n *yaml.Node, o *Outline) any {
	m := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		at := o.Values
		if at == nil {
			at = o.Field(name)
		}
		if v := d.fill(value, at); v != nil && !d.gone[value] {
			m[name] = v
		}
	}
	for _, f := range o.Fields {
		if _, there := child(n, f.Name); there == nil && !f.Optional && !f.Required {
			m[f.Name] = d.absent(f.Outline)
		}
	}
	return m
}

// absent returns the value of a field that is not written.
func (d *Document) absent(o *Outline) any {
	switch {
	case o.Default != nil:
		return o.Default
	case o.Kinds&List != 0:
		return []any{}
	case o.Kinds&Mapping != 0:
		return d.fillMapping(&yaml.Node{Kind: yaml.MappingNode}, o)
	default:
		return nil
	}
}

// Usable reports whether the node at path was written and has no mistake, itself or above.
func (d *Document) Usable(path Path) bool {
	n := d.Root
	for _, e := range path {
		if n == nil || d.holes[n] || d.gone[n] {
			return false
		}
		_, n = child(n, e)
	}
	return n != nil && !d.holes[n] && !d.gone[n]
}

// Place returns where to report a problem of path: the value if it is written, else the nearest thing above it.
func (d *Document) Place(path Path) (line, column int) {
	for ; len(path) > 0; path = path[:len(path)-1] {
		key, value := Find(d.Root, path)
		switch {
		case value == nil:
			continue
		case key != nil && value.Kind != yaml.ScalarNode:
			return key.Line, key.Column
		default:
			return value.Line, value.Column
		}
	}
	return d.Root.Line, d.Root.Column
}

// Set puts value at path, which consists of names of fields, in place of what is there.
func (d *Document) Set(path Path, value *yaml.Node) {
	n := d.Root
	for i, name := range path {
		_, next := child(n, name)
		last := i == len(path)-1
		if next == nil || last || next.Kind != yaml.MappingNode {
			fresh := value
			if !last {
				fresh = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column}
			}
			put(n, name, fresh)
			next = fresh
		}
		n = next
	}
}

func put(mapping *yaml.Node, name string, value *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			mapping.Content[i+1] = value
			return
		}
	}
	mapping.Content = append(mapping.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, value)
}
