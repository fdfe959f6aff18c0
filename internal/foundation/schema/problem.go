// Package schema reads YAML documents and judges them by the closed CUE definitions in the schemas folder.
//
// It finds every mistake of a document at once, each with its place, and says in its own words what is wrong and what to
// write instead; no text of the YAML or CUE library reaches a person. Manifests and the server configuration share it.
package schema

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Mistake is what kind of mistake a problem is.
type Mistake string

// The mistakes.
const (
	Encoding  Mistake = "encoding"  // not UTF-8, or control characters
	Syntax    Mistake = "syntax"    // not YAML
	Large     Mistake = "large"     // too many bytes or values
	Documents Mistake = "documents" // too many documents
	Deep      Mistake = "deep"      // nested too deep
	Alias     Mistake = "alias"     // anchors, aliases and merge keys
	Tag       Mistake = "tag"       // an explicit type
	Duplicate Mistake = "duplicate" // a key that is written twice
	Key       Mistake = "key"       // a key that is no text
	Shape     Mistake = "shape"     // a document that is no mapping
	Mark      Mistake = "mark"      // a byte order mark; only a warning
	LineEnd   Mistake = "line-end"  // CRLF; only a warning
	Unknown   Mistake = "unknown"   // a field that does not exist
	Missing   Mistake = "missing"   // a required field that is not there
	Type      Mistake = "type"      // a value of the wrong kind
	Choice    Mistake = "choice"    // none of the legal values
	Value     Mistake = "value"     // wrong form, length or range
)

// Mistakes lists every mistake.
func Mistakes() []Mistake {
	return []Mistake{
		Encoding, Syntax, Large, Documents, Deep, Alias, Tag, Duplicate, Key, Shape, Mark, LineEnd,
		Unknown, Missing, Type, Choice, Value,
	}
}

// Problem is one mistake in a document. Line and Column count from 1, Column in runes.
type Problem struct {
	Mistake      Mistake
	Code         string // of the definition's @code, for Type, Choice and Value; may be empty
	Line, Column int
	Path         Path
	Message      string
	Hint         string // what to do; may be empty
	Fix          string // text that corrects the mistake, only where that is certain
	Width        int    // how many runes Fix takes the place of, from Line and Column on
}

// at returns p placed at n, which its fix takes the place of.
func (d *Document) at(n *yaml.Node, p Problem) Problem {
	p.Line, p.Column = n.Line, n.Column
	p.Fix, p.Width = d.Replace(n, p.Fix)
	return p
}

// Replace returns text as the fix of n and how many runes it takes the place of; nothing when n is written in a way
// whose width is not plain.
func (d *Document) Replace(n *yaml.Node, text string) (fix string, width int) {
	if n == nil || n.Kind != yaml.ScalarNode || text == "" || strings.ContainsAny(n.Value, "\n\"'\\") {
		return "", 0
	}
	width = utf8.RuneCountInString(n.Value)
	switch n.Style &^ yaml.FlowStyle {
	case 0:
		return text, width
	case yaml.SingleQuotedStyle:
		return text, width + 2
	case yaml.DoubleQuotedStyle:
		if d.reads(n, strconv.Quote(n.Value)) {
			return text, width + 2
		}
	}
	return "", 0
}

// reads reports whether n is written as text, without escapes.
func (d *Document) reads(n *yaml.Node, text string) bool {
	rest := d.text
	for i := d.first; i < n.Line && rest != ""; i++ {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	line, _, _ := strings.Cut(rest, "\n")
	runes := []rune(line)
	return n.Column <= len(runes) && strings.HasPrefix(string(runes[n.Column-1:]), text)
}
