// Package starter writes the first files of a connector or an app from the answers to a few questions.
//
// What is asked stands here; what is legal, what is the default and what the choices are comes from the definitions of
// manifests. The same questions are flags of the command and lines in a terminal.
package starter

import (
	"bytes"
	"embed"
	"encoding/json"
	"io/fs"
	"path"
	"strings"
	"text/template"

	"gopkg.in/yaml.v3"

	"github.com/waybill-dev/waybill/internal/waybill"
)

//go:embed template
var templates embed.FS

// File is one file of the result.
type File struct {
	Name string
	Mode fs.FileMode
	Text []byte
}

// Files returns the files that answers lead to. The answers have been checked.
func (s Set) Files(a Answers) ([]File, error) {
	values, err := s.values(a)
	if err != nil {
		return nil, err
	}
	dir := path.Join("template", s.Kind)
	names, err := fs.ReadDir(templates, dir)
	if err != nil {
		return nil, waybill.Wrap(waybill.Internal, err, "a template is missing")
	}
	var files []File
	for _, n := range names {
		t, err := template.New(n.Name()).Funcs(functions()).ParseFS(templates, path.Join(dir, n.Name()))
		if err != nil {
			return nil, waybill.Wrap(waybill.Internal, err, "a template cannot be read")
		}
		var b bytes.Buffer
		if err := t.Execute(&b, values); err != nil {
			return nil, waybill.Wrap(waybill.Internal, err, "a template cannot be filled in")
		}
		f := File{Name: n.Name(), Mode: 0o644, Text: b.Bytes()}
		if bytes.HasPrefix(f.Text, []byte("#!")) {
			f.Mode = 0o755
		}
		files = append(files, f)
	}
	return files, nil
}

// functions write values so that what a person typed stays a value.
func functions() template.FuncMap {
	return template.FuncMap{
		"yaml": scalar,
		"list": func(values []string) string {
			quoted := make([]string, 0, len(values))
			for _, v := range values {
				quoted = append(quoted, flow(v))
			}
			return "[" + strings.Join(quoted, ", ") + "]"
		},
		"json": func(v string) (string, error) {
			text, err := json.Marshal(v)
			return string(text), err
		},
		"shell": quote,
		"words": func(values []string) string {
			quoted := make([]string, 0, len(values))
			for _, v := range values {
				quoted = append(quoted, quote(v))
			}
			return strings.Join(quoted, " ")
		},
	}
}

// scalar writes a value in YAML, quoted where it has to be, also between braces.
func scalar(v string) string { return flow(v) }

// flow writes a value for a flow mapping or list, in which more characters have a meaning.
func flow(v string) string {
	text, err := yaml.Marshal(v)
	plain := strings.TrimRight(string(text), "\n")
	if err != nil || strings.ContainsAny(plain, "\n,[]{}") && plain == v {
		quoted, _ := json.Marshal(v) // a string always has a form in JSON, which is YAML
		return string(quoted)
	}
	return plain
}

// quote writes a word for a shell.
func quote(v string) string {
	safe := func(r rune) bool {
		return strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./=", r)
	}
	if v != "" && !strings.ContainsFunc(v, func(r rune) bool { return !safe(r) }) {
		return v
	}
	return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'"
}
