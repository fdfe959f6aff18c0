package webhooks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDecodeReadsWhatJSONReads: passing over what nobody reads changes nothing that is read.
func TestDecodeReadsWhatJSONReads(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(files) < 50 {
		t.Fatal(len(files), err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !compare(t, body) {
			t.Errorf("%s is refused", file)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, ` `, `{`, `}`, `[`, `{"ref"`, `{"ref":`, `{"ref":"x`, `{"ref":"x"`, `{"ref":"x",}`, `{"ref":"x"}}`, `{"ref":"x"} x`,
		`{"x":[}]}`, `{"x":{]}}`, `{"x":"\"}`, `{"ref" "x"}`, `{ref:1}`, `{"ref":x}`, `{"ref":"\x01"}`, `{"repository":{"id":1`,
		`{"repositories":[{"id":1},]}`, `{"repositories":[{"id":1}`, `{,}`, `nothing`, `"x`, "{\"ref\":\"a\x00b\"}",
	} {
		if err := decode([]byte(body), hubShape, &hub{}); err == nil {
			t.Errorf("%s is taken", body)
		}
	}
	deep := make([]byte, 0, 4000)
	for range 1000 {
		deep = append(deep, `{"x":`...)
	}
	if err := decode(deep, hubShape, &hub{}); err == nil {
		t.Error("a thousand levels are taken")
	}
}

// compare decodes body in both ways, and reports whether it is taken.
func compare(t *testing.T, body []byte) bool {
	t.Helper()
	var a, b hub
	var c, d gitLab
	first, second := decode(body, hubShape, &a), decode(body, gitLabShape, &c)
	if json.Valid(body) && (json.Unmarshal(body, &b) == nil) != (first == nil) {
		t.Errorf("as of GitHub: %v", first)
	}
	if json.Valid(body) && (json.Unmarshal(body, &d) == nil) != (second == nil) {
		t.Errorf("as of GitLab: %v", second)
	}
	if diff := cmp.Diff(b, a); json.Valid(body) && first == nil && diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(d, c, cmp.AllowUnexported(gitLabObject{})); json.Valid(body) && second == nil && diff != "" {
		t.Error(diff)
	}
	return first == nil || second == nil
}

// TestShapes: every field that the structs read is wanted.
func TestShapes(t *testing.T) {
	t.Parallel()
	lacking(t, reflect.TypeFor[hub](), hubShape, "hub")
	lacking(t, reflect.TypeFor[gitLab](), gitLabShape, "gitLab")
}

func lacking(t *testing.T, typ reflect.Type, want shape, where string) {
	t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return
	}
	for _, f := range reflect.VisibleFields(typ) {
		if f.Anonymous {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner, wanted := want([]byte(name))
		if !wanted || inner == nil && (f.Type.Kind() == reflect.Struct || f.Type.Kind() == reflect.Slice) {
			t.Errorf("%s.%s is read and not in the shape", where, name)
			continue
		}
		if inner != nil {
			lacking(t, f.Type, inner, where+"."+name)
		}
	}
}
