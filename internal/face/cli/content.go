package cli

import (
	"context"
	"path"
	"reflect"
	"slices"

	"github.com/waybill-dev/waybill/internal/connector/build"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// was is what went into an image that nothing touched.
const was = "base"

// contents says for both sides what goes into the image of a connector, by the rules of the build: what .dockerignore
// leaves out does not count. Where nothing near it changed, it is not looked at.
func (p *comparison) contents(ctx context.Context, commit *commitTree, now waybill.Tree, before, after *waybill.Declaration) (old, fresh string, err error) {
	if before == nil || before.Connector == nil || after.Connector == nil {
		return was, was, nil
	}
	if !p.touches(before) && !p.touches(after) && before.Folder == after.Folder && reflect.DeepEqual(before.Connector.Build, after.Connector.Build) {
		return was, was, nil
	}
	if old, err = content(ctx, commit, before); err != nil {
		return "", "", err
	}
	fresh, err = content(ctx, working{Tree: now, commit: commit, changed: p.changed}, after)
	if fresh == "" {
		fresh = "unreadable" // the build would meet it
	}
	return old, fresh, err
}

// touches reports whether anything changed that may go into the image of d.
func (p *comparison) touches(d *waybill.Declaration) bool {
	dockerfile := path.Join(d.Folder, d.Connector.Build.Dockerfile)
	return slices.ContainsFunc(p.changed, func(name string) bool {
		return name != d.File && (below(name, path.Join(d.Folder, d.Connector.Build.Context)) || name == dockerfile || name == dockerfile+".dockerignore")
	})
}

// content identifies what goes into the image of d; it is empty when that cannot be read.
func content(ctx context.Context, t waybill.Tree, d *waybill.Declaration) (string, error) {
	c, err := build.StaticDigest(ctx, build.Request{Tree: t, Folder: d.Folder, Spec: d.Connector.Build})
	switch {
	case waybill.IsCode(err, waybill.Invalid), waybill.IsCode(err, waybill.NotFound), waybill.IsCode(err, waybill.TooLarge):
		return "", nil
	case err != nil:
		return "", err
	}
	return c.Key(), nil
}

// working is the working tree as the next commit would have it: files that Git ignores are not there, and those that did
// not change have the blobs of the commit.
type working struct {
	waybill.Tree

	commit  *commitTree
	changed []string
}

// Walk lists the files.
func (w working) Walk(ctx context.Context, fn func(waybill.File) error) error {
	changed := make(map[string]bool, len(w.changed))
	for _, name := range w.changed {
		changed[name] = true
	}
	return w.Tree.Walk(ctx, func(f waybill.File) error {
		old, known := w.commit.files[f.Path]
		switch {
		case changed[f.Path]:
			f.Blob = "changed"
		case known:
			f.Blob, f.Mode = old.Blob, old.Mode
		default:
			return nil
		}
		return fn(f)
	})
}
