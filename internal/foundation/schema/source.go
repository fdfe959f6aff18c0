package schema

import (
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"

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
			if x, ok := n.X.(*ast.Ident); ok && !slices.Contains(d.imports, x.Name) {
				d.imports = append(d.imports, x.Name)
			}
			return false
		case *ast.Ident:
			if strings.HasPrefix(n.Name, "#") && n != d.field.Label && !slices.Contains(d.uses, n.Name) {
				d.uses = append(d.uses, n.Name)
			}
		}
		return true
	}, nil)
}

// text returns the CUE of one definition with everything that it needs.
func (s source) text(name string) (string, error) {
	var all, imports []string
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
		imports = append(imports, d.imports...)
	}
	slices.Sort(imports)
	var b strings.Builder
	for _, i := range slices.Compact(imports) {
		b.WriteString("import " + strconv.Quote(i) + "\n")
	}
	for _, n := range all {
		b.WriteString("\n" + s[n].text + "\n")
	}
	return b.String(), nil
}
