package cli

import (
	"context"
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
			"Nothing is sent anywhere. Exit code 1 means that there are errors.",
		Example: "  waybill validate\n  waybill validate connectors/shop-feed\n  waybill validate --changed origin/main\n" +
			"  waybill validate -o github   # annotations in a workflow",
		RunE: func(cmd *cobra.Command, args []string) error {
			s.paths = args
			return a.runValidate(cmd.Context(), s)
		},
	}, asSARIF, asGitHub)
	c.Flags().StringVar(&s.changed, "changed", "", "only folders with files that changed since the branch left `ref`")
	return c
}

// validation is what a validation says, for programs.
type validation struct {
	Files        int            `json:"files"` // manifests that were looked at
	Declarations []string       `json:"declarations"`
	Findings     []wire.Finding `json:"findings"`
	Unchecked    int            `json:"unchecked_references"`
}

func (a *app) runValidate(ctx context.Context, s selection) error {
	root, err := treeRoot()
	if err != nil {
		return err
	}
	tree := folder{os.DirFS(root)}
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
	if err := a.printValidation(r); err != nil {
		return err
	}
	if r.Findings.Errors() > 0 {
		return &failedError{}
	}
	return nil
}

func (a *app) printValidation(r manifest.Result) error {
	switch {
	case a.output == asSARIF:
		return writeSARIF(a.Stdout, a.Version, r.Findings)
	case a.output == asGitHub:
		return annotate(a.Stdout, r.Findings)
	case a.output == asTable && len(r.Findings) > 0:
		if err := writeFindings(a.Stderr, r.Findings); err != nil {
			return err
		}
		return unchecked(a.Stderr, r.Unchecked)
	}
	v := validation{Files: r.Files, Declarations: []string{}, Findings: wireFindings(r.Findings), Unchecked: r.Unchecked}
	for _, d := range r.Declarations {
		v.Declarations = append(v.Declarations, d.Identity.String())
	}
	return a.print(v, func(w io.Writer) error {
		if r.Files == 0 {
			_, err := fmt.Fprintln(w, "no manifest to check: nothing below one changed")
			return err
		}
		for _, d := range r.Declarations {
			if _, err := fmt.Fprintf(w, "%s:%d: %s is valid\n", d.File, d.Line, d.Identity); err != nil {
				return err
			}
		}
		return unchecked(w, r.Unchecked)
	})
}
