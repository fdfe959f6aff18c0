package archtest

import (
	"fmt"
	"go/doc"
	"io/fs"
	"strings"
)

// Map returns the packages under root as a Markdown table: a row each, with the first sentence of its comment.
func Map(root fs.FS) (string, error) {
	packages, err := load(root)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprint(&b, "| package | what it is |\n| --- | --- |\n")
	for _, p := range packages {
		text := p.doc()
		if text == "" {
			continue // tests only
		}
		sentence := new(doc.Package).Synopsis(text)
		what := strings.TrimPrefix(sentence, "Package "+p.dir[strings.LastIndex(p.dir, "/")+1:]+" ")
		fmt.Fprintf(&b, "| [%s](../%s) | %s |\n", strings.TrimPrefix(p.dir, "internal/"), p.dir, strings.ReplaceAll(what, "|", "\\|"))
	}
	return b.String(), nil
}

// doc returns the package comment.
func (p *pkg) doc() string {
	for _, f := range p.files {
		if text := f.syntax.Doc.Text(); !f.test && text != "" {
			return text
		}
	}
	return ""
}
