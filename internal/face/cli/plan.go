package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/git/binary"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/git/plan"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func (a *app) plan() *cobra.Command {
	var base string
	c := a.formatted(&cobra.Command{
		Use: "plan", Short: "Say what a merge would change", Args: exactly(0, ""),
		Long: "Say what it would change to merge what is in the working tree: which declarations are new, different or gone, how\n" +
			"much work or consent that takes, and who is affected. It is compared with the commit at which the branch left\n" +
			"another one, or with --server with what is live there. Exit code 1 means that manifests have errors, or that\n" +
			"something would be refused.",
		Example: "  waybill plan\n  waybill plan --base origin/release -o json\n  waybill plan --server",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("server") {
				if base != "" {
					return misuse("--base and --server compare with different things: choose one")
				}
				return a.runPlanLive(cmd.Context())
			}
			return a.runPlan(cmd.Context(), base)
		},
	}, asSARIF, asGitHub)
	c.Flags().StringVar(&base, "base", "", "branch or commit to merge into (default: the default branch of origin, else main)")
	a.askable(c)
	return c
}

// planned is what a plan says, for programs.
type planned struct {
	Base     string         `json:"base"` // commit, or the repository on the server
	Changes  []wire.Change  `json:"changes"`
	Findings []wire.Finding `json:"findings"`
}

func (a *app) runPlan(ctx context.Context, ref string) error {
	root, err := treeRoot()
	if err != nil {
		return err
	}
	p := &comparison{root: root}
	if err := p.against(ctx, ref); err != nil {
		return err
	}
	changes, findings, err := p.compute(ctx)
	if err != nil {
		return err
	}
	said := make([]wire.Change, 0, len(changes))
	for _, c := range changes {
		said = append(said, wire.NewChange(c))
	}
	return a.printPlan(p.base, said, findings)
}

// runPlanLive compares with what is live on a server.
func (a *app) runPlanLive(ctx context.Context) error {
	root, err := treeRoot()
	if err != nil {
		return err
	}
	loader, err := manifest.New()
	if err != nil {
		return err
	}
	tree := &recorder{Tree: folder{os.DirFS(root)}}
	r, err := loader.Load(ctx, tree, manifest.Options{Platform: true})
	if err != nil {
		return err
	}
	v, err := a.askServer(ctx, root, tree, nil, r.Declarations)
	if err != nil {
		return err
	}
	if v.Repository == "" {
		return waybill.Errorf(waybill.NotFound, "the server does not watch this repository, so there is nothing to compare with")
	}
	return a.printPlan(v.Repository, v.Declarations, findingsFrom(v.Findings))
}

// comparison is the working tree beside a commit.
type comparison struct {
	root    string
	base    string   // the commit
	branch  string   // that a merge would go to
	changed []string // files
}

// local stands for the repository, which has no id here.
const local = "local"

// against finds the commit to compare with and what changed since.
func (p *comparison) against(ctx context.Context, ref string) error {
	if _, err := binary.Output(ctx, p.root, nil, "rev-parse", "--git-dir"); err != nil {
		return misuse("there is no Git repository here to compare with")
	}
	if ref == "" {
		ref = defaultBase(ctx, p.root)
	}
	var err error
	if p.base, err = mergeBase(ctx, p.root, ref); err != nil {
		return err
	}
	p.branch = strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "origin/")
	p.changed, err = changedSince(ctx, p.root, p.base)
	return err
}

// defaultBase returns the branch that most merges go to.
func defaultBase(ctx context.Context, root string) string {
	out, err := binary.Output(ctx, root, nil, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
	if err == nil {
		return strings.TrimSpace(string(out))
	}
	for _, name := range []string{"origin/main", "main", "origin/master", "master"} {
		if _, err := resolve(ctx, root, name); err == nil {
			return name
		}
	}
	return "HEAD"
}

// compute loads both sides and asks the plan that the server uses.
func (p *comparison) compute(ctx context.Context) ([]waybill.Change, waybill.Findings, error) {
	loader, err := manifest.New()
	if err != nil {
		return nil, nil, err
	}
	commit, err := openCommit(ctx, p.root, p.base)
	if err != nil {
		return nil, nil, err
	}
	before, err := loader.Load(ctx, commit, manifest.Options{Platform: true})
	if err != nil {
		return nil, nil, err
	}
	now := folder{os.DirFS(p.root)}
	after, err := loader.Load(ctx, now, manifest.Options{Platform: true})
	if err != nil {
		return nil, nil, err
	}
	in := plan.Input{
		Wanted: after.Declarations, Contents: map[string]string{}, Ref: "refs/heads/" + p.branch,
		Repository: waybill.Repository{ID: local, DefaultBranch: p.branch},
	}
	old := map[waybill.Identity]*waybill.Declaration{}
	for i := range before.Declarations {
		old[before.Declarations[i].Identity] = &before.Declarations[i]
	}
	contents := map[waybill.Identity]string{}
	for i := range after.Declarations {
		d := &after.Declarations[i]
		was, is, err := p.contents(ctx, commit, now, old[d.Identity], d)
		if err != nil {
			return nil, nil, err
		}
		contents[d.Identity], in.Contents[d.Identity.String()] = was, is
	}
	for i := range before.Declarations {
		d := &before.Declarations[i]
		in.Observed = append(in.Observed, observed(d, contents[d.Identity]))
	}
	in.Broken = broken(after.Findings, before.Declarations)
	changes, refused := plan.Compute(in)
	findings := append(p.new(before.Findings, after.Findings), refused...)
	findings.Sort()
	return changes, findings, nil
}

// observed presents a declaration of the base as if it were stored and served.
func observed(d *waybill.Declaration, content string) waybill.Observed {
	o := waybill.Observed{Identity: d.Identity, Repository: local, Declared: d}
	if d.Connector != nil {
		r := &waybill.Release{Declaration: *d, Environment: waybill.Dev, Context: content, Outcome: waybill.OK}
		o.Newest, o.Live, o.Declared = r, r, nil
	}
	return o
}

// broken returns the declarations that stay because it is not known whether they are gone: those with errors, and all
// when some document cannot be named.
func broken(findings waybill.Findings, before []waybill.Declaration) []waybill.Identity {
	var ids []waybill.Identity
	for _, f := range findings {
		switch {
		case f.Severity != waybill.SeverityError:
		case f.Declaration != "":
			ids = append(ids, waybill.ParseIdentity(f.Declaration))
		default:
			for _, d := range before {
				if d.File == f.File {
					ids = append(ids, d.Identity)
				}
			}
		}
	}
	return ids
}

// new returns the findings of manifests that changed, and those that were not there before.
func (p *comparison) new(before, after waybill.Findings) waybill.Findings {
	var fresh waybill.Findings
	for _, f := range after {
		known := slices.ContainsFunc(before, func(b waybill.Finding) bool {
			return b.Code == f.Code && b.File == f.File && b.Path == f.Path && b.Message == f.Message
		})
		if slices.Contains(p.changed, f.File) || !known {
			fresh = append(fresh, f)
		}
	}
	return fresh
}

func (a *app) printPlan(base string, changes []wire.Change, findings waybill.Findings) error {
	changes = slices.DeleteFunc(changes, func(c wire.Change) bool { return c.Class == string(waybill.Unchanged) })
	if err := a.writePlan(planned{Base: base, Changes: changes, Findings: wireFindings(findings)}, findings); err != nil {
		return err
	}
	if findings.Errors() > 0 {
		return &failedError{}
	}
	return nil
}

func (a *app) writePlan(p planned, findings waybill.Findings) error {
	switch a.output {
	case asSARIF:
		return writeSARIF(a.Stdout, a.Version, findings)
	case asGitHub:
		return annotate(a.Stdout, findings)
	}
	t := a.table("CHANGE", "DECLARATION", "GOES TO", "WHAT", "AFFECTED")
	for _, c := range p.Changes {
		t.add(c.Class, c.Declaration, or(target(c)), or(strings.Join(c.Parts, ", ")), or(strings.Join(c.Affected, ", ")))
	}
	return a.print(p, func(w io.Writer) error {
		if err := t.write(w, "no declaration changes"); err != nil {
			return err
		}
		if err := explainChanges(w, p.Changes); err != nil || len(findings) == 0 {
			return err
		}
		return writeFindings(a.Stderr, findings)
	})
}

// explainChanges writes the reasons below the table.
func explainChanges(w io.Writer, changes []wire.Change) error {
	for _, c := range changes {
		for _, r := range c.Reasons {
			if _, err := fmt.Fprintf(w, "%s: %s\n", c.Declaration, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// target says where a change goes, as people say it for its kind.
func target(c wire.Change) string {
	dev, prod := string(waybill.Dev), string(waybill.Prod)
	switch {
	case c.Kind == waybill.KindApp && c.Environment == dev:
		return "draft"
	case c.Kind == waybill.KindApp && c.Environment == prod:
		return "published " + c.Semver
	case c.Kind != waybill.KindConnector && c.Environment != "":
		return "platform"
	default:
		return strings.TrimSpace(c.Environment + " " + c.Semver)
	}
}
