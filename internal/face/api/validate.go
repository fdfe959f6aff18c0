package api

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net/http"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/git/reconcile"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// maxTree is how large a tree may be that is sent to be validated: paths, and the content of manifests and their like.
const maxTree = 5 << 20

// previews says what a tree would mean.
type previews interface {
	Preview(ctx context.Context, q reconcile.Question) (reconcile.Preview, error)
}

func (a *API) addValidate() {
	add(a, operation{
		method: http.MethodPost, path: "/validate", id: "validate-tree", tag: "commits", limit: maxTree,
		summary: "Say what a tree that was not pushed would mean: its mistakes, and what it would change. Nothing is stored.",
		action:  auth.Read, status: http.StatusOK,
	}, func(ctx context.Context, in *struct{ Body wire.Validate }) (*body[wire.Validation], error) {
		p, err := a.Previews.Preview(ctx, reconcile.Question{
			Tree: sent(in.Body.Files), Folders: in.Body.Folders, Repository: in.Body.Repository,
		})
		if err != nil {
			return nil, err
		}
		return answer(validation(p)), nil
	})
}

func validation(p reconcile.Preview) wire.Validation {
	v := wire.Validation{
		Manifests: p.Loaded.Files, Unchecked: p.Loaded.Unchecked, Declarations: each(p.Changes, wire.NewChange),
		Findings: each(p.Findings, wire.NewFinding),
	}
	if p.Repository.ID != "" {
		v.Repository = p.Repository.FullName()
		return v
	}
	for i := range p.Loaded.Declarations { // nothing to compare with: valid is all there is to say
		d := &p.Loaded.Declarations[i]
		v.Declarations = append(v.Declarations, wire.NewChange(waybill.Change{Identity: d.Identity, Class: waybill.Unchanged, Wanted: d}))
	}
	return v
}

// sent is a [waybill.Tree] that came with a request.
type sent []wire.TreeFile

// Walk lists the files. Paths that no commit can hold are Invalid.
func (s sent) Walk(ctx context.Context, fn func(waybill.File) error) error {
	modes := map[string]fs.FileMode{"100644": 0o644, "100755": 0o755, "120000": fs.ModeSymlink | fs.ModePerm}
	for _, f := range s {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !fs.ValidPath(f.Path) || f.Path == "." {
			return waybill.Errorf(waybill.Invalid, "%q is no path of a file", f.Path)
		}
		if err := fn(waybill.File{Path: f.Path, Mode: modes[f.Mode]}); err != nil {
			return err
		}
	}
	return nil
}

// Open reads a file. One that came without its content reads as empty.
func (s sent) Open(_ context.Context, name string) (io.ReadCloser, error) {
	for i := range s {
		if s[i].Path == name {
			return io.NopCloser(bytes.NewReader(s[i].Content)), nil
		}
	}
	return nil, waybill.Errorf(waybill.NotFound, "no file %s", name)
}

// Size returns the length of a file, also of one that came without its content.
func (s sent) Size(_ context.Context, name string) (int64, error) {
	for i := range s {
		if s[i].Path == name {
			return s[i].Size, nil
		}
	}
	return 0, waybill.Errorf(waybill.NotFound, "no file %s", name)
}
