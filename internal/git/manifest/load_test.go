package manifest_test

import (
	"context"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// files is a tree in memory. A content that starts with "→ " is a symbolic link.
type files map[string]string

func (t files) Walk(_ context.Context, fn func(waybill.File) error) error {
	for name, content := range t {
		f := waybill.File{Path: name, Mode: 0o644}
		if strings.HasPrefix(content, "→ ") {
			f.Mode |= fs.ModeSymlink
		}
		if err := fn(f); err != nil {
			return err
		}
	}
	return nil
}

func (t files) Open(_ context.Context, name string) (io.ReadCloser, error) {
	content, ok := t[name]
	if !ok {
		return nil, waybill.Errorf(waybill.NotFound, "no file %s", name)
	}
	return io.NopCloser(strings.NewReader(content)), nil
}

func (t files) Size(ctx context.Context, name string) (int64, error) {
	text, err := waybill.ReadFile(ctx, t, name, 1<<20)
	return int64(len(text)), err
}

const feed = `apiVersion: waybill.dev/v1
kind: Connector
metadata:
  name: shop-feed
  title: Shop feed
  owner: feeds
spec:
  type: datasource
  datasource: {categories: [shop-systems]}
  application:
    command: /bin/feed
    arguments: [import]
    healthCheck: {arguments: [--help]}
  fields:
    - {key: base_url, type: input, label: Shop address, required: true, placeholder: "https://shop.example"}
    - {key: page_size, type: select, label: Page size, default: "100", options: [{value: "100", label: "100"}, {value: "500", label: "500"}]}
  run: {schedule: "CRON_TZ=Europe/Berlin 0 */6 * * *", timeout: 30m}
`

func newLoader(tb testing.TB) *manifest.Loader {
	tb.Helper()
	l, err := manifest.New()
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

func load(tb testing.TB, tree waybill.Tree, o manifest.Options) manifest.Result {
	tb.Helper()
	r, err := newLoader(tb).Load(tb.Context(), tree, o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func lines(fs waybill.Findings) []string {
	var s []string
	for _, f := range fs {
		s = append(s, f.String())
	}
	return s
}

func TestLoadWholeConnector(t *testing.T) {
	t.Parallel()
	r := load(t, files{"waybill.yaml": feed, "Dockerfile": "FROM scratch"}, manifest.Options{Owner: "feeds"})
	if len(r.Findings) > 0 || len(r.Declarations) != 1 {
		t.Fatalf("findings:\n%s", strings.Join(lines(r.Findings), "\n"))
	}
}

func TestLoadFiveMistakes(t *testing.T) {
	t.Parallel()
	broken := strings.NewReplacer("name: shop-feed", "name: Shop_Feed", "command: /bin/feed", "comand: /bin/feed",
		"type: select", "type: selct", "30m", "30", `"CRON_TZ=Europe/Berlin 0 */6 * * *"`, "never").Replace(feed)
	r := load(t, files{"waybill.yaml": broken, "Dockerfile": "FROM scratch"}, manifest.Options{Owner: "feeds"})
	want := []string{
		`waybill.yaml:4:9: error WB101: "Shop_Feed" is not legal for metadata.name (write 3 to 40 lower-case letters, digits and single dashes, a letter first)`,
		`waybill.yaml:11:5: error WB012: unknown field "comand" (did you mean "command"?)`,
		`waybill.yaml:16:30: error WB015: unknown type "selct" (did you mean "select"?)`,
		`waybill.yaml:17:19: error WB508: the schedule has 1 field, not five (write five fields such as "0 */6 * * *": minute, hour, day, month, weekday)`,
		`waybill.yaml:17:35: error WB014: spec.run.timeout is a whole number, not text (write a duration such as 30s, 20m or 1h30m)`,
	}
	if diff := cmp.Diff(want, lines(r.Findings)); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkLoad(b *testing.B) {
	l := newLoader(b)
	tree := files{"waybill.yaml": feed, "Dockerfile": "FROM scratch"}
	for b.Loop() {
		if _, err := l.Load(b.Context(), tree, manifest.Options{Owner: "feeds"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		newLoader(b)
	}
}
