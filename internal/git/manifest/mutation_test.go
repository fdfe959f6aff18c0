//go:build mutation

package manifest_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/parser"
	"cuelang.org/go/cue/token"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/schemas"
)

// mutant is the schema without one constraint, or the loader without one check.
type mutant struct {
	name  string
	files [][]byte
	check string
	uses  []string // the definitions that it changes; nil: all
}

// TestMutations takes minutes, so it has a build tag: go test -tags mutation -run Mutations -v. It removes each constraint of the schemas and each check of the loader in turn: at least one case of the
// corpus must come out differently.
func TestMutations(t *testing.T) {
	t.Parallel()
	cases := append(corpus(t), bombed()...)
	slices.SortFunc(cases, func(a, b specimen) int { return len(a.all) - len(b.all) }) // cheap ones first
	whole, err := manifest.New()
	if err != nil {
		t.Fatal(err)
	}
	want := make([]string, len(cases))
	for i, s := range cases {
		want[i] = judgement(t.Context(), whole, s)
	}
	mutants := constraints(t)
	for _, c := range whole.Checks() {
		mutants = append(mutants, mutant{name: "check " + c, files: schemas.Manifest(), check: c})
	}
	killed, survivors := make([]bool, len(mutants)), 0
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, m := range mutants {
		g.Go(func() (err error) {
			killed[i], err = dies(t.Context(), m, cases, want)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, m := range mutants {
		if !killed[i] {
			survivors++
			t.Errorf("nobody misses %s", m.name)
		}
	}
	t.Logf("removed %d, killed %d", len(mutants), len(mutants)-survivors)
}

// dies reports whether some case comes out differently.
func dies(ctx context.Context, m mutant, cases []specimen, want []string) (bool, error) {
	l, err := manifest.NewWithout(m.files, m.check)
	if err != nil {
		return false, err
	}
	for i, s := range cases {
		if m.uses != nil && !slices.ContainsFunc(m.uses, func(kind string) bool { return strings.Contains(s.all, "kind: "+kind) }) {
			continue
		}
		if judgement(ctx, l, s) != want[i] {
			return true, nil
		}
	}
	return false, nil
}

// judgement is everything that is said about a case.
func judgement(ctx context.Context, l *manifest.Loader, s specimen) string {
	r, err := l.Load(ctx, s.tree, s.options)
	if err != nil {
		return "error" // a definition that lost too much to be read
	}
	return strings.Join(lines(r.Findings), "\n") + fmt.Sprint(len(r.Declarations))
}

// bombed turns the bombs that have codes of their own into cases.
func bombed() []specimen {
	var all []specimen
	for _, name := range []string{"too many bytes", "too many documents", "closed brackets"} {
		all = append(all, specimen{tree: files{"waybill.yaml": bombs()[name].text}, all: "kind: "})
	}
	return all
}

// constraints returns one mutant per constraint in the schemas of documents.
func constraints(t *testing.T) []mutant {
	t.Helper()
	files := schemas.Manifest()
	var all []mutant
	for i, src := range files {
		file, err := parser.ParseFile("", src)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range removable(file) {
			changed := slices.Concat(src[:c.from], []byte(c.with), src[c.to:])
			line := 1 + bytes.Count(src[:c.from], []byte("\n"))
			what := strings.TrimSpace(string(src[c.from:c.to]))
			m := mutant{
				name:  fmt.Sprintf("%s line %d %s", []string{"common", "connector", "app", "platform"}[i], line, what),
				files: slices.Clone(files),
			}
			m.files[i] = changed
			m.uses = affected(t, files, m.files)
			all = append(all, m)
		}
	}
	return all
}

// affected lists the kinds whose definitions differ.
func affected(t *testing.T, before, after [][]byte) []string {
	t.Helper()
	a, errA := schema.New(before...)
	b, errB := schema.New(after...)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	var kinds []string
	for _, d := range schemas.Definitions() {
		one, _ := a.Source(d.Name)
		other, _ := b.Source(d.Name)
		if one != other {
			kinds = append(kinds, d.Kind)
		}
	}
	return kinds
}

// cut is a part of a source and what remains in its place.
type cut struct {
	from, to int
	with     string
}

// head are the fields that choose the definition. Checks of the loader tell what is wrong with them before it is used,
// so that the constraints there only matter to other readers of the schema.
var head = []string{"apiVersion", "kind", "type", "spec"}

// removable finds constraints: operands of &, patterns and limits that stand alone, lists of choices, and "must be given".
func removable(file *ast.File) []cut {
	var cuts []cut
	var names []string
	ast.Walk(file, func(n ast.Node) bool {
		f, ok := n.(*ast.Field)
		if !ok {
			if b, ok := n.(*ast.BinaryExpr); ok {
				cuts = append(cuts, binary(b)...)
			}
			return true
		}
		name, _, _ := ast.LabelName(f.Label)
		names = append(names, name)
		top := slices.Contains(head, name) && len(names) < 4
		if f.Constraint == token.NOT && !top {
			cuts = append(cuts, cut{f.Label.End().Offset(), f.Label.End().Offset() + 1, "?"})
		}
		if base := alone(f.Value); base != "" && !top {
			cuts = append(cuts, cut{f.Value.Pos().Offset(), f.Value.End().Offset(), base})
		}
		return true
	}, func(n ast.Node) {
		if _, ok := n.(*ast.Field); ok {
			names = names[:len(names)-1]
		}
	})
	return cuts
}

// alone returns the plain type of a value that is a single constraint or a list of choices, or "".
func alone(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.UnaryExpr:
		if x.Op == token.MAT {
			return "string"
		}
	case *ast.CallExpr:
		return "string"
	case *ast.BasicLit:
		return "string"
	case *ast.BinaryExpr:
		if first, ok := choices(x); ok {
			return first + " | string"
		}
	}
	return ""
}

// choices reports whether x is a list of texts, and returns the first as it is written.
func choices(x ast.Expr) (first string, ok bool) {
	switch x := x.(type) {
	case *ast.BinaryExpr:
		first, ok = choices(x.X)
		_, rest := choices(x.Y)
		return first, ok && rest && x.Op == token.OR
	case *ast.UnaryExpr:
		first, ok = choices(x.X)
		return "*" + first, ok && x.Op == token.MUL
	case *ast.BasicLit:
		return x.Value, x.Kind == token.STRING
	case *ast.ParenExpr:
		return choices(x.X)
	}
	return "", false
}

// binary removes the left or the right side of a & b where it is a constraint, and choices of list entries.
func binary(b *ast.BinaryExpr) []cut {
	if b.Op != token.AND {
		return nil
	}
	var cuts []cut
	left, right := b.X.Pos().Offset(), b.Y.Pos().Offset()
	if constraint(b.X) {
		cuts = append(cuts, cut{left, right, ""})
	}
	if constraint(b.Y) {
		cuts = append(cuts, cut{b.X.End().Offset(), b.Y.End().Offset(), ""})
	}
	return cuts
}

func constraint(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.UnaryExpr:
		return x.Op != token.MUL
	case *ast.CallExpr:
		return true
	default:
		return false
	}
}
