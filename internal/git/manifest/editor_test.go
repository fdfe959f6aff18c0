package manifest_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/waybill-dev/waybill/internal/foundation/schema/reference"
	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/testkit"
)

// editors returns the JSON Schema that editors check manifests with.
func editors(tb testing.TB) *jsonschema.Schema {
	tb.Helper()
	definitions, err := reference.Definitions("")
	if err != nil {
		tb.Fatal(err)
	}
	s, err := reference.JSONSchema(definitions)
	if err != nil {
		tb.Fatal(err)
	}
	compiled, _ := testkit.JSONSchema(tb, s)
	return compiled
}

// editorPlaces are forms that a JSON Schema tells by a pattern of its own: a document with VALUE where the text stands, texts
// that are legal, and texts that are not.
func editorPlaces() []place {
	connector := strings.Replace(feed, "  run: {schedule: \"CRON_TZ=Europe/Berlin 0 */6 * * *\", timeout: 30m}\n", "", 1)
	return []place{
		{
			connector + "  run: {schedule: VALUE}",
			[]string{
				"* * * * *", "0 */6 * * *", "CRON_TZ=Europe/Berlin 0 0 1,15 * MON-fri", "TZ=UTC  1-59/2 ? 31 jAn 0", "5/10 007 1 12 6", "+5 1 1 1 1",
				"1,2,,3 *-9 1 1 1", " 0 0 1 1 1 ", "59 23 31 DEC SAT", "0 0 29 2 *",
				"0 0 30 2 MON", "0 0 29,30 2 *", "0 0 30 2,3 *", "0 0 31 4-5 *", "0 0 30 4 *", "0 0 30 2 */2", "30 2 * * *",
			},
			[]string{
				"hourly", "@daily", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 7", "* * * * * *", "* * * *", "*/0 * * * *",
				"* * * MON *", "a * * * *", "1-2-3 * * * *", "1/2/3 * * * *", "-1 * * * *",
				"0 0 30 2 *", "0 0 30,31 FEB ?", "0 0 031 4,6,jun,11 *", " CRON_TZ=UTC  0 0 31,+30 02 *", "* * ,31, ,9, *",
			},
		},
		{
			connector + "  release: {prod: {tag: VALUE}}",
			[]string{"v*", "shop-feed/v*", "*", "v[0-9]*", "v?*", `v\**`, "v.*", "a.lock*", "@*", "rel-[^a]*", `[\]]*`},
			[]string{"v1.0.0", "v[*", "my v*", "-v*", ".v*", "/v*", "refs/tags/v*", "a//b*", "a..b*", "a@{*", "a.lock/v*", "v~*", "[]a]*", `v*\`, "[a-]*", "a/.b*"},
		},
		{
			connector + "  release: {dev: {branch: VALUE}}",
			[]string{"main", "feature/x", "a.b", "@a", "a-", "ä"},
			[]string{"refs/heads/main", "a..b", "a b", "a~1", "-a", ".a", "a.", "a/", "/a", "a//b", "a/.b", "a.lock", "a.lock/b", "@", "a@{b", "a*", "a?", "a[", `a\b`, "a^", "a:b", "a\x7f"},
		},
		{
			connector + "  run: {timeout: VALUE}",
			[]string{"1s", "168h", "604800s", "10080m", "1h30m", "0h1s", "00001h", "7m7m"},
			[]string{"0s", "0h0m", "169h", "604801s", "10081m", "99999999999999h", "1d", "", "1", "h"},
		},
		{
			strings.Replace(connector, "[--help]", "[--help], timeout: VALUE", 1),
			[]string{"60s", "1m", "0m59s", "007s"},
			[]string{"61s", "2m", "1h", "100s"},
		},
		{
			connector + "  run: {resources: {memory: VALUE}}",
			[]string{"6Mi", "6144Ki", "6291456", "1Gi", "7M", "6292K", "1G", "1048576Gi", "1125899906842624"},
			[]string{"5Mi", "6143Ki", "6291455", "6M", "6291K", "1048577Gi", "1125899906842625", "0", "1Ti", "512K"},
		},
		{
			connector + "  run: {resources: {cpu: VALUE}}",
			[]string{"1", "0.5", "0.01", "0.010", "9999", "0.1", "00.02"},
			[]string{"0", "0.0", "0.00", "0.001", "0.009", "000", ".5", "1."},
		},
		{
			strings.Replace(connector, "key: base_url", "key: VALUE", 1),
			[]string{"base_url", "paths", "Way-bill", "waybill", "home2"},
			[]string{"waybill_token", "WayBill-x", "path", "PATH", "ld-preload", "Ld_Library_Path", "hostname", "Home", "1a", "a b"},
		},
		{
			connector + "  build: {dockerfile: VALUE}",
			[]string{"./Dockerfile", "x/../Dockerfile"},
			[]string{"/Dockerfile", ""},
		},
		{
			"apiVersion: waybill.dev/v1\nkind: Policy\nmetadata: {name: base}\nspec: {baseImages: [VALUE]}",
			[]string{"busybox:*", "a[b-d]", `\*`, "[^x]"},
			[]string{"[", "a[]", "[a", `\`, "[-a]", "[a-]"},
		},
		{
			"apiVersion: waybill.dev/v1\nkind: Policy\nmetadata: {name: base}\nspec: {maxImageSize: VALUE}",
			[]string{"1", "500Mi", "1048576Gi"},
			[]string{"0", "1048577Gi", "1Ti", "-1"},
		},
		{
			"apiVersion: waybill.dev/v1\nkind: Terms\nmetadata: {name: base}\nspec: {version: \"1\", text: Dockerfile, effective: VALUE}",
			[]string{"2026-01-31", "2024-02-29", "2026-04-30", "2000-02-29", "2400-02-29", "1996-02-29", "0000-02-29", "2100-02-28"},
			[]string{"2026-02-29", "2100-02-29", "1900-02-29", "2022-02-29", "1910-02-29", "2026-02-30", "2026-02-31", "2026-04-31", "2026-11-31", "2026-13-01", "today"},
		},
	}
}

type place struct {
	document       string
	legal, illegal []string
}

// judges says whether the loader and the schema of editors take value.
func (p place) judges(tb testing.TB, l *manifest.Loader, s *jsonschema.Schema, value string) (loader string, editor error) {
	tb.Helper()
	quoted, err := json.Marshal(value)
	if err != nil {
		tb.Fatal(err)
	}
	text := strings.Replace(p.document, "VALUE", string(quoted), 1)
	tree := files{"waybill.yaml": text, "Dockerfile": "FROM scratch", "x/y": ""}
	r, err := l.Load(tb.Context(), tree, manifest.Options{Owner: "feeds", Platform: true})
	if err != nil {
		tb.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		tb.Skip("no YAML")
	}
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	if v, err = jsonschema.UnmarshalJSON(bytes.NewReader(b)); err != nil {
		tb.Fatal(err)
	}
	return strings.Join(lines(r.Findings), "\n"), s.Validate(v)
}

// TestEditorsAgree checks that the JSON Schema and the rules take the same texts where both look at their form.
func TestEditorsAgree(t *testing.T) {
	t.Parallel()
	l, s := newLoader(t), editors(t)
	for _, p := range editorPlaces() {
		for _, value := range slices.Concat(p.legal, p.illegal) {
			loader, editor := p.judges(t, l, s, value)
			legal := slices.Contains(p.legal, value)
			if (loader == "") != legal || (editor == nil) != legal {
				t.Errorf("%q: legal is %v\nloader: %s\neditor: %v\n%s", value, legal, loader, editor, p.document)
			}
		}
	}
}

// FuzzEditor looks for texts that an editor refuses although Waybill takes them.
func FuzzEditor(f *testing.F) {
	for i, p := range editorPlaces() {
		for _, value := range slices.Concat(p.legal, p.illegal) {
			f.Add(uint8(i), value)
		}
	}
	l, s, all := newLoader(f), editors(f), editorPlaces()
	f.Fuzz(func(t *testing.T, which uint8, value string) {
		if !utf8.ValidString(value) {
			t.Skip("no text")
		}
		loader, editor := all[int(which)%len(all)].judges(t, l, s, value)
		if loader == "" && editor != nil {
			t.Errorf("%q is legal, but the editor says: %v", value, editor)
		}
	})
}
