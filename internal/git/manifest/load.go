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
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-dev/waybill/internal/foundation/filter"
	"github.com/waybill-dev/waybill/internal/foundation/memo"
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
	// Platform says that the tree may declare platform kinds: it is the platform repository, or that is not known.
	// A kind of which the tree declares at least one is then complete: a reference to another one is an error.
	Platform bool
	// Publishing says that the declarations go to everybody, as for a release tag: what is legal in drafts only is an
	// error, not a warning.
	Publishing bool
	// References is what exists beyond the tree. nil: not known; what the tree does not resolve is counted as unchecked.
	References *References
	// Policies hold for every declaration, by name. Those that the tree declares take the place of their namesakes.
	Policies map[string]waybill.PolicySpec
}

// References is what exists beyond a tree, as a server knows it.
type References struct {
	Declarations []waybill.Declaration // of all kinds; those of the tree take the place of their namesakes
	Names        map[string][]string   // by kind: what exists although nothing declares it, such as teams of repositories
	Forges       []string              // names of configured forges
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
	set     *schema.Set
	filters *filter.Environment
	rules   []rule
	codes   map[schema.Mistake]waybill.FindingCode
	known   *memo.Memo[manifestKey, *file]
	mute    string // the check that is left out, to see whether anybody misses it; empty outside tests
}

// New reads the schemas. An error is a mistake of ours in them.
func New() (*Loader, error) { return newLoader(schemas.Manifest(), "") }

func newLoader(files [][]byte, mute string) (*Loader, error) {
	set, err := schema.New(files...)
	if err != nil {
		return nil, err
	}
	filters, err := filter.New()
	if err != nil {
		return nil, err
	}
	l := &Loader{set: set, filters: filters, codes: mistakes(), mute: mute, known: memo.New[manifestKey, *file](maxKnown)}
	l.rules = slices.DeleteFunc(l.table(), func(r rule) bool { return r.name == mute })
	delete(l.codes, schema.Mistake(strings.TrimPrefix(mute, "mistake ")))
	return l, nil
}

// muted reports whether a check is left out.
func (l *Loader) muted(check string) bool { return l.mute == check }

// Load reads every manifest of tree. Mistakes of the author are findings; an error means that the tree could not be
// read or that ctx ended.
func (l *Loader) Load(ctx context.Context, tree waybill.Tree, o Options) (Result, error) {
	x, err := newIndex(ctx, tree, o.Folders)
	if err != nil {
		return Result{}, err
	}
	files := make([]file, len(x.manifests))
	g, loading := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range x.manifests {
		g.Go(func() error {
			files[i] = file{name: name, platform: o.Platform, index: x, options: &o}
			return l.load(loading, &files[i])
		})
	}
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	return l.collect(ctx, x, files, o)
}

// file is one manifest on its way.
type file struct {
	name      string
	platform  bool // it may declare platform kinds
	index     *index
	options   *Options
	documents []*document
	findings  waybill.Findings
}

// load reads one manifest.
func (l *Loader) load(ctx context.Context, f *file) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.index.isLink(f.name) {
		f.add(l, "link", waybill.Finding{Code: LinkedManifest, Message: "the manifest is a symbolic link", Hint: "put the file itself here"})
		return nil
	}
	if err := l.recall(ctx, f); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, d := range f.documents {
		if d.values != nil {
			g.Go(func() error { return l.apply(ctx, d, beside) })
		}
	}
	return g.Wait()
}

// judge reads the documents of a manifest and judges each by itself. What it comes to depends on nothing but what recall
// knows it by.
func (l *Loader) judge(ctx context.Context, f *file, src []byte) error {
	documents, problems := schema.Parse(src)
	for _, p := range problems {
		if found, ok := l.finding(f.name, p); ok {
			f.findings = append(f.findings, found)
		}
	}
	if len(documents) == 0 && f.findings.Errors() == 0 {
		f.add(l, "empty", waybill.Finding{
			Code: EmptyManifest, Severity: waybill.SeverityWarning,
			Message: "the manifest declares nothing", Hint: "delete it, or start with \"apiVersion: waybill.dev/v1\"",
		})
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	length := 0
	for _, parsed := range documents {
		d := &document{Document: parsed, file: f, folder: path.Dir(f.name), filtersBefore: length}
		if d.Root != nil {
			length += d.filters()
		}
		f.documents = append(f.documents, d)
		g.Go(func() error { return l.examine(ctx, d) })
	}
	return g.Wait()
}

// add adds a finding of a check at the start of the file, an error unless it says otherwise.
func (f *file) add(l *Loader, check string, found waybill.Finding) {
	if l.muted(check) {
		return
	}
	if found.Severity == "" {
		found.Severity = waybill.SeverityError
	}
	found.File, found.Line, found.Column = f.name, 1, 1
	f.findings = append(f.findings, found)
}

// finding turns a problem of the schema into a finding.
func (l *Loader) finding(file string, p schema.Problem) (f waybill.Finding, ok bool) {
	code, ok := l.codes[p.Mistake]
	f = waybill.Finding{
		Code: code, Severity: waybill.SeverityError, File: file, Line: p.Line, Column: p.Column,
		Path: p.Path.String(), Message: p.Message, Hint: p.Hint, Fix: p.Fix, Width: p.Width,
	}
	if p.Code != "" {
		f.Code = waybill.FindingCode(p.Code)
	}
	if p.Mistake == schema.Mark || p.Mistake == schema.LineEnd {
		f.Severity = waybill.SeverityWarning
	}
	return f, ok
}
