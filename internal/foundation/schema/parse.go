package schema

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Limits of a file.
const (
	MaxBytes     = 256 << 10
	MaxDocuments = 100
	MaxDepth     = 64
	maxValues    = 5000 // nodes of one document, keys not counted
)

// Document is one YAML document. Problems of its text are known; nodes that cannot be used are holes.
type Document struct {
	Root     *yaml.Node // a mapping; nil when the document cannot be read
	Line     int        // of its first content
	Problems []Problem

	text  string // as it is written
	first int    // line of the file that text starts at

	holes map[*yaml.Node]bool // there, but of no use
	gone  map[*yaml.Node]bool // not to be looked at, such as the value of an unknown field
	free  map[*yaml.Node]bool // may hold anything
}

// Parse reads the documents of a file. Problems of the whole file are returned apart; with any that is no mere warning
// there are no documents. Empty documents are left out.
func Parse(src []byte) (documents []*Document, problems []Problem) {
	if p, bad := unreadable(src); bad {
		return nil, []Problem{p}
	}
	if bytes.HasPrefix(src, []byte(mark)) {
		problems = append(problems, Problem{
			Mistake: Mark, Line: 1, Column: 1, Message: "the file starts with a byte order mark", Hint: "save it as UTF-8 without a mark",
		})
		src = src[len(mark):]
	}
	if i := bytes.Index(src, []byte("\r\n")); i >= 0 {
		line, column := place(src, i)
		problems = append(problems, Problem{
			Mistake: LineEnd, Line: line, Column: column, Message: "lines end in CRLF", Hint: "save the file with LF line ends",
		})
		src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	}
	chunks := split(string(src))
	if len(chunks) > MaxDocuments {
		return nil, append(problems, Problem{
			Mistake: Documents, Line: chunks[MaxDocuments].line, Column: 1,
			Message: "the file has more than 100 documents", Hint: "spread them over several folders",
		})
	}
	for _, c := range chunks {
		if d := parse(c); d != nil {
			documents = append(documents, d)
		}
	}
	return documents, problems
}

const mark = "\xef\xbb\xbf"

// unreadable reports what makes src no text.
func unreadable(src []byte) (Problem, bool) {
	if len(src) > MaxBytes {
		return Problem{
			Mistake: Large, Line: 1, Column: 1, Message: "the file is larger than 256 KiB", Hint: "spread its documents over several folders",
		}, true
	}
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		p := Problem{Mistake: Encoding}
		switch {
		case r == utf8.RuneError && size == 1:
			p.Message, p.Hint = "the file is not UTF-8 text", "save it as UTF-8"
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7f, r >= 0x80 && r < 0xa0 && r != 0x85:
			p.Message, p.Hint = "the file contains a control character", "delete it, or write it as an escape in double quotes"
		}
		if p.Message != "" {
			p.Line, p.Column = place(src, i)
			return p, true
		}
		i += size
	}
	return Problem{}, false
}

// place returns the line and column of the byte at offset.
func place(src []byte, offset int) (line, column int) {
	before := src[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(bytes.TrimPrefix(before[start:], []byte(mark))) + 1
}

// chunk is the text of one document and the line it starts at.
type chunk struct {
	text string
	line int
}

// split cuts a file where documents start and end, so that a mistake in one leaves the others readable.
// In YAML "---" and "..." at the start of a line always are such marks.
func split(src string) []chunk {
	var chunks []chunk
	var b strings.Builder
	start, line := 1, 0
	flush := func(next int) {
		if hasContent(b.String()) {
			chunks = append(chunks, chunk{text: b.String(), line: start})
		}
		b.Reset()
		start = next
	}
	for text := range strings.Lines(src) {
		line++
		switch {
		case marks(text, "---"):
			flush(line)
		case marks(text, "..."):
			flush(line + 1)
			continue
		case strings.HasPrefix(text, "%") && !hasContent(b.String()):
			text = "\n" // a directive; its version is of no use here
		}
		b.WriteString(text)
	}
	flush(line)
	return chunks
}

func marks(line, sign string) bool {
	rest, ok := strings.CutPrefix(line, sign)
	return ok && (rest == "" || strings.ContainsRune(" \t\r\n", rune(rest[0])))
}

// hasContent reports whether a document holds more than comments.
func hasContent(text string) bool {
	for line := range strings.Lines(text) {
		if marks(line, "---") {
			line = line[3:]
		}
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' {
			return true
		}
	}
	return false
}

// parse reads one document.
func parse(c chunk) *Document {
	d := &Document{Line: c.line, text: c.text, first: c.line, holes: map[*yaml.Node]bool{}, gone: map[*yaml.Node]bool{}, free: map[*yaml.Node]bool{}}
	var node yaml.Node
	if err := decode(c.text, &node); err != nil {
		d.Problems = []Problem{syntax(err, c)}
		return d
	}
	if len(node.Content) == 0 {
		return nil
	}
	root := node.Content[0]
	s := scanner{document: d, offset: c.line - 1}
	s.scan(root, nil, 1)
	switch {
	case s.fatal:
		d.Problems = d.Problems[len(d.Problems)-1:]
	case root.Kind != yaml.MappingNode:
		d.Line = root.Line
		d.Problems = []Problem{d.at(root, Problem{
			Mistake: Shape, Message: "the document is " + kindOf(root).String() + ", not a mapping", Hint: `write "key: value" lines`,
		})}
	default:
		d.Root, d.Line = root, root.Line
	}
	return d
}

// scanner walks the nodes of a document once: it moves them to their line in the file and takes out what the format
// does not allow.
type scanner struct {
	document *Document
	offset   int
	values   int
	fatal    bool
}

func (s *scanner) report(n *yaml.Node, p Problem) {
	s.document.Problems = append(s.document.Problems, s.document.at(n, p))
}

func (s *scanner) scan(n *yaml.Node, path Path, depth int) {
	if s.fatal {
		return
	}
	n.Line += s.offset
	s.values++
	switch {
	case depth > MaxDepth:
		s.fatal = true
		s.report(n, Problem{Mistake: Deep, Message: "values are nested more than 64 deep", Hint: "no field needs that"})
		return
	case s.values > maxValues:
		s.fatal = true
		s.report(n, Problem{Mistake: Large, Message: "the document holds more than 5000 values", Hint: "shorten its lists"})
		return
	case n.Kind == yaml.AliasNode:
		s.hole(n)
		s.report(n, Problem{Mistake: Alias, Path: path, Message: "aliases are not supported", Hint: "write the value again in place of *" + shorten(n.Value)})
		return
	case n.Style&yaml.TaggedStyle != 0:
		s.hole(n)
		s.report(n, Problem{Mistake: Tag, Path: path, Message: "explicit types such as " + shorten(n.Tag) + " are not supported", Hint: "leave the type out"})
	}
	switch n.Kind {
	case yaml.MappingNode:
		s.mapping(n, path, depth)
	case yaml.SequenceNode:
		for i, e := range n.Content {
			s.scan(e, path.Index(i), depth+1)
		}
	}
}

func (s *scanner) hole(n *yaml.Node) { s.document.holes[n] = true }

// mapping scans the fields of n and drops those whose key is of no use.
func (s *scanner) mapping(n *yaml.Node, path Path, depth int) {
	first := make(map[string]int, len(n.Content)/2)
	kept := n.Content[:0:len(n.Content)]
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		key.Line += s.offset
		name := path.Child(key.Value)
		if p, bad := keyProblem(key, first); bad {
			p.Path = name
			if key.Kind != yaml.ScalarNode {
				p.Path = path
			}
			s.report(key, p)
			continue
		}
		first[key.Value] = key.Line
		s.scan(value, name, depth+1)
		kept = append(kept, key, value)
	}
	n.Content = kept
}

// keyProblem says what is wrong with a key; first holds the keys seen so far with their lines.
func keyProblem(key *yaml.Node, first map[string]int) (Problem, bool) {
	line, twice := first[key.Value]
	switch {
	case key.Kind == yaml.AliasNode || key.ShortTag() == "!!merge":
		return Problem{Mistake: Alias, Message: "merging with << and aliases is not supported", Hint: "write the fields again"}, true
	case key.Kind != yaml.ScalarNode:
		return Problem{Mistake: Key, Message: "a key must be text, not " + kindOf(key).String()}, true
	case key.ShortTag() != "!!str":
		quoted := Quote(key.Value)
		return Problem{
			Mistake: Key, Message: "the key " + shorten(key.Value) + " is " + kindOf(key).String() + ", not text",
			Hint: "write " + quoted, Fix: quoted,
		}, true
	case twice:
		return Problem{Mistake: Duplicate, Message: "field " + Quote(key.Value) + " is written twice", Hint: "it is in line " + itoa(line) + " already"}, true
	}
	return Problem{}, false
}
