package manifest

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// fileRules checks every path of the document against the tree.
func (d *document) fileRules() {
	paths := []schema.Path{{"metadata", "readme"}, {"metadata", "logo"}}
	switch d.kind() {
	case waybill.KindConnector:
		build := d.wire.Spec.Build
		folder := schema.Path{"spec", "build", "context"}
		if name, ok := d.pathRule(folder, build.Context); ok && !d.file.index.folders[name] {
			d.missingFile(folder, "folder", name, build.Context)
		}
		d.fileRule(schema.Path{"spec", "build", "dockerfile"}, build.Dockerfile)
	case waybill.KindApp:
		paths = append(paths, schema.Path{"spec", "release", "notes"})
	case waybill.KindTerms:
		paths = append(paths, schema.Path{"spec", "text"})
	case waybill.KindPolicy:
		paths = append(paths, schema.Path{"spec", "constraints"})
	}
	for _, p := range paths {
		if text, _ := d.text(p...); d.Usable(p) {
			d.fileRule(p, text)
		}
	}
}

// logoRule looks into the logo.
func (d *document) logoRule(ctx context.Context) error {
	logo := schema.Path{"metadata", "logo"}
	text, _ := d.text(logo...)
	name, ok := inside(d.folder, text)
	_, exists := d.file.index.files[name]
	if !d.Usable(logo) || !ok || !exists || d.file.index.linkOn(name) != "" {
		return nil // told by fileRules
	}
	if small, err := d.file.index.within(ctx, name, maxLogo); err != nil || !small {
		d.report(IllegalLogo, logo, "the logo is larger than 256 KiB", "make it smaller")
		return err
	}
	content, err := waybill.ReadFile(ctx, d.file.index.tree, name, maxLogo)
	if err != nil {
		return err
	}
	if message, hint := badLogo(name, content); message != "" {
		d.report(IllegalLogo, logo, message, hint)
	}
	return nil
}

// pathRule joins a path of the document with its folder. It reports false, and a finding, when the path leaves the
// repository or leads through a symbolic link; an empty text is no path.
func (d *document) pathRule(at schema.Path, text string) (name string, ok bool) {
	if text == "" {
		return "", false
	}
	name, ok = inside(d.folder, text)
	if !ok {
		d.report(OutsideRepository, at, at.String()+" "+quote(text)+" lies outside the repository", "write a path relative to the manifest")
		return "", false
	}
	if link := d.file.index.linkOn(name); link != "" {
		d.report(LinkedPath, at, at.String()+" leads through the symbolic link "+link, "name the real path")
		return "", false
	}
	return name, true
}

// fileRule is pathRule for a path that must be a file.
func (d *document) fileRule(at schema.Path, text string) {
	name, ok := d.pathRule(at, text)
	if !ok {
		return
	}
	if _, exists := d.file.index.files[name]; !exists {
		d.missingFile(at, "file", name, text)
	}
}

func (d *document) missingFile(at schema.Path, kind, name, text string) {
	hint := "add the " + kind + " to the commit"
	if !d.written(at...) {
		hint += ", or set " + at.String()
	}
	if near, ok := d.file.index.near(name); ok {
		hint = "there is " + near + "; upper and lower case differ"
	}
	d.report(MissingFile, at, kind+" "+quote(text)+" does not exist", hint)
}

// near finds a file or folder beside name that differs in case only.
func (x *index) near(name string) (string, bool) {
	var found []string
	for other := range x.files {
		if path.Dir(other) == path.Dir(name) && strings.EqualFold(other, name) {
			found = append(found, other)
		}
	}
	for other := range x.folders {
		if strings.EqualFold(other, name) && other != name {
			found = append(found, other)
		}
	}
	if len(found) == 0 {
		return "", false
	}
	return slices.Min(found), true
}

const maxLogo = 256 << 10

// badLogo says why a logo cannot be shown; the message is empty when it can.
func badLogo(name string, content []byte) (message, hint string) {
	switch strings.ToLower(path.Ext(name)) {
	case ".png":
		c, err := png.DecodeConfig(bytes.NewReader(content))
		switch {
		case err != nil:
			return "the logo is no PNG image", "save it as PNG or SVG"
		case c.Width != c.Height:
			return "the logo is " + strconv.Itoa(c.Width) + " by " + strconv.Itoa(c.Height) + " pixels, not square", "crop it"
		}
		return "", ""
	case ".svg":
		return badSVG(content)
	default:
		return "the logo is neither SVG nor PNG", "save it as .svg or .png"
	}
}

// badSVG refuses scripts and references to other places.
func badSVG(content []byte) (message, hint string) {
	const clean = "export it as plain SVG"
	r := xml.NewDecoder(bytes.NewReader(content))
	root := false
	for {
		token, err := r.Token()
		if errors.Is(err, io.EOF) && root {
			return "", ""
		}
		if err != nil {
			return "the logo is no SVG image", "save it as SVG or PNG"
		}
		switch t := token.(type) {
		case xml.CharData:
			if text := strings.ToLower(string(t)); strings.Contains(text, "@import") || refers(text) {
				return "the logo refers to another place in its style", clean
			}
		case xml.Directive:
			return "the logo declares a document type or entities", clean
		case xml.StartElement:
			if !root && t.Name.Local != "svg" {
				return "the logo is no SVG image", "save it as SVG or PNG"
			}
			root = true
			if message := badElement(t); message != "" {
				return message, clean
			}
		}
	}
}

func badElement(t xml.StartElement) string {
	switch strings.ToLower(t.Name.Local) {
	case "script", "foreignobject", "iframe", "handler":
		return "the logo contains <" + t.Name.Local + ">"
	}
	for _, a := range t.Attr {
		name, value := strings.ToLower(a.Name.Local), strings.ToLower(a.Value)
		switch {
		case strings.HasPrefix(name, "on"):
			return "the logo contains a script in " + a.Name.Local
		case name == "href" && !strings.HasPrefix(value, "#"), refers(value):
			return "the logo refers to another place in " + a.Name.Local
		}
	}
	return ""
}

// refers reports whether CSS in lower case names anything but a part of its own document.
func refers(css string) bool {
	return strings.Count(css, "url(") > strings.Count(css, "url(#")+strings.Count(css, "url('#")+strings.Count(css, `url("#`)
}
