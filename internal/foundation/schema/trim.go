package schema

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// trim tells what CUE would hide behind other mistakes: what is missing, and lists that are too short. It takes unknown
// fields and entries above the limits of a definition off, so that judging stays cheap however much there is of them.
func (d *Document) trim(root *Outline, n *yaml.Node, o *Outline, path Path) {
	switch {
	case o == nil || d.holes[n]:
	case n.Kind == yaml.ScalarNode && o.Date && kindOf(n) == Date:
		n.Tag = "!!str"
	case n.Kind == yaml.MappingNode && o.Free:
		d.free[n] = true
	case n.Kind == yaml.MappingNode:
		if o.Values != nil {
			d.limit(n, o, path, 2)
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			p := path.Child(key.Value)
			switch at := o.At(p[len(p)-1:]); {
			case o.Values != nil && !o.Keys.fits(key.Value):
				d.gone[value] = true
				d.Problems = append(d.Problems, d.at(key, illegalKey(o, p)))
			case at != nil:
				d.trim(root, value, at, p)
			case o.Kinds&Mapping != 0:
				d.gone[value] = true
				if len(d.Problems) < maxProblems {
					d.Problems = append(d.Problems, d.at(key, unknown(root, o, p)))
				}
			}
		}
		d.demand(root, n, o, path)
	case n.Kind == yaml.SequenceNode && o.Kinds&List != 0:
		d.limit(n, o, path, 1)
		if len(n.Content) < o.MinItems && len(d.Problems) < maxProblems {
			d.Problems = append(d.Problems, d.explain(root, path))
			return
		}
		for i, e := range n.Content {
			d.trim(root, e, o.Elements, path.Index(i))
		}
	}
}

// illegalKey says that the last name of path is no key of the map that o outlines.
func illegalKey(o *Outline, path Path) Problem {
	return Problem{
		Mistake: Value, Code: o.Values.Code, Path: path, Message: Quote(path[len(path)-1]) + " is not legal as a key of " + path[:len(path)-1].String(),
		Hint: prefixed("write ", o.Keys.Say),
	}
}

// limit cuts the entries of n above the limit of o off; each has size nodes.
func (d *Document) limit(n *yaml.Node, o *Outline, path Path, size int) {
	if o.MaxItems == 0 || len(n.Content) <= o.MaxItems*size {
		return
	}
	line, column := d.Place(path)
	d.Problems = append(d.Problems, Problem{
		Mistake: Value, Code: o.Code, Line: line, Column: column, Path: path,
		Message: fmt.Sprintf("%s has %d entries", path, len(n.Content)/size), Hint: "at most " + itoa(o.MaxItems) + " are allowed",
	})
	n.Content = n.Content[:o.MaxItems*size]
}

// demand tells which fields of n are missing. Those of a group that may be left out as a whole are looked for in n itself.
func (d *Document) demand(root *Outline, n *yaml.Node, o *Outline, path Path) {
	for _, f := range o.Fields {
		if f.Optional || f.Default != nil {
			continue
		}
		if _, there := child(n, f.Name); there != nil || len(d.Problems) >= maxProblems {
			continue
		}
		switch p := path.Child(f.Name); {
		case f.Required || f.MinItems > 0:
			d.Problems = append(d.Problems, d.explain(root, p))
		case f.Kinds == Mapping:
			d.demand(root, &yaml.Node{Kind: yaml.MappingNode}, f.Outline, p)
		}
	}
}
