package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func (a *app) validate() *cobra.Command {
	var s selection
	c := a.formatted(&cobra.Command{
		Use:   "validate [path…]",
		Short: "Check manifests, offline",
		Long: "Check every waybill.yaml of the repository, or those below the given paths, and report all mistakes at once.\n" +
			"Nothing is sent anywhere, unless --server asks a server to check what only it knows: teams, providers, policies.\n" +
			"Exit code 1 means that there are errors.",
		Example: "  waybill validate\n  waybill validate connectors/shop-feed\n  waybill validate --changed origin/main\n" +
			"  waybill validate -o github   # annotations in a workflow",
		RunE: func(cmd *cobra.Command, args []string) error {
			s.paths = args
			return a.runValidate(cmd, s)
		},
	}, asSARIF, asGitHub)
	c.Flags().StringVar(&s.changed, "changed", "", "only folders with files that changed since the branch left `ref`")
	a.askable(c)
	return c
}

// validation is what a validation says, for programs.
type validation struct {
	Files        int            `json:"files"` // manifests that were looked at
	Declarations []string       `json:"declarations"`
	Findings     []wire.Finding `json:"findings"`
	Unchecked    int            `json:"unchecked_references"`
}

func (a *app) runValidate(cmd *cobra.Command, s selection) error {
	ctx := cmd.Context()
	root, err := treeRoot()
	if err != nil {
		return err
	}
	tree := &recorder{Tree: folder{os.DirFS(root)}}
	folders, err := s.folders(ctx, tree, root)
	if err != nil {
		return err
	}
	loader, err := manifest.New()
	if err != nil {
		return err
	}
	r, err := loader.Load(ctx, tree, manifest.Options{Folders: folders, Platform: true})
	if err != nil {
		return err
	}
	if r.Files == 0 && len(r.Findings) == 0 && s.changed == "" {
		return waybill.Errorf(waybill.NotFound, "no %s found in %s", manifest.Name, root)
	}
	said := reportOf(r)
	if cmd.Flags().Changed("server") && r.Files > 0 {
		answer, err := a.askServer(ctx, root, tree, folders, r.Declarations)
		if err != nil {
			return err
		}
		said = reportFrom(answer)
	}
	if err := a.printValidation(said); err != nil {
		return err
	}
	if said.findings.Errors() > 0 {
		return &failedError{}
	}
	return nil
}

// report is what was found out about manifests, here or by a server.
type report struct {
	files        int
	declarations []declared
	findings     waybill.Findings
	unchecked    int
	asked        bool // a server was
}

// declared is a valid declaration.
type declared struct {
	identity, file string
	line           int
}

func reportOf(r manifest.Result) report {
	said := report{files: r.Files, findings: r.Findings, unchecked: r.Unchecked}
	for _, d := range r.Declarations {
		said.declarations = append(said.declarations, declared{d.Identity.String(), d.File, d.Line})
	}
	return said
}

func (a *app) printValidation(r report) error {
	switch {
	case a.output == asSARIF:
		return writeSARIF(a.Stdout, a.Version, r.findings)
	case a.output == asGitHub:
		return annotate(a.Stdout, r.findings)
	case a.output == asTable && len(r.findings) > 0:
		if err := writeFindings(a.Stderr, r.findings); err != nil {
			return err
		}
		return r.writeUnchecked(a.Stderr)
	}
	v := validation{Files: r.files, Declarations: []string{}, Findings: wireFindings(r.findings), Unchecked: r.unchecked}
	for _, d := range r.declarations {
		v.Declarations = append(v.Declarations, d.identity)
	}
	return a.print(v, func(w io.Writer) error {
		if r.files == 0 {
			_, err := fmt.Fprintln(w, "no manifest to check: nothing below one changed")
			return err
		}
		for _, d := range r.declarations {
			if _, err := fmt.Fprintf(w, "%s:%d: %s is valid\n", d.file, d.line, d.identity); err != nil {
				return err
			}
		}
		return r.writeUnchecked(w)
	})
}

// writeUnchecked says in one line what nobody could look up.
func (r report) writeUnchecked(w io.Writer) error {
	if r.unchecked == 0 {
		return nil
	}
	why := "no server"
	if r.asked {
		why = "the server does not watch this repository"
	}
	_, err := fmt.Fprintf(w, "%s not checked: %s\n", waybill.Count(r.unchecked, "reference"), why)
	return err
}
