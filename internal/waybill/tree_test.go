package waybill_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// texts is a tree of files by path.
type texts map[string]string

func (t texts) Walk(_ context.Context, fn func(waybill.File) error) error {
	for name := range t {
		if err := fn(waybill.File{Path: name}); err != nil {
			return err
		}
	}
	return nil
}

func (t texts) Open(_ context.Context, name string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(t[name])), nil
}

func (t texts) Size(_ context.Context, name string) (int64, error) { return int64(len(t[name])), nil }

func TestSub(t *testing.T) {
	t.Parallel()
	tree := texts{"top": "1", "a/b/file": "four", "a/bc": "22"}
	sub := waybill.Sub(tree, "./a/b/")
	text, err := waybill.ReadFile(t.Context(), sub, "../file", 4)
	if err != nil || string(text) != "four" {
		t.Errorf("read %q, %v", text, err)
	}
	if size, err := sub.Size(t.Context(), "../../file"); err != nil || size != 4 {
		t.Errorf("size %d, %v", size, err)
	}
	var all []string
	if err := sub.Walk(t.Context(), func(f waybill.File) error { all = append(all, f.Path); return nil }); err != nil || len(all) != 1 || all[0] != "file" {
		t.Errorf("walked %v, %v", all, err)
	}
	if whole, ok := waybill.Sub(tree, ".").(texts); !ok || len(whole) != 3 {
		t.Error("the root is not the tree itself")
	}
}
