package manifest

import (
	"context"
	"slices"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// maxKnown bounds what a loader remembers, in bytes of manifests. Read, they take some forty times as much.
const maxKnown = 3 << 20

// manifestKey is everything that reading a manifest depends on, but for the schemas, which never change. What depends on
// anything else, such as other files, other manifests or the platform, is not remembered but found out each time.
type manifestKey struct {
	name, blob string
	platform   bool
}

// recall reads a manifest, or finds it read before. Trees that know no blob ids are read anew.
func (l *Loader) recall(ctx context.Context, f *file) error {
	key := manifestKey{name: f.name, blob: f.index.files[f.name].Blob, platform: f.platform}
	if known, ok := l.known.Find(key); ok && key.blob != "" {
		f.copy(known)
		return nil
	}
	src, err := f.read(ctx)
	if err != nil {
		return err
	}
	read := &file{name: f.name, platform: f.platform} // without index and options, which it must not depend on
	if err := l.judge(ctx, read, src); err != nil {
		return err
	}
	if f.copy(read); key.blob != "" {
		l.known.Put(key, read, minKnown+int64(len(src)))
	}
	return nil
}

// read returns the text of a manifest, cut where it is larger than any may be.
func (f *file) read(ctx context.Context) ([]byte, error) {
	src, err := waybill.ReadFile(ctx, f.index.tree, f.name, schema.MaxBytes)
	if waybill.IsCode(err, waybill.Invalid) || waybill.IsCode(err, waybill.TooLarge) {
		return make([]byte, schema.MaxBytes+1), nil // schema.Parse says that it is too large
	}
	return src, err
}

// minKnown is what the smallest manifest costs.
const minKnown = 256

// copy takes over what was read. Findings and what they are added to are f's own; nobody changes the rest.
func (f *file) copy(read *file) {
	f.findings = slices.Clone(read.findings)
	f.documents = make([]*document, len(read.documents))
	for i, d := range read.documents {
		c := *d
		c.file, c.findings = f, slices.Clone(d.findings)
		f.documents[i] = &c
	}
}
