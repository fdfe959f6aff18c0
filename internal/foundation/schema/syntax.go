package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

func itoa(n int) string { return strconv.Itoa(n) }

// decode reads text into node. A crash of the library is a syntax error like any other.
func decode(text string, node *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("crashed: %v", r)
		}
	}()
	return yaml.Unmarshal([]byte(text), node)
}

// words says in our language what the YAML library complains about. The first that fits wins.
var words = []struct{ theirs, message, hint string }{
	{"exceeded max depth", "values are nested more than 64 deep", "no field needs that"},
	{"unknown anchor", "aliases are not supported", "write the value again"},
	{"mapping values are not allowed", `a ":" stands where no field can start`, `put a text that contains ": " in quotes, and check the indentation`},
	{"did not find expected key", "a field or the end of the block was expected here", "check the indentation and quotes around it"},
	{"did not find expected '-'", "an entry of the list was expected here", "check the indentation"},
	{"did not find expected ',' or ']'", "a list in brackets is not closed", `write "]" or ","`},
	{"did not find expected ',' or '}'", "a mapping in braces is not closed", `write "}" or ","`},
	{"did not find expected node content", "a value was expected here", "check brackets, braces and commas"},
	{"could not find expected ':'", `a ":" is missing`, `write "key: value"`},
	{"found unexpected end of stream", "a quoted text is not closed", "close the quotes"},
	{"found unexpected document indicator", "a quoted text is not closed", "close the quotes"},
	{"found unknown escape character", "unknown escape in double quotes", `write "\\" for a backslash, or use single quotes`},
	{"did not find expected hexdecimal number", "an escape in double quotes is not complete", `write "\\" for a backslash, or use single quotes`},
	{"found invalid Unicode character escape code", "an escape in double quotes names no character", ""},
	{"found character that cannot start any token", "a value cannot start with this character", "put it in quotes"},
	{"found a tab character", "a tab is used for indentation", "use spaces"},
	{"block sequence entries are not allowed", `a list entry cannot start here`, "put it on a line of its own, indented below its field"},
	{"block collections are not allowed", "a list or mapping cannot start here", "put it on a line of its own"},
	{"did not find expected alphabetic or numeric character", "a name is expected after & or *", "put a text that starts with & or * in quotes"},
	{"did not find expected comment or line break", "unexpected text behind | or >", "start the text on the next line"},
	{"did not find expected tag", "explicit types are not supported", "leave the type out, or put the text in quotes"},
	{"undefined tag handle", "explicit types are not supported", "leave the type out, or put the text in quotes"},
	{"did not find expected whitespace", "a space is missing", ""},
	{"control characters are not allowed", "the file contains a control character", "delete it"},
}

// where finds the line in an error of the library, which has no column.
var where = regexp.MustCompile(`line (\d+)`)

// syntax explains why c is no YAML.
func syntax(err error, c chunk) Problem {
	p := Problem{Mistake: Syntax, Message: "this is not valid YAML", Hint: "check indentation, quotes and brackets"}
	for _, w := range words {
		if strings.Contains(err.Error(), w.theirs) {
			p.Message, p.Hint = w.message, w.hint
			break
		}
	}
	lines := strings.SplitAfter(strings.TrimSuffix(c.text, "\n"), "\n")
	n := 1
	if m := where.FindStringSubmatch(err.Error()); m != nil {
		n, _ = strconv.Atoi(m[1])
	}
	switch p.Message {
	case words[0].message:
		p.Mistake = Deep
	case words[1].message:
		p.Mistake = Alias
		n = 1 + max(0, slices.IndexFunc(lines, func(l string) bool { return usesAlias.MatchString(l) }))
	default:
		n = breaks(lines, n)
	}
	n = min(max(n, 1), len(lines))
	if at, column, ok := indentedByTab(lines, n); ok {
		return Problem{Mistake: Syntax, Line: at + c.line - 1, Column: column, Message: "a tab is used for indentation", Hint: "use spaces"}
	}
	text := lines[n-1]
	indent := len(text) - len(strings.TrimLeft(text, " "))
	p.Line, p.Column = n+c.line-1, utf8.RuneCountInString(text[:indent])+1
	return p
}

// usesAlias finds a line that uses an alias, well enough to point at it.
var usesAlias = regexp.MustCompile(`[:,\[{ -]\s*\*[A-Za-z0-9_-]`)

// breaks returns the line (from 1) at which lines stop being YAML: the one after the longest beginning that can be
// read. The library names the block around the mistake, or the end of the file; from there and from the start
// beginnings are tried, as far as that is cheap.
func breaks(lines []string, around int) int {
	around = min(max(around-2, 0), len(lines)-1)
	if n, ok := readable(lines, around); ok {
		return n + 1
	}
	if n, ok := readable(lines, 0); ok && n < around {
		return n + 1
	}
	return around + 1
}

// readable returns the largest number of lines, from the given one on, that can be read.
func readable(lines []string, from int) (n int, ok bool) {
	const budget = 256 << 10 // bytes to read again
	text := strings.Join(lines[:from], "")
	for i, spent := from, 0; i < len(lines) && spent < budget; i++ {
		var node yaml.Node
		if spent += len(text) + 1; decode(text, &node) == nil {
			n, ok = i, true
		}
		text += lines[i]
	}
	return n, ok
}

// indentedByTab looks for a tab in the indentation of line n (from 1) or the one after it.
func indentedByTab(lines []string, n int) (line, column int, ok bool) {
	for i := n; i <= min(n+1, len(lines)); i++ {
		text := lines[i-1]
		indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
		if tab := strings.IndexByte(indent, '\t'); tab >= 0 && len(indent) < len(text) {
			return i, tab + 1, true
		}
	}
	return 0, 0, false
}

// names of kinds, in the order they are listed.
var names = []struct {
	kind Kind
	name string
}{
	{Text, "text"},
	{Whole, "a whole number"},
	{Number, "a number"},
	{Bool, "true or false"},
	{Mapping, "a mapping"},
	{List, "a list"},
	{Empty, "empty"},
	{Date, "a date"},
}

// String names the kinds as people do: text or true or false.
func (k Kind) String() string {
	var s []string
	for _, n := range names {
		if k&n.kind != 0 && (n.kind != Whole || k&Number == 0) {
			s = append(s, n.name)
		}
	}
	return strings.Join(s, " or ")
}

// kindOf returns the kind of a node.
func kindOf(n *yaml.Node) Kind {
	switch n.Kind {
	case yaml.MappingNode:
		return Mapping
	case yaml.SequenceNode:
		return List
	case yaml.AliasNode:
		return Empty
	}
	switch n.ShortTag() {
	case "!!int":
		return Whole
	case "!!float":
		return Number
	case "!!bool":
		return Bool
	case "!!null":
		return Empty
	case "!!timestamp":
		return Date
	default:
		return Text
	}
}
