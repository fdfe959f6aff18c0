package cli

import (
	"context"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/git/binary"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// usualServer is the value of --server without a URL.
const usualServer = "usual"

// askable lets a command ask a server only when it is told to. In place of the flag that all commands have it gets one
// whose URL may be left out.
func (a *app) askable(c *cobra.Command) {
	c.Flags().StringVar(&a.server, "server", "", "ask a server too: --server=`URL`, or --server for the usual one")
	c.Flags().Lookup("server").NoOptDefVal = usualServer
	run := c.RunE
	c.RunE = func(cmd *cobra.Command, args []string) error {
		for _, arg := range args {
			if strings.Contains(arg, "://") {
				return misuse("%s is no path; a server is written --server=%s", arg, arg)
			}
		}
		if a.server == usualServer {
			a.server = ""
		}
		return run(cmd, args)
	}
}

// recorder is a tree that remembers which files were read: a server needs the same to come to the same findings.
type recorder struct {
	waybill.Tree

	mu   sync.Mutex
	read map[string]bool
}

// Open reads a file.
func (r *recorder) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	r.mu.Lock()
	if r.read == nil {
		r.read = map[string]bool{}
	}
	r.read[name] = true
	r.mu.Unlock()
	return r.Tree.Open(ctx, name)
}

// maxSent is how large a file may be whose content is sent; those that manifests are judged by are smaller.
const maxSent = 256 << 10

// askServer sends the paths of a tree, and the content of what manifests are judged by, to be validated there.
func (a *app) askServer(ctx context.Context, root string, tree *recorder, folders []string, known []waybill.Declaration) (wire.Validation, error) {
	cl, err := a.client()
	if err != nil {
		return wire.Validation{}, err
	}
	in := wire.Validate{Folders: folders, Repository: origin(ctx, root), Files: []wire.TreeFile{}}
	needed := map[string]bool{}
	for _, d := range known {
		if d.Connector != nil {
			needed[path.Join(d.Folder, d.Connector.Build.Dockerfile)] = true
		}
	}
	err = tree.Walk(ctx, func(f waybill.File) error {
		size, err := tree.Size(ctx, f.Path)
		if err != nil {
			return err
		}
		sent := wire.TreeFile{Path: f.Path, Mode: gitMode(f.Mode), Size: size}
		if (tree.read[f.Path] || needed[f.Path] || f.Mode&fs.ModeSymlink != 0) && size <= maxSent {
			text, err := waybill.ReadFile(ctx, tree.Tree, f.Path, maxSent)
			if err != nil {
				return err
			}
			sent.Content = text
		}
		in.Files = append(in.Files, sent)
		return nil
	})
	if err != nil {
		return wire.Validation{}, err
	}
	return cl.Validate(ctx, in)
}

func gitMode(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "120000"
	case mode&0o111 != 0:
		return "100755"
	default:
		return "100644"
	}
}

// origin returns the address that the repository is pushed to, as the server may know it; "" when there is none.
func origin(ctx context.Context, root string) string {
	out, err := binary.Output(ctx, root, nil, "remote", "get-url", "origin")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// reportFrom reads the answer of a server.
func reportFrom(v wire.Validation) report {
	said := report{files: v.Manifests, unchecked: v.Unchecked, asked: true, findings: findingsFrom(v.Findings)}
	for _, c := range v.Declarations {
		if c.Class != string(waybill.Remove) {
			said.declarations = append(said.declarations, declared{c.Declaration, c.File, c.Line})
		}
	}
	return said
}

func findingsFrom(found []wire.Finding) waybill.Findings {
	all := make(waybill.Findings, 0, len(found))
	for _, f := range found {
		all = append(all, waybill.Finding{
			Code: waybill.FindingCode(f.Code), Severity: waybill.Severity(f.Severity), File: f.File, Line: f.Line, Column: f.Column,
			Path: f.Path, Message: f.Message, Hint: f.Hint, Fix: f.Fix, Width: f.Width,
		})
	}
	return all
}
