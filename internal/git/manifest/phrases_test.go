package manifest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// libraries are the packages whose messages no person should have to read, by module.
var libraries = map[string][]string{
	"cuelang.org/go": {
		"cue", "cue/errors", "cue/literal", "cue/parser", "cue/scanner", "internal/core/adt", "internal/core/compile",
		"internal/core/validate", "internal/core/convert", "pkg/list", "pkg/strings", "pkg/struct",
	},
	"gopkg.in/yaml.v3":                         {"."},
	"github.com/google/cel-go":                 {"checker", "parser", "cel", "common/operators"},
	"github.com/santhosh-tekuri/jsonschema/v6": {".", "kind"},
}

// reporting are the functions that those packages make messages with.
var reporting = regexp.MustCompile(`(?i)(err|fail|panic|newf|wrapf|report|sprintf)`)

// verb splits a format into what is always the same.
var verb = regexp.MustCompile(`%[-+# 0-9.\[\]]*[a-zA-Z%]`)

// own are words that are ours although a library uses them as well.
var own = []string{"unknown kind"}

// libraryPhrases lists phrases and what the sources of the libraries say; they are read once per test binary.
var libraryPhrases = sync.OnceValues(func() ([]string, error) {
	all := slices.Clone(phrases)
	for module, packages := range libraries {
		dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
		if err != nil {
			return nil, err
		}
		for _, p := range packages {
			names, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), p, "*.go"))
			if err != nil {
				return nil, err
			}
			for _, name := range names {
				if !strings.HasSuffix(name, "_test.go") {
					all = append(all, formats(name)...)
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
})

// formats returns the fixed parts of the messages in one file.
func formats(name string) []string {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	var all []string
	add := func(x ast.Expr, onlyFormats bool) {
		lit, ok := x.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return
		}
		text, _ := strconv.Unquote(lit.Value)
		if onlyFormats && !strings.Contains(text, "%") {
			return
		}
		for _, part := range verb.Split(text, -1) {
			part = strings.Trim(part, " :,;.()'`\"")
			if len(part) >= 10 && strings.Contains(part, " ") && !slices.Contains(own, part) {
				all = append(all, part)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			for _, x := range n.Args {
				add(x, !reporting.MatchString(called(n.Fun)))
			}
		case *ast.ReturnStmt:
			for _, x := range n.Results {
				add(x, true)
			}
		}
		return true
	})
	return all
}

// called returns the name of a called function with its package, as it is written.
func called(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return called(x.X) + "." + x.Sel.Name
	default:
		return ""
	}
}

// TestLibraryPhrases checks that the list is what it is thought to be.
func TestLibraryPhrases(t *testing.T) {
	t.Parallel()
	all, err := libraryPhrases()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d phrases", len(all))
	for _, known := range []string{
		"conflicting values", "errors in empty disjunction", "field not allowed", "did not find expected key", "undeclared reference to",
		"mapping values are not allowed in this context", "cannot unmarshal",
	} {
		if !slices.ContainsFunc(all, func(p string) bool { return strings.Contains(p, known) }) {
			t.Errorf("the sources do not say %q; look for another place", known)
		}
	}
}
