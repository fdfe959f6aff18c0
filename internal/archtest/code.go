package archtest

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// comment reports a package that does not say what it is for.
func (p *pkg) comment() []string {
	var first *file
	for i, f := range p.files {
		if f.test {
			continue
		}
		if first == nil {
			first = &p.files[i]
		}
		doc := f.syntax.Doc.Text()
		if strings.HasPrefix(doc, "Package "+f.syntax.Name.Name+" ") || f.syntax.Name.Name == "main" && strings.HasPrefix(doc, "Command ") {
			return nil
		}
	}
	if first == nil {
		return nil // tests only
	}
	want := "Package " + first.syntax.Name.Name
	if first.syntax.Name.Name == "main" {
		want = "Command name"
	}
	return []string{fmt.Sprintf("%s: no package comment (say above one package clause, as \"// %s …\", what it is for and what it never does)",
		p.dir, want)}
}

// code reports files that are too long, init functions, sleeps, and clocks read by packages that only decide.
func (p *pkg) code() []string {
	var problems []string
	for _, f := range p.files {
		if f.lines > maxLines && !f.test {
			problems = append(problems, fmt.Sprintf("%s:%d: longer than %d lines (split it by noun)", f.name, f.lines, maxLines))
		}
		clock := slices.Contains(pure(), p.dir) && !f.test
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					problems = append(problems, f.at(n, "init function (build it in New and pass it where it is needed)"))
				}
			case *ast.SelectorExpr:
				switch name := f.imported(n, "time"); {
				case name == "Sleep":
					problems = append(problems, f.at(n, "time.Sleep (wait for the condition itself: a channel, a timer in a select, testing/synctest)"))
				case clock && (name == "Now" || name == "Since" || name == "Until"):
					problems = append(problems, f.at(n, "time.%s in %s (take the time as a parameter)", name, p.dir))
				}
			}
			return true
		})
	}
	return problems
}

// imported returns Name for an expression package.Name whose package is path, and "" for any other.
func (f file) imported(e *ast.SelectorExpr, path string) string {
	x, ok := e.X.(*ast.Ident)
	if !ok {
		return ""
	}
	for _, spec := range f.syntax.Imports {
		if importPath(spec) != path {
			continue
		}
		name := path[strings.LastIndex(path, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if x.Name == name {
			return e.Sel.Name
		}
	}
	return ""
}
