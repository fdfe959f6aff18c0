// Package filter reads the expressions (CEL) by which a webhook chooses among events.
//
// An expression sees event (the type), workspace, timestamp and data, and is true or false. Mistakes are told in our own
// words, with their place in the expression.
package filter

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/cel"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Problem is one mistake in an expression. Line and Column count from 1.
type Problem struct {
	Line, Column  int
	Message, Hint string
}

// maxSize is how many runes an expression may have.
const maxSize = 2000

// maxNested is how deep an expression may be nested. Reading it costs more than its length the deeper it is.
const maxNested = 30

// Environment compiles filters. It is safe for concurrent use.
type Environment struct{ env *cel.Env }

// New returns the environment that filters see. An error is a mistake of ours.
func New() (*Environment, error) {
	env, err := cel.NewEnv(
		cel.Variable("event", cel.StringType),
		cel.Variable("workspace", cel.StringType),
		cel.Variable("timestamp", cel.TimestampType),
		cel.Variable("data", cel.MapType(cel.StringType, cel.DynType)),
		cel.ParserExpressionSizeLimit(maxSize),
		cel.ParserRecursionLimit(maxNested),
	)
	if err != nil {
		return nil, waybill.Wrap(waybill.Internal, err, "filters cannot be read")
	}
	return &Environment{env: env}, nil
}

// names are what an expression may refer to.
func names() []string { return []string{"event", "workspace", "timestamp", "data"} }

// Filter decides about events. It is safe for concurrent use.
type Filter struct{ program cel.Program }

// Compile reads an expression; with problems there is no filter.
func (e *Environment) Compile(expression string) (*Filter, []Problem) {
	ast, issues := e.env.Compile(expression)
	if len(issues.Errors()) > 0 { // Err would print them all, with the lines they are in
		var problems []Problem
		for _, i := range issues.Errors() {
			problems = append(problems, explain(i.Message, i.Location.Line(), i.Location.Column()+1))
		}
		return nil, problems
	}
	if t := ast.OutputType(); t != cel.BoolType && t != cel.DynType {
		return nil, []Problem{{1, 1, "the expression is " + word(t.String()) + ", not true or false", "compare it with something, such as data.amount > 100"}}
	}
	program, err := e.env.Program(ast, cel.CostLimit(100_000), cel.InterruptCheckFrequency(100))
	if err != nil {
		return nil, []Problem{{1, 1, "the expression cannot be read", "compare it with the examples of CEL"}}
	}
	return &Filter{program: program}, nil
}

// Matches decides about one event. It reports Invalid when the data does not have what the expression asks for.
func (f *Filter) Matches(event, workspace string, timestamp time.Time, data map[string]any) (bool, error) {
	v, _, err := f.program.Eval(map[string]any{"event": event, "workspace": workspace, "timestamp": timestamp, "data": data})
	if err != nil {
		return false, waybill.Wrap(waybill.Invalid, err, "the filter cannot judge this event")
	}
	yes, ok := v.Value().(bool)
	if !ok {
		return false, waybill.Errorf(waybill.Invalid, "the filter is neither true nor false for this event")
	}
	return yes, nil
}

// Patterns of what the library complains about.
var (
	undeclared = regexp.MustCompile(`undeclared reference to '([^']*)'`)
	overload   = regexp.MustCompile(`found no matching overload for '([^']*)' applied to '\(?([^)]*)\)?'`)
	noField    = regexp.MustCompile(`undefined field '([^']*)'`)
)

// explain says in our words what the library complains about.
func explain(theirs string, line, column int) Problem {
	p := Problem{max(line, 1), max(column, 1), "the expression cannot be read here", "check brackets, quotes and operators"}
	switch {
	case undeclared.MatchString(theirs):
		name := undeclared.FindStringSubmatch(theirs)[1]
		p.Message, p.Hint = "unknown name "+strconv.Quote(name), "an expression sees "+strings.Join(names(), ", ")
		if near, ok := waybill.Nearest(name, names()); ok {
			p.Hint = "did you mean " + strconv.Quote(near) + "?"
		}
	case overload.MatchString(theirs):
		m := overload.FindStringSubmatch(theirs)
		var kinds []string
		for t := range strings.SplitSeq(m[2], ", ") {
			kinds = append(kinds, word(t))
		}
		p.Message = strconv.Quote(strings.Trim(m[1], "_@")) + " does not work with " + strings.Join(kinds, " and ")
		p.Hint = "compare values of one kind"
	case noField.MatchString(theirs):
		p.Message, p.Hint = "unknown name "+strconv.Quote(noField.FindStringSubmatch(theirs)[1]), ""
	case strings.Contains(theirs, "size exceeds") || strings.Contains(theirs, "recursion limit"):
		p.Message, p.Hint = "the expression is too long", "filter in the program"
	}
	return p
}

// word names a type of CEL as people do.
func word(t string) string {
	words := map[string]string{
		"string": "text", "int": "a whole number", "uint": "a whole number", "double": "a number", "bool": "true or false",
		"timestamp": "a time", "google.protobuf.Timestamp": "a time", "duration": "a duration", "dyn": "any value", "null_type": "null", "bytes": "bytes",
	}
	if w, ok := words[t]; ok {
		return w
	}
	switch {
	case strings.HasPrefix(t, "map"):
		return "a mapping"
	case strings.HasPrefix(t, "list"):
		return "a list"
	default:
		return "a value"
	}
}
