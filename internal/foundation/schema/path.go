package schema

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Path leads from the root of a document to a node: names of fields, and [n] for entries of lists.
type Path []string

// String returns the path as people write it: spec.fields[2].key.
func (p Path) String() string {
	var b strings.Builder
	for i, e := range p {
		if i > 0 && !strings.HasPrefix(e, "[") {
			b.WriteByte('.')
		}
		b.WriteString(shorten(e))
	}
	return b.String()
}

// Under reports whether p is q or lies below it.
func (p Path) Under(q Path) bool {
	if len(p) < len(q) {
		return false
	}
	for i, e := range q {
		if p[i] != e {
			return false
		}
	}
	return true
}

// Child returns the path of a field of p.
func (p Path) Child(name string) Path { return append(p[:len(p):len(p)], name) }

// Index returns the path of an entry of the list p.
func (p Path) Index(i int) Path { return p.Child("[" + strconv.Itoa(i) + "]") }

// Find returns the node at path and the key it stands under; key is nil for entries of lists and for the root.
// Both are nil when there is no such node.
func Find(root *yaml.Node, path Path) (key, value *yaml.Node) {
	value = root
	for _, e := range path {
		if value == nil {
			return nil, nil
		}
		key, value = child(value, e)
	}
	return key, value
}

func child(n *yaml.Node, name string) (key, value *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return n.Content[i], n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		i, err := strconv.Atoi(strings.Trim(name, "[]"))
		if err == nil && i >= 0 && i < len(n.Content) {
			return nil, n.Content[i]
		}
	}
	return nil, nil
}

// maxQuoted is how much of a user's text a message repeats, in runes.
const maxQuoted = 60

func shorten(s string) string {
	if r := []rune(s); len(r) > maxQuoted {
		return string(r[:maxQuoted-1]) + "…"
	}
	return s
}

// Quote repeats a text of the author in double quotes, shortened where nobody would read on.
func Quote(s string) string { return strconv.Quote(shorten(s)) }
