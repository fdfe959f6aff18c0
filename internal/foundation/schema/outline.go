package schema

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/literal"
	"cuelang.org/go/cue/token"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Kind is the kind of a value as people name it.
type Kind int

// The kinds, as a set of bits.
const (
	Text Kind = 1 << iota
	Whole
	Number
	Bool
	Mapping
	List
	Empty
	Date
)

// Outline is one value of a definition as its source declares it. Explanations, defaults and references are made from
// it, and what trim tells; which values are legal is decided by CUE alone.
type Outline struct {
	Kinds    Kind
	Required bool // name!
	Optional bool // name?: may be absent and has no default
	Doc      string
	Say      string // a legal value in words, with its article
	Code     string // name of the finding for an illegal value

	Choices      []string // the only legal texts, when not empty and Open is false
	Open         bool     // a pattern or a plain type is allowed beside the choices
	MinRunes     int
	MaxRunes     int // 0: no limit
	MinItems     int
	MaxItems     int // 0: no limit; of a list or a map
	Default      any // nil: none
	Fields       []Field
	Elements     *Outline // of a list
	Keys, Values *Outline // of a map
	Free         bool     // a mapping that may hold anything
	Date         bool     // a text that YAML may take for a date
	Patterns     []string // RE2; a text has to match each
	// Minimum and Maximum bound a number; nil: no limit.
	Minimum, Maximum *int64
}

// Field is a named part of a mapping.
type Field struct {
	Name string
	*Outline
}

// Field returns the part called name, or nil.
func (o *Outline) Field(name string) *Outline {
	for _, f := range o.Fields {
		if f.Name == name {
			return f.Outline
		}
	}
	return nil
}

// At returns the outline of the node at path, or nil when the definition has no such place.
func (o *Outline) At(path Path) *Outline {
	for _, e := range path {
		switch {
		case o == nil:
			return nil
		case strings.HasPrefix(e, "[") && o.Elements != nil:
			o = o.Elements
		case o.Values != nil:
			o = o.Values
		default:
			o = o.Field(e)
		}
	}
	return o
}

// fits reports whether text is legal where all demands of o must be met, as for keys.
func (o *Outline) fits(text string) bool {
	n := utf8.RuneCountInString(text)
	if n < o.MinRunes || o.MaxRunes > 0 && n > o.MaxRunes {
		return false
	}
	for _, p := range o.Patterns {
		if ok, err := regexp.MatchString(p, text); err != nil || !ok {
			return false
		}
	}
	return true
}

// Fits reports whether a text has the length and the form that o demands. It says nothing about choices.
func (o *Outline) Fits(text string) bool { return o.fits(text) }

// outliner reads outlines. It knows the part of CUE that the files in schemas use.
type outliner struct {
	source source
	err    error
}

func label(f *ast.Field) string {
	name, _, _ := ast.LabelName(f.Label)
	return name
}

func (r *outliner) field(f *ast.Field) *Outline {
	o := &Outline{Doc: doc(f)}
	r.add(o, f.Value)
	o.Required = f.Constraint == token.NOT
	o.Optional = f.Constraint == token.OPTION
	for _, a := range f.Attrs {
		name, body := a.Split()
		if text, err := literal.Unquote(body); err == nil {
			body = text
		}
		switch name {
		case "say":
			o.Say = body
		case "code":
			o.Code = body
		case "date":
			o.Date = true
		}
	}
	if len(o.Choices) == 1 && !o.Open && f.Constraint == token.ILLEGAL {
		o.Default = o.Choices[0]
	}
	return o
}

func doc(f *ast.Field) string {
	var text []string
	for _, g := range ast.Comments(f) {
		if g.Doc {
			text = append(text, strings.TrimSpace(g.Text()))
		}
	}
	return strings.Join(text, " ")
}

// add merges what x demands into o.
func (r *outliner) add(o *Outline, x ast.Expr) {
	switch x := x.(type) {
	case *ast.ParenExpr:
		r.add(o, x.X)
	case *ast.Ident:
		r.ident(o, x.Name)
	case *ast.BasicLit:
		r.literal(o, x)
	case *ast.UnaryExpr:
		r.unary(o, x)
	case *ast.BinaryExpr:
		r.add(o, x.X)
		r.add(o, x.Y)
	case *ast.CallExpr:
		r.call(o, x)
	case *ast.StructLit:
		r.structure(o, x)
	case *ast.ListLit:
		o.Kinds |= List
		for _, e := range x.Elts {
			e, ok := e.(*ast.Ellipsis)
			if !ok || e.Type == nil {
				r.fail(x)
				return
			}
			o.Elements = &Outline{}
			r.add(o.Elements, e.Type)
		}
	default:
		r.fail(x)
	}
}

func (r *outliner) ident(o *Outline, name string) {
	basic := map[string]Kind{"string": Text, "bool": Bool, "int": Whole, "number": Number | Whole}
	if k, ok := basic[name]; ok {
		o.Kinds |= k
		o.Open = true
		return
	}
	def, ok := r.source[name]
	if !ok {
		r.err = waybill.Errorf(waybill.Internal, "schema names %s, which is not declared", name)
		return
	}
	merge(o, r.field(def.field))
}

// merge adds the referred definition d to o, whose own words win.
func merge(o, d *Outline) {
	own := *o
	*o = *d
	o.Kinds |= own.Kinds
	o.Open = o.Open || own.Open
	o.Choices = append(own.Choices, d.Choices...)
	if own.Doc != "" {
		o.Doc = own.Doc
	}
	if own.Default != nil {
		o.Default = own.Default
	}
}

func (r *outliner) literal(o *Outline, x *ast.BasicLit) {
	switch x.Kind {
	case token.STRING:
		text, err := literal.Unquote(x.Value)
		if err != nil {
			r.fail(x)
		}
		o.Kinds |= Text
		o.Choices = append(o.Choices, text)
	case token.INT:
		o.Kinds |= Whole
	case token.TRUE, token.FALSE:
		o.Kinds |= Bool
	default:
		r.fail(x)
	}
}

func (r *outliner) unary(o *Outline, x *ast.UnaryExpr) {
	switch x.Op {
	case token.MUL:
		r.add(o, x.X)
		o.Default = value(x.X)
	case token.MAT:
		o.Kinds |= Text
		o.Open = true
		pattern, _ := value(x.X).(string)
		o.Patterns = append(o.Patterns, pattern)
	case token.GEQ, token.LEQ:
		o.Open = true
		if n, ok := value(x.X).(int64); ok && x.Op == token.GEQ {
			o.Minimum = &n
		} else if ok {
			o.Maximum = &n
		}
	default:
		r.fail(x)
	}
}

// value returns the Go value of a default.
func value(x ast.Expr) any {
	lit, ok := x.(*ast.BasicLit)
	if !ok {
		return nil
	}
	switch lit.Kind {
	case token.INT:
		n, _ := strconv.ParseInt(lit.Value, 10, 64)
		return n
	case token.TRUE, token.FALSE:
		return lit.Kind == token.TRUE
	default:
		text, _ := literal.Unquote(lit.Value)
		return text
	}
}

func (r *outliner) call(o *Outline, x *ast.CallExpr) {
	fun, ok := x.Fun.(*ast.SelectorExpr)
	if !ok || len(x.Args) != 1 {
		r.fail(x)
		return
	}
	name, _, _ := ast.LabelName(fun.Sel)
	n, _ := value(x.Args[0]).(int64)
	switch name {
	case "MinRunes":
		o.Kinds, o.Open, o.MinRunes = o.Kinds|Text, true, int(n)
	case "MaxRunes":
		o.Kinds, o.Open, o.MaxRunes = o.Kinds|Text, true, int(n)
	case "MinItems":
		o.MinItems = int(n)
	case "MaxItems", "MaxFields":
		o.MaxItems = int(n)
	default:
		r.fail(x)
	}
}

func (r *outliner) structure(o *Outline, x *ast.StructLit) {
	o.Kinds |= Mapping
	for _, d := range x.Elts {
		f, ok := d.(*ast.Field)
		if e, rest := d.(*ast.Ellipsis); rest && e.Type == nil && len(x.Elts) == 1 {
			o.Free = true
			return
		}
		if !ok {
			r.fail(x)
			return
		}
		if keys, ok := f.Label.(*ast.ListLit); ok {
			o.Keys, o.Values = &Outline{}, r.field(f)
			r.add(o.Keys, keys.Elts[0])
			continue
		}
		o.Fields = append(o.Fields, Field{Name: label(f), Outline: r.field(f)})
	}
}

func (r *outliner) fail(x ast.Node) {
	if r.err == nil {
		r.err = waybill.Errorf(waybill.Internal, "schema line %d is written in a way that cannot be explained", x.Pos().Line())
	}
}
