// Package archtest fails when the code leaves its shape: imports that go the wrong way, packages that do not say what
// they are for, files that grew too long, and state, start-up code or waiting hidden where nobody expects it.
// It reads the module's files with go/parser, in process; nothing is compiled.
package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// module is the import path that everything here stands under.
const module = "github.com/waybill-dev/waybill"

// maxLines is how long a file may be. Most are much shorter.
const maxLines = 400

// Check reads every Go file under root and returns what is wrong, each as "file:line: what (how to fix it)", sorted.
// Hidden folders, testdata and folders with a go.mod of their own are left out.
func Check(root fs.FS) ([]string, error) {
	packages, err := load(root)
	if err != nil {
		return nil, err
	}
	var problems []string
	for _, p := range packages {
		problems = append(problems, p.imports()...)
		problems = append(problems, p.comment()...)
		problems = append(problems, p.code()...)
		problems = append(problems, p.variables()...)
	}
	slices.Sort(problems)
	return problems, nil
}

// pkg is the Go files of one folder.
type pkg struct {
	dir   string // from the module's root, with slashes
	files []file
}

// file is one Go file.
type file struct {
	name   string // from the module's root, with slashes
	test   bool
	lines  int
	fset   *token.FileSet
	syntax *ast.File
}

func load(root fs.FS) ([]*pkg, error) {
	var packages []*pkg
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped(root, name):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		f, err := read(root, name)
		if err != nil {
			return err
		}
		// Folders may stand between the files of one package.
		i := slices.IndexFunc(packages, func(p *pkg) bool { return p.dir == path.Dir(name) })
		if i < 0 {
			i = len(packages)
			packages = append(packages, &pkg{dir: path.Dir(name)})
		}
		packages[i].files = append(packages[i].files, f)
		return nil
	})
	return packages, err
}

func skipped(root fs.FS, dir string) bool {
	if dir == "." {
		return false
	}
	base := path.Base(dir)
	if base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := fs.Stat(root, path.Join(dir, "go.mod"))
	return err == nil
}

func read(root fs.FS, name string) (file, error) {
	src, err := fs.ReadFile(root, name)
	if err != nil {
		return file{}, err
	}
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	return file{
		name:   name,
		test:   strings.HasSuffix(name, "_test.go"),
		lines:  bytes.Count(src, []byte("\n")),
		fset:   fset,
		syntax: syntax,
	}, nil
}

// at says where n stands, followed by what is wrong with it.
func (f file) at(n ast.Node, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", f.name, f.fset.Position(n.Pos()).Line, fmt.Sprintf(format, args...))
}

// importPath returns the path that s imports.
func importPath(s *ast.ImportSpec) string {
	p, err := strconv.Unquote(s.Path.Value)
	if err != nil {
		return s.Path.Value // the parser accepts nothing that gets here
	}
	return p
}

// under reports whether p is one of roots or stands below one.
func under(p string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return p == root || strings.HasPrefix(p, root+"/") })
}
