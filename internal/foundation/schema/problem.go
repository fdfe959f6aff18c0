// Package schema reads YAML documents and judges them by the closed CUE definitions in the schemas folder.
//
// It finds every mistake of a document at once, each with its place, and says in its own words what is wrong and what to
// write instead; no text of the YAML or CUE library reaches a person. Manifests and the server configuration share it.
package schema

import "gopkg.in/yaml.v3"

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
	Fix          string // text to put in place of the node, only where certain
}

// at returns p placed at n.
func (p Problem) at(n *yaml.Node) Problem {
	p.Line, p.Column = n.Line, n.Column
	return p
}
