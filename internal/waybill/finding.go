package waybill

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity says whether a finding stops a release.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// FindingCode is the stable name of one kind of mistake, such as WB101. `waybill explain` documents each.
type FindingCode string

// Finding is one mistake in a manifest. Line and Column count from 1; Column counts runes.
type Finding struct {
	Code     FindingCode
	Severity Severity
	File     string // slash-separated, relative to the root of the tree
	Line     int
	Column   int
	Path     string // dotted path in the document, such as spec.fields[2].key; empty for the whole document
	Message  string // what is wrong, in one sentence without full stop
	Hint     string // what to do; may be empty
	// Fix is the text that corrects the mistake, only where that is certain; it takes the place of Width runes from Line
	// and Column on. With Width 0 it is inserted there.
	Fix   string
	Width int
	// Declaration is the Identity of the document as a string; empty when its name cannot be read.
	Declaration string
}

// Place returns file:line:column.
func (f Finding) Place() string { return fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column) }

// String returns the finding as one line: place, severity, code, message and hint in parentheses.
func (f Finding) String() string {
	s := fmt.Sprintf("%s: %s %s: %s", f.Place(), f.Severity, f.Code, f.Message)
	if f.Hint != "" {
		s += " (" + f.Hint + ")"
	}
	return s
}

// Findings is a list of findings.
type Findings []Finding

// Sort orders by file, position, code and message, so that equal input gives equal output.
func (fs Findings) Sort() {
	slices.SortStableFunc(fs, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, a.Column-b.Column,
			strings.Compare(string(a.Code), string(b.Code)), strings.Compare(a.Message, b.Message))
	})
}

// Errors counts the findings that stop a release.
func (fs Findings) Errors() int {
	n := 0
	for _, f := range fs {
		if f.Severity == SeverityError {
			n++
		}
	}
	return n
}

// Of returns the findings of one declaration.
func (fs Findings) Of(declaration string) Findings {
	var own Findings
	for _, f := range fs {
		if f.Declaration == declaration {
			own = append(own, f)
		}
	}
	return own
}

// Summary says how many errors there are and quotes the first, for a commit status:
// `2 errors: waybill.yaml:14:7 unknown field "trigers"`. It is empty without errors.
func (fs Findings) Summary() string {
	for _, f := range fs {
		if f.Severity == SeverityError {
			return fmt.Sprintf("%s: %s %s", Count(fs.Errors(), "error"), f.Place(), f.Message)
		}
	}
	return ""
}

// Count returns n and noun, with a plural s unless n is 1.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
