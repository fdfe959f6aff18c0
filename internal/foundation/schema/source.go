package schema

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// source is the definitions of the files of a schema, each of which can be compiled alone.
type source map[string]*definition

// definition is one declaration at the top of a file.
type definition struct {
	field   *ast.Field
	text    string   // as it is written
	uses    []string // other definitions that it names
	imports []string // packages that it names
}

// read parses the files of a schema.
func read(files [][]byte) (source, error) {
	s := source{}
	for _, src := range files {
		file, err := parser.ParseFile("", src, parser.ParseComments)
		if err != nil {
			return nil, waybill.Wrap(waybill.Internal, err, "schema cannot be read")
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.Field)
			if !ok {
				continue
			}
			if _, twice := s[label(f)]; twice {
				return nil, waybill.Errorf(waybill.Internal, "schema declares %s twice", label(f))
			}
			def := &definition{field: f, text: string(src[f.Pos().Offset():f.End().Offset()])}
			def.names()
			s[label(f)] = def
		}
	}
	return s, nil
}

// names finds what d refers to.
func (d *definition) names() {
	ast.Walk(d.field, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			d.imports = append(d.imports, imported(n)...)
			return false
		case *ast.Ident:
			if strings.HasPrefix(n.Name, "#") && n != d.field.Label && !slices.Contains(d.uses, n.Name) {
				d.uses = append(d.uses, n.Name)
			}
		}
		return true
	}, nil)
}

// imported returns the package that x is of, if any.
func imported(x *ast.SelectorExpr) []string {
	if x, ok := x.X.(*ast.Ident); ok {
		return []string{x.Name}
	}
	return nil
}

// text returns the CUE of one definition with everything that it needs.
func (s source) text(name string) (string, error) {
	return s.gather(name, func(d *definition) (string, []string) { return d.text, d.imports })
}

// lean returns text for judging documents: a field that may be left out is optional, so that CUE looks at it only where
// it is written. What is legal stays the same; defaults are not CUE's business here, see Fill.
func (s source) lean(name string) (string, error) { return s.gather(name, s.loosen) }

// loosen returns the text of d with a question mark behind every field that may be left out, with choices among texts as
// one pattern and without defaults that are legal anyway, which costs less than alternatives, and without demands on the
// number of entries: CUE would tell one mistake of a list at a time. They are counted by trim.
func (s source) loosen(d *definition) (text string, imports []string) {
	var b strings.Builder
	start := d.field.Pos().Offset()
	last := start
	replace := func(from, to token.Pos, text string) {
		b.WriteString(d.text[last-start:from.Offset()-start] + text)
		last = to.Offset()
	}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			if s.spares(n) {
				replace(n.Label.End(), n.Label.End(), "?")
			}
		case *ast.SelectorExpr:
			imports = append(imports, imported(n)...)
		case *ast.BinaryExpr:
			if texts, ok := choices(n); ok {
				replace(n.Pos(), n.End(), "=~"+strconv.Quote("^(?:"+strings.Join(texts, "|")+")$"))
				return false
			}
			if counts(n.X) || s.offers(n) {
				replace(n.Pos(), n.Y.Pos(), "")
				ast.Walk(n.Y, visit, nil)
				return false
			}
		}
		return true
	}
	ast.Walk(d.field.Value, visit, nil)
	return b.String() + d.text[last-start:], imports
}

// spares reports whether f is a plain field that documents may leave out.
func (s source) spares(f *ast.Field) bool {
	_, pattern := f.Label.(*ast.ListLit)
	if pattern || f.Constraint != token.ILLEGAL || strings.HasPrefix(label(f), "#") {
		return false
	}
	r := outliner{source: s}
	o := r.field(f)
	return r.err == nil && o.spare()
}

// counts reports whether x demands a number of entries and nothing else.
func counts(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.BinaryExpr:
		return x.Op == token.AND && counts(x.X) && counts(x.Y)
	case *ast.CallExpr:
		fun, ok := x.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		name, _, _ := ast.LabelName(fun.Sel)
		return name == "MinItems" || name == "MaxItems" || name == "MaxFields"
	}
	return false
}

// offers reports whether x is a default beside a demand that it meets, so that it says nothing of what is legal.
func (s source) offers(x *ast.BinaryExpr) bool {
	star, ok := x.X.(*ast.UnaryExpr)
	if !ok || star.Op != token.MUL || x.Op != token.OR {
		return false
	}
	r, o := outliner{source: s}, &Outline{}
	if r.add(o, x.Y); r.err != nil || len(o.Choices) > 0 {
		return false
	}
	switch v := value(star.X).(type) {
	case string:
		return o.Kinds == Text && o.fits(v)
	case int64:
		return o.Kinds == Whole && (o.Minimum == nil || v >= *o.Minimum) && (o.Maximum == nil || v <= *o.Maximum)
	case bool:
		return o.Kinds == Bool
	default:
		return false
	}
}

// choices returns the texts that x allows, as patterns, when it allows nothing else.
func choices(x ast.Expr) (texts []string, ok bool) {
	switch x := x.(type) {
	case *ast.BinaryExpr:
		if x.Op != token.OR {
			return nil, false
		}
		left, ok := choices(x.X)
		right, also := choices(x.Y)
		return append(left, right...), ok && also
	case *ast.UnaryExpr:
		if x.Op == token.MUL {
			return choices(x.X)
		}
	case *ast.BasicLit:
		if text, ok := value(x).(string); ok && x.Kind == token.STRING {
			return []string{regexp.QuoteMeta(text)}, true
		}
	}
	return nil, false
}

// spare reports whether a document is legal without o.
func (o *Outline) spare() bool {
	switch {
	case o.Required:
		return false
	case o.Optional || o.Default != nil:
		return true
	case o.Kinds == List:
		return o.MinItems == 0
	}
	return o.Kinds == Mapping && !slices.ContainsFunc(o.Fields, func(f Field) bool { return !f.spare() })
}

func (s source) gather(name string, write func(*definition) (text string, imports []string)) (string, error) {
	var all, imports []string
	var body strings.Builder
	for todo := []string{name}; len(todo) > 0; todo = todo[1:] {
		if slices.Contains(all, todo[0]) {
			continue
		}
		d, ok := s[todo[0]]
		if !ok {
			return "", waybill.Errorf(waybill.Internal, "schema names %s, which is not declared", todo[0])
		}
		all = append(all, todo[0])
		todo = append(todo, d.uses...)
		text, needs := write(d)
		imports = append(imports, needs...)
		body.WriteString("\n" + text + "\n")
	}
	slices.Sort(imports)
	var b strings.Builder
	for _, i := range slices.Compact(imports) {
		b.WriteString("import " + strconv.Quote(i) + "\n")
	}
	return b.String() + body.String(), nil
}
