package portal

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

//go:embed templates/*.html templates/partials/*.html
var templateFiles embed.FS

// pages holds one template set per page: layout, partials and the page itself.
type pages map[string]*template.Template

// parsePages parses every page.
func parsePages(a assets, now func() time.Time) (pages, error) {
	base, err := template.New("layout.html").Funcs(functions(a, now)).
		ParseFS(templateFiles, "templates/layout.html", "templates/partials/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the layout of the pages: %w", err)
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	sets := pages{}
	for _, file := range files {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "layout" {
			continue
		}
		set, err := base.Clone()
		if err != nil {
			return nil, fmt.Errorf("copy the layout for page %s: %w", name, err)
		}
		if sets[name], err = set.ParseFS(templateFiles, file); err != nil {
			return nil, fmt.Errorf("parse page %s: %w", name, err)
		}
	}
	return sets, nil
}

// functions are what templates may call.
func functions(a assets, now func() time.Time) template.FuncMap {
	return template.FuncMap{
		"asset":    a.url,
		"ago":      func(t time.Time) string { return ago(t, now()) },
		"exact":    exact,
		"iso":      iso,
		"took":     took,
		"duration": duration,
		"size":     waybill.FormatBytes,
		"short":    shortDigest,
		"clip":     clip,
		"plural":   plural,
		"outcome":  markOutcome,
		"run":      markRun,
		"status":   markStatus,
		"state":    markState,
		"severity": markSeverity,
		"fault":    faultOf,
		"args":     args,
		"idStart":  func(id string) int { return max(0, len(id)-8) },
	}
}

// render answers with a page. Nothing is sent when it cannot be rendered.
func (p *Portal) render(w http.ResponseWriter, status int, page string, data any) error {
	var b bytes.Buffer
	if err := p.pages[page].ExecuteTemplate(&b, "layout.html", data); err != nil {
		return fmt.Errorf("render page %s: %w", page, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(tame(b.Bytes())) // the client is gone: nobody is left to tell
	return nil
}

// fragment renders one part of a page, for its live updates.
func (p *Portal) fragment(page, name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := p.pages[page].ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("render part %s of page %s: %w", name, page, err)
	}
	return bytes.TrimSpace(tame(b.Bytes())), nil
}

// tame removes what changes how text is read without being seen, wherever it came from: control characters, which act
// on the terminal somebody pastes into, and marks that turn the direction of text (Unicode TR 36, section 2.10).
func tame(page []byte) []byte {
	wild := func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	}
	if bytes.IndexFunc(page, wild) < 0 {
		return page
	}
	return bytes.Map(func(r rune) rune {
		if wild(r) {
			return -1
		}
		return r
	}, page)
}

// args passes several values to a part of a page: a name and a value in turn.
func args(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("a name without a value")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("%v is no name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}
