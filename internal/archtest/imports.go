package archtest

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// imports reports what the package imports against the table, each import once.
func (p *pkg) imports() []string {
	allowed, known := line(p.dir)
	if !known {
		return []string{fmt.Sprintf(
			"%s: this package has no line in the import table (add it to rooms in internal/archtest/table.go)", p.dir)}
	}
	var problems []string
	seen := map[string]bool{}
	for _, f := range p.files {
		for _, spec := range f.syntax.Imports {
			if why := p.refuse(importPath(spec), f.test, allowed); why != "" && !seen[why] {
				seen[why] = true
				problems = append(problems, f.at(spec, "%s", why))
			}
		}
	}
	return problems
}

// line returns the imports that dir may have: its own line of the table, or that of the nearest folder above.
func line(dir string) (allowed []string, ok bool) {
	table := rooms()
	for d := dir; d != "."; d = path.Dir(d) {
		if allowed, ok := table[d]; ok {
			return allowed, true
		}
	}
	return nil, false
}

// refuse says why the package may not import path, or "".
func (p *pkg) refuse(path string, test bool, allowed []string) string {
	if to, ours := strings.CutPrefix(path, module+"/"); ours {
		return p.refuseOurs(to, test, allowed)
	}
	if test {
		return ""
	}
	if p.dir == domain && strings.Contains(strings.Split(path, "/")[0], ".") {
		return fmt.Sprintf("the domain imports %s (it knows the standard library only; pass the value in)", path)
	}
	if slices.Contains(pure(), p.dir) && under(path, impure()...) {
		return fmt.Sprintf("%s imports %s (it decides and does nothing else; read outside and pass the value in)", p.dir, path)
	}
	for library, homes := range owners() {
		if under(path, library) && !under(p.dir, homes...) {
			return fmt.Sprintf("%s imports %s, which only %s may (ask that package, through a small interface of your own)",
				p.dir, library, strings.Join(homes, ", "))
		}
	}
	return ""
}

func (p *pkg) refuseOurs(to string, test bool, allowed []string) string {
	suite := under(to, suites()...)
	switch {
	case to == domain, test && (suite || under(to, room(p.dir), "internal/foundation") || under(to, wholeProcess(p.dir)...)):
		return ""
	case suite && !under(p.dir, suites()...):
		return fmt.Sprintf("%s imports %s outside its tests (move the import to a _test.go file)", p.dir, to)
	case slices.Contains(adapters(), p.dir) && slices.Contains(adapters(), to):
		return fmt.Sprintf("adapter %s imports adapter %s (let the server wire them through an interface)", p.dir, to)
	case slices.ContainsFunc(allowed, func(pattern string) bool { return matches(pattern, to) }):
		return ""
	default:
		return fmt.Sprintf("%s imports %s (the import table allows %s; state what you need as a small interface here, "+
			"and let the server pass it in)", p.dir, to, strings.Join(append([]string{domain}, allowed...), ", "))
	}
}

// room returns the first two parts of dir: internal/git for internal/git/forge/plain.
func room(dir string) string {
	parts := strings.SplitN(dir, "/", 3)
	return path.Join(parts[:min(len(parts), 2)]...)
}

// matches reports whether pattern, a path or one that ends in /..., covers p.
func matches(pattern, p string) bool {
	if root, ok := strings.CutSuffix(pattern, "/..."); ok {
		return under(p, root)
	}
	return p == pattern
}

// Top reports entries of root that do not belong at the top of the repository.
func Top(root fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(root, ".")
	if err != nil {
		return nil, err
	}
	var problems []string
	for _, e := range entries {
		free := strings.HasPrefix(e.Name(), ".") || slices.ContainsFunc(topLevel(), func(pattern string) bool {
			ok, err := path.Match(pattern, e.Name())
			return ok && err == nil
		})
		if !free {
			problems = append(problems, fmt.Sprintf("%s: does not belong at the top of the repository (move it into a room, "+
				".tools or deploy; what may stand here is topLevel in internal/archtest/table.go)", e.Name()))
		}
	}
	return problems, nil
}
