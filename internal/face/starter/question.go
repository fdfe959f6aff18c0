package starter

import (
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/schemas"
)

// Answers holds what was answered, by the name of the question. A question with Many has several answers.
type Answers map[string][]string

// First returns the only answer to a question, or "".
func (a Answers) First(name string) string {
	if len(a[name]) == 0 {
		return ""
	}
	return a[name][0]
}

// Set is the questions of a kind.
type Set struct {
	Kind      string // connector or app
	Questions []Question
}

// Question is one thing to ask, and a flag of the same name.
type Question struct {
	Name string // of the flag
	Part string // of the set-up
	Ask  string // in a terminal, without question mark or colon
	Help string // more about it; may be empty
	Many bool   // several answers
	// Apart is what separates several answers on a line; empty: each has a line, or Steps, of its own.
	Apart string
	// Steps are asked one after the other for each answer, which Join makes of theirs.
	Steps []Question
	Join  func(steps Answers) string
	// Optional questions may stay without an answer.
	Optional bool
	// Default is the answer of somebody who does not care, from the answers before it; nil: none.
	Default func(Answers) []string
	// Asked reports whether the question makes sense after the answers before it; nil: always.
	Asked func(Answers) bool
	// Check returns what is wrong with one answer; "" when nothing is.
	Check func(q Question, answer string, before Answers) string

	definition string      // the field it fills in: in this definition
	path       schema.Path // at this place
	choices    []Choice
	outline    *schema.Outline
}

// Choice is a legal answer of few.
type Choice struct{ Value, Meaning string }

// Path returns the place in the manifest that q fills in, as findings name it; "" when that is no single place.
func (q Question) Path() string { return q.path.String() }

// Choices returns the legal answers; none when there are too many to count.
func (q Question) Choices() []Choice { return q.choices }

// Preset returns the default, or nothing.
func (q Question) Preset(before Answers) []string {
	switch {
	case q.Default != nil:
		return q.Default(before)
	case q.outline != nil && q.outline.Default != nil:
		if text, ok := q.outline.Default.(string); ok {
			return []string{text}
		}
	}
	return nil
}

// Wanted reports whether q has to be asked after the answers before it.
func (q Question) Wanted(before Answers) bool { return q.Asked == nil || q.Asked(before) }

// Wrong returns what is wrong with an answer, as a sentence without full stop; "" when nothing is.
func (q Question) Wrong(answer string, before Answers) string {
	switch {
	case strings.ContainsFunc(answer, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "control characters are not legal"
	case len(q.choices) > 0 && !slices.ContainsFunc(q.choices, func(c Choice) bool { return c.Value == answer }):
		return q.misspelt(answer)
	case q.Check != nil:
		if wrong := q.Check(q, answer, before); wrong != "" {
			return wrong
		}
	}
	if q.outline == nil || len(q.choices) > 0 || q.outline.Fits(answer) {
		return ""
	}
	if q.outline.Say != "" {
		return "write " + q.outline.Say
	}
	return "that is not legal here"
}

func (q Question) misspelt(answer string) string {
	var values []string
	for _, c := range q.choices {
		values = append(values, c.Value)
	}
	if near, ok := waybill.Nearest(answer, values); ok {
		return "there is no " + answer + "; did you mean " + near + "?"
	}
	return "choose one of: " + strings.Join(values, ", ")
}

// bind connects the questions with the definitions of manifests.
func bind(s Set) (Set, error) {
	set, err := schema.New(schemas.Manifest()...)
	if err != nil {
		return Set{}, err
	}
	for i := range s.Questions {
		q := &s.Questions[i]
		if q.definition == "" {
			continue
		}
		root, err := set.Outline(q.definition)
		if err != nil {
			return Set{}, err
		}
		o := root.At(q.path)
		if o == nil {
			return Set{}, waybill.Errorf(waybill.Internal, "%s has no %s", q.definition, q.path)
		}
		q.fit(o)
	}
	return s, nil
}

// fit takes from o what q does not say itself.
func (q *Question) fit(o *schema.Outline) {
	if q.Help == "" {
		q.Help = o.Doc
	}
	if o.Elements != nil {
		o = o.Elements
	}
	q.outline = o
	if len(o.Choices) > 0 && !o.Open && q.choices == nil {
		for _, c := range o.Choices {
			q.choices = append(q.choices, Choice{Value: c})
		}
	}
	for i := range q.Steps {
		if part := o.Field(q.Steps[i].Name); part != nil {
			q.Steps[i].fit(part)
		}
	}
}
