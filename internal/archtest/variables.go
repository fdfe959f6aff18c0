package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// variables reports package-level variables that are, or may become, state. Allowed are: compile-time checks (var _),
// embedded files, values that a constructor of fixed() builds, the version that the linker sets in cmd, and unexported
// tables (composite literals) that no line of the package writes to. Others are in exceptions, with their reasons.
func (p *pkg) variables() []string {
	written := p.written()
	var problems []string
	for _, f := range p.files {
		if f.test {
			continue
		}
		for _, decl := range f.syntax.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.VAR {
				continue
			}
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && !embedded(d.Doc) && !embedded(v.Doc) {
					problems = append(problems, p.values(f, v, written)...)
				}
			}
		}
	}
	return problems
}

func (p *pkg) values(f file, v *ast.ValueSpec, written map[string]bool) []string {
	var problems []string
	for i, name := range v.Names {
		var value ast.Expr
		if i < len(v.Values) {
			value = v.Values[i]
		}
		_, table := value.(*ast.CompositeLit)
		linked := under(p.dir, "cmd") && name.Name == "version"
		switch {
		case name.Name == "_", linked, f.fixed(value), slices.Contains(exceptions(), p.dir+"."+name.Name):
		case table && name.IsExported():
			problems = append(problems, f.at(name, "%s can be changed by every importer (make it a function that returns the table)", name.Name))
		case table && written[name.Name]:
			problems = append(problems, f.at(name, "%s is state shared by the whole process (keep it in a value that New builds)", name.Name))
		case table:
		default:
			problems = append(problems, f.at(name, "package variable %s (make it a constant, or a field of a value that New builds)", name.Name))
		}
	}
	return problems
}

// fixed reports whether value is made by a call whose result nobody can change.
func (f file) fixed(value ast.Expr) bool {
	call, ok := value.(*ast.CallExpr)
	if !ok {
		return false
	}
	fun, ok := call.Fun.(*ast.SelectorExpr)
	return ok && (f.imported(fun, "errors") == "New" ||
		f.imported(fun, "regexp") == "MustCompile" ||
		f.imported(fun, "strings") == "NewReplacer" ||
		slices.Contains([]string{"Errorf", "Wrap"}, f.imported(fun, module+"/"+domain)))
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed ")
	})
}

// written returns the names that some line of the package assigns to, counts, deletes from or takes the address of.
// A local variable of the same name counts too: a table deserves a name of its own.
func (p *pkg) written() map[string]bool {
	names := map[string]bool{}
	mark := func(e ast.Expr) {
		if x := root(e); x != nil {
			names[x.Name] = true
		}
	}
	for _, f := range p.files {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					mark(e)
				}
			case *ast.IncDecStmt:
				mark(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					mark(n.X)
				}
			case *ast.CallExpr:
				if fun, ok := n.Fun.(*ast.Ident); ok && len(n.Args) > 0 && (fun.Name == "delete" || fun.Name == "clear") {
					mark(n.Args[0])
				}
			}
			return true
		})
	}
	return names
}

// root returns the variable that e selects from, indexes or dereferences, or nil.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}
