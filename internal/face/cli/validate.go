package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func (a *app) validate() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use:   "validate [path…]",
		Short: "Check manifests, offline",
		Long: "Check every waybill.yaml of the repository, or those below the given paths, and report all mistakes at once.\n" +
			"Nothing is sent anywhere. Exit code 1 means that there are errors.",
		Example: "  waybill validate\n  waybill validate connectors/shop-feed\n  waybill validate -o github   # annotations in a workflow",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.runValidate(cmd.Context(), args) },
	}, asGitHub)
}

// validation is what a validation says, for programs.
type validation struct {
	Files        int            `json:"files"` // manifests that were looked at
	Declarations []string       `json:"declarations"`
	Findings     []wire.Finding `json:"findings"`
	Unchecked    int            `json:"unchecked_references"`
}

func (a *app) runValidate(ctx context.Context, args []string) error {
	root, err := treeRoot()
	if err != nil {
		return err
	}
	tree := folder{os.DirFS(root)}
	folders, err := manifestFolders(ctx, tree, root, args)
	if err != nil {
		return err
	}
	loader, err := manifest.New()
	if err != nil {
		return err
	}
	r, err := loader.Load(ctx, tree, manifest.Options{Folders: folders})
	if err != nil {
		return err
	}
	if r.Files == 0 && len(r.Findings) == 0 {
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

// treeRoot returns the root of the repository around the working folder, or that folder when there is none.
func treeRoot() (string, error) {
	wd, err := os.Getwd()
	if err != nil {
		return "", waybill.Wrap(waybill.Unavailable, err, "cannot tell the working folder")
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return wd, nil
		}
	}
}

// manifestFolders returns the folders of the manifests at or below paths; nil, which is all, without paths.
func manifestFolders(ctx context.Context, tree waybill.Tree, root string, paths []string) ([]string, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	wanted := make([]string, 0, len(paths))
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			return nil, waybill.Errorf(waybill.Invalid, "cannot resolve %s: %w", p, err)
		}
		rel, err := filepath.Rel(root, abs)
		if err != nil || !filepath.IsLocal(rel) {
			return nil, misuse("%s is outside the repository %s", p, root)
		}
		if _, err := os.Lstat(abs); err != nil {
			return nil, misuse("there is no %s", p)
		}
		wanted = append(wanted, filepath.ToSlash(rel))
	}
	folders := []string{}
	err := tree.Walk(ctx, func(f waybill.File) error {
		if slices.ContainsFunc(wanted, func(w string) bool { return below(f.Path, w) }) {
			folders = append(folders, path.Dir(f.Path))
		}
		return nil
	})
	slices.Sort(folders)
	return slices.Compact(folders), err
}

func below(name, folder string) bool {
	return folder == "." || name == folder || strings.HasPrefix(name, folder+"/")
}

func (a *app) printValidation(r manifest.Result) error {
	switch {
	case a.output == asGitHub:
		return annotate(a.Stdout, r.Findings)
	case a.output == asTable && len(r.Findings) > 0:
		return writeFindings(a.Stderr, r)
	}
	v := validation{Files: r.Files, Declarations: []string{}, Findings: []wire.Finding{}, Unchecked: r.Unchecked}
	for _, d := range r.Declarations {
		v.Declarations = append(v.Declarations, d.Identity.String())
	}
	for _, f := range r.Findings {
		v.Findings = append(v.Findings, wire.Finding{
			Code: string(f.Code), Severity: string(f.Severity), File: f.File, Line: f.Line, Column: f.Column,
			Path: f.Path, Message: f.Message, Hint: f.Hint, Fix: f.Fix,
		})
	}
	return a.print(v, func(w io.Writer) error {
		for _, d := range r.Declarations {
			if _, err := fmt.Fprintf(w, "%s:%d: %s is valid\n", d.File, d.Line, d.Identity); err != nil {
				return err
			}
		}
		return unchecked(w, r.Unchecked)
	})
}

// writeFindings writes a line for each finding and one that counts them.
func writeFindings(w io.Writer, r manifest.Result) error {
	files := map[string]bool{}
	for _, f := range r.Findings {
		files[f.File] = true
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	errs := r.Findings.Errors()
	counts := []string{}
	if errs > 0 {
		counts = append(counts, waybill.Count(errs, "error"))
	}
	if warnings := len(r.Findings) - errs; warnings > 0 {
		counts = append(counts, waybill.Count(warnings, "warning"))
	}
	if _, err := fmt.Fprintf(w, "%s in %s\n", strings.Join(counts, ", "), waybill.Count(len(files), "file")); err != nil {
		return err
	}
	return unchecked(w, r.Unchecked)
}

func unchecked(w io.Writer, n int) error {
	if n == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "%s not checked: no server\n", waybill.Count(n, "reference"))
	return err
}

// annotate writes findings as workflow commands of GitHub Actions.
func annotate(w io.Writer, findings waybill.Findings) error {
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	for _, f := range findings {
		text := f.Message
		if f.Hint != "" {
			text += " (" + f.Hint + ")"
		}
		_, err := fmt.Fprintf(w, "::%s file=%s,line=%s,col=%s,title=%s::%s\n", f.Severity, property.Replace(f.File),
			strconv.Itoa(f.Line), strconv.Itoa(f.Column), f.Code, data.Replace(text))
		if err != nil {
			return err
		}
	}
	return nil
}
