package reference

import (
	"slices"
	"strconv"
	"strings"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"

	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/schemas"
)

// CUE returns the source of the definitions with everything that they refer to, as one file that can be compiled.
func CUE(definitions []Definition) (string, error) {
	declared, order, err := declarations()
	if err != nil {
		return "", err
	}
	var needed, imports []string
	todo := make([]string, 0, len(definitions))
	for _, d := range definitions {
		todo = append(todo, d.Name)
	}
	for ; len(todo) > 0; todo = todo[1:] {
		d, ok := declared[todo[0]]
		if !ok || slices.Contains(needed, todo[0]) {
			continue
		}
		needed, imports, todo = append(needed, todo[0]), append(imports, d.imports...), append(todo, d.uses...)
	}
	slices.Sort(imports)
	var b strings.Builder
	b.WriteString("package waybill\n\nimport (\n")
	for _, name := range slices.Compact(imports) {
		b.WriteString("\t" + strconv.Quote(name) + "\n")
	}
	b.WriteString(")\n")
	for _, name := range order {
		if slices.Contains(needed, name) {
			b.WriteString("\n" + declared[name].text + "\n")
		}
	}
	return b.String(), nil
}

// declaration is one definition as its file writes it, with its comment.
type declaration struct {
	text          string
	uses, imports []string
}

// declarations returns what the files declare, and the names in order.
func declarations() (map[string]declaration, []string, error) {
	all, order := map[string]declaration{}, []string{}
	for _, src := range schemas.Manifest() {
		file, err := parser.ParseFile("", src, parser.ParseComments)
		if err != nil {
			return nil, nil, waybill.Wrap(waybill.Internal, err, "schema cannot be read")
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.Field)
			if !ok {
				continue
			}
			name, _, err := ast.LabelName(f.Label)
			if err != nil {
				return nil, nil, waybill.Wrap(waybill.Internal, err, "schema cannot be read")
			}
			all[name] = declare(src, f)
			order = append(order, name)
		}
	}
	return all, order, nil
}

func declare(src []byte, f *ast.Field) declaration {
	start := f.Pos().Offset()
	for _, c := range ast.Comments(f) {
		if c.Doc {
			start = min(start, c.Pos().Offset())
		}
	}
	d := declaration{text: string(src[start:f.End().Offset()])}
	ast.Walk(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				d.imports = append(d.imports, x.Name)
			}
			return false
		case *ast.Ident:
			if strings.HasPrefix(n.Name, "#") {
				d.uses = append(d.uses, n.Name)
			}
		}
		return true
	}, nil)
	return d
}
