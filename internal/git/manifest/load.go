// Package manifest turns the files of a commit into declarations, or says everything that is wrong with them.
//
// A manifest is a regular file named waybill.yaml; it holds one or more documents. Each is read as YAML, judged by the
// definition of its kind and type, and checked by the rules that need the tree or other documents. All mistakes of all
// documents are reported at once, in our own words, with places, stable codes and what to do. The package reads
// nothing but the tree it is given.
package manifest

import (
	"context"
	"path"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/schemas"
)

// Options narrow what Load looks at and say what it knows of the world.
type Options struct {
	// Owner is the team that the repository was added with. Empty: owners are not checked.
	Owner string
	// Folders holds the folders whose manifests are read, "." for the root; nil reads all.
	Folders []string
}

// Result is what the manifests of a tree say.
type Result struct {
	// Declarations holds the documents without errors, in order of file and line.
	Declarations []waybill.Declaration
	Findings     waybill.Findings // sorted
	Files        int              // manifests that were looked at
	Unchecked    int              // references that could not be checked here, such as owners
}

// Loader loads manifests. It is safe for concurrent use.
type Loader struct {
	set *schema.Set
}

// New compiles the schemas. An error is a mistake of ours in them.
func New() (*Loader, error) {
	set, err := schema.New(schemas.Manifest()...)
	if err != nil {
		return nil, err
	}
	return &Loader{set: set}, nil
}

// Load reads every manifest of tree. Mistakes of the author are findings; an error means that the tree could not be
// read or that ctx ended.
func (l *Loader) Load(ctx context.Context, tree waybill.Tree, o Options) (Result, error) {
	x, err := newIndex(ctx, tree, o.Folders)
	if err != nil {
		return Result{}, err
	}
	files := make([]file, len(x.manifests))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range x.manifests {
		g.Go(func() error {
			files[i] = file{name: name, index: x, owner: o.Owner}
			return l.load(ctx, &files[i])
		})
	}
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	return collect(x, files), nil
}

// file is one manifest on its way.
type file struct {
	name      string
	index     *index
	owner     string
	documents []*document
	findings  waybill.Findings
}

// load reads one manifest.
func (l *Loader) load(ctx context.Context, f *file) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.index.isLink(f.name) {
		f.findings = append(f.findings, waybill.Finding{
			Code: LinkedManifest, Severity: waybill.SeverityError, File: f.name, Line: 1, Column: 1,
			Message: "the manifest is a symbolic link", Hint: "put the file itself here",
		})
		return nil
	}
	src, err := waybill.ReadFile(ctx, f.index.tree, f.name, schema.MaxBytes)
	if waybill.IsCode(err, waybill.Invalid) {
		src, err = make([]byte, schema.MaxBytes+1), nil // schema.Parse says that it is too large
	}
	if err != nil {
		return err
	}
	documents, problems := schema.Parse(src)
	for _, p := range problems {
		f.findings = append(f.findings, f.finding(p))
	}
	if len(documents) == 0 && f.findings.Errors() == 0 {
		f.findings = append(f.findings, waybill.Finding{
			Code: EmptyManifest, Severity: waybill.SeverityWarning, File: f.name, Line: 1, Column: 1,
			Message: "the manifest declares nothing", Hint: "delete it, or start with \"apiVersion: waybill.dev/v1\"",
		})
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, parsed := range documents {
		d := &document{Document: parsed, file: f, folder: path.Dir(f.name)}
		f.documents = append(f.documents, d)
		g.Go(func() error { return l.examine(ctx, d) })
	}
	return g.Wait()
}

// finding turns a problem of the schema into a finding.
func (f *file) finding(p schema.Problem) waybill.Finding {
	found := waybill.Finding{
		Code: codeOf(p.Mistake), Severity: waybill.SeverityError, File: f.name, Line: p.Line, Column: p.Column,
		Path: p.Path.String(), Message: p.Message, Hint: p.Hint, Fix: p.Fix,
	}
	if p.Code != "" {
		found.Code = waybill.FindingCode(p.Code)
	}
	if p.Mistake == schema.Mark || p.Mistake == schema.LineEnd {
		found.Severity = waybill.SeverityWarning
	}
	return found
}

// maxFindings is how many findings of one file are told.
const maxFindings = 100

// collect puts the files together and checks what needs more than one document.
func collect(x *index, files []file) Result {
	r := Result{Files: len(files)}
	for _, name := range x.misnamed {
		r.Findings = append(r.Findings, waybill.Finding{
			Code: MisnamedManifest, Severity: waybill.SeverityWarning, File: name, Line: 1, Column: 1,
			Message: "the file is not read as a manifest", Hint: "name it " + Name,
		})
	}
	duplicates(files)
	for i := range files {
		f := &files[i]
		own := f.findings
		for _, d := range f.documents {
			d.findings.Sort()
			own = append(own, d.findings...)
			if d.findings.Errors() == 0 {
				r.Declarations = append(r.Declarations, d.declaration)
			}
			r.Unchecked += d.unchecked
		}
		r.Findings = append(r.Findings, capped(f.name, own)...)
	}
	r.Findings.Sort()
	return r
}

// capped cuts the findings of one file off where nobody reads on.
func capped(name string, findings waybill.Findings) waybill.Findings {
	if len(findings) <= maxFindings {
		return findings
	}
	findings.Sort()
	return append(findings[:maxFindings:maxFindings], waybill.Finding{
		Code: TooLarge, Severity: waybill.SeverityError, File: name, Line: findings[maxFindings].Line, Column: 1,
		Message: "the file has more than 100 findings; the rest is not shown", Hint: "correct the ones above first",
	})
}

// duplicates reports every declaration whose name and major another one has before it.
func duplicates(files []file) {
	first := map[waybill.Identity]*document{}
	for i := range files {
		for _, d := range files[i].documents {
			id := d.declaration.Identity
			if id.Name == "" {
				continue
			}
			before, taken := first[id]
			if !taken {
				first[id] = d
				continue
			}
			line, column := before.Place(schema.Path{"metadata", "name"})
			at := waybill.Finding{File: before.file.name, Line: line, Column: column}.Place()
			d.report(Duplicate, schema.Path{"metadata", "name"},
				"connector "+id.String()+" is declared twice", "it is in "+at+" already; give one another name or another spec.version")
		}
	}
}
