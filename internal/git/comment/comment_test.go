package comment_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"

	"github.com/waybill-dev/waybill/internal/git/comment"
	"github.com/waybill-dev/waybill/internal/waybill"
)

var update = flag.Bool("update", false, "write the golden files")

const page = "https://waybill.test/repositories/feeds/shop/commits/1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b"

func pull(url string) waybill.Pull {
	return waybill.Pull{Repository: "R", Number: 7, Base: "main", Open: true, URL: url}
}

func check(changes []waybill.Change, findings ...waybill.Finding) waybill.Check {
	c := waybill.Check{Commit: "1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b", Changes: changes, Findings: findings, State: waybill.StateSuccess}
	if c.Findings.Errors() > 0 {
		c.State = waybill.StateFailure
	}
	return c
}

func connector(name string) waybill.Identity {
	return waybill.Identity{Kind: waybill.KindConnector, Name: name, Major: 1}
}

func build(name string, t waybill.Trial) comment.Build {
	t.Identity = connector(name)
	return comment.Build{Trial: t, Page: "https://waybill.test/releases/" + name}
}

func inputs() map[string]comment.Input {
	unknown := waybill.Finding{
		Code: "WB012", Severity: waybill.SeverityError, File: "feed/waybill.yaml", Line: 14, Column: 7,
		Message: `unknown field "trigers"`, Hint: `did you mean "triggers"?`,
	}
	clash := waybill.Finding{
		Code: "WB209", Severity: waybill.SeverityWarning, File: "docs/read me.md", Line: 1, Column: 1, Message: "conflicts with main",
	}
	many := make([]string, 60)
	for i := range many {
		many[i] = fmt.Sprintf("install:workspace-%02d", i)
	}
	return map[string]comment.Input{
		"changes": {Pull: pull("https://gitea.test/feeds/shop/pulls/7"), Page: page, Check: check([]waybill.Change{
			{Identity: connector("shop-feed"), Class: waybill.Rebuild, Environment: waybill.Dev, Parts: []string{"content"}, Affected: []string{"site:feeds-dev", "site:feeds-test"}},
			{Identity: connector("old-feed"), Class: waybill.Remove, Environment: waybill.Dev, Reasons: []string{"what it deployed stays until a person removes it"}},
			{
				Identity: waybill.Identity{Kind: waybill.KindApp, Name: "invoice-sync", Major: 1}, Class: waybill.Consent,
				Parts: []string{"spec.scopes", "spec.endpoints"}, Reasons: []string{`new required scope "invoices:write"`}, Affected: many,
			},
		})},
		"builds": {Pull: pull("https://gitea.test/feeds/shop/pulls/7"), Page: page, Check: check([]waybill.Change{
			{Identity: connector("shop-feed"), Class: waybill.Rebuild, Environment: waybill.Dev, Affected: []string{"site:feeds-dev"}},
			{Identity: connector("new-feed"), Class: waybill.Create, Environment: waybill.Dev},
			{Identity: connector("odd-feed"), Class: waybill.Recheck, Environment: waybill.Dev},
			{Identity: connector("late-feed"), Class: waybill.Rebuild, Environment: waybill.Dev},
			{Identity: connector("past-feed"), Class: waybill.Rebuild, Environment: waybill.Dev},
		}), Builds: []comment.Build{
			build("shop-feed", waybill.Trial{Outcome: waybill.OK, Detail: "sha256:9f2c71e0b7d4", Image: "sha256:9f2c71e0b7d4aaaaaaaa", Size: 12 << 20}),
			build("new-feed", waybill.Trial{Outcome: waybill.Failed, Detail: "Dockerfile:3: \"go build ./...\" ended with exit code 1: x.go:4: undefined: y\nmore"}),
			build("odd-feed", waybill.Trial{Outcome: waybill.Errored, Detail: "the engine does not answer"}),
			build("late-feed", waybill.Trial{Outcome: waybill.Running, Detail: "waiting for disk space"}),
			build("past-feed", waybill.Trial{Outcome: waybill.Superseded, Detail: "superseded by 1a2b3c4"}),
		}},
		"findings": {Pull: pull("https://github.test/feeds/shop/pull/7"), Page: page, Check: check(nil, clash, unknown)},
		"nothing":  {Pull: pull(""), Page: page, Check: check(nil)},
		"unread": {Pull: pull(""), Page: page, Check: waybill.Check{
			Commit: "1a2b3c4d5e6f1a2b3c4d5e6f1a2b3c4d5e6f1a2b", State: waybill.StateError, Summary: "not checked: the commit has more than 100000 files",
		}},
		"note": {Pull: pull("https://gitlab.test/a/b/shop/-/merge_requests/7"), Page: page, Check: check([]waybill.Change{
			{Identity: connector("shop-feed"), Class: waybill.Metadata, Environment: waybill.Dev, Parts: []string{"metadata.title"}},
		}, clash), Note: `"/waybill deploy" of lin: there is no such command`},
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for name, in := range inputs() {
		golden := filepath.Join("testdata", name+".md")
		got := comment.Markdown(in, 0)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// rendered is what a forge makes of a comment: its elements, the text of each cell and item, and its links.
type rendered struct {
	elements map[string]int
	text     string
	links    []string
}

func render(t testing.TB, markdown string) rendered {
	t.Helper()
	var b bytes.Buffer
	forge := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	if err := forge.Convert([]byte(markdown), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := nethtml.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	r := rendered{elements: map[string]int{}}
	var text strings.Builder
	for n := range doc.Descendants() {
		switch n.Type {
		case nethtml.ElementNode:
			r.elements[n.Data]++
			for _, a := range n.Attr {
				if a.Key == "href" {
					r.links = append(r.links, a.Val)
				}
			}
		case nethtml.TextNode:
			text.WriteString(n.Data)
		case nethtml.CommentNode:
			r.elements["comment"]++
		default:
		}
	}
	r.text = text.String()
	return r
}

// spoil puts a text in every place of an input that somebody else writes.
func spoil(text string) comment.Input {
	return comment.Input{
		Pull: waybill.Pull{Number: 7, Base: text, URL: "https://gitea.test/feeds/shop/pulls/7"}, Page: page, Note: text,
		Builds: []comment.Build{
			{Trial: waybill.Trial{Identity: connector(text), Outcome: waybill.Failed, Detail: text}, Page: "https://waybill.test/releases/a"},
			{Trial: waybill.Trial{Identity: connector(text), Outcome: waybill.OK, Image: text}, Page: "https://waybill.test/releases/b"},
		},
		Check: check([]waybill.Change{{
			Identity: connector(text), Class: waybill.Rebuild, Parts: []string{text}, Reasons: []string{text}, Environment: waybill.Dev,
			Affected: []string{"site:" + text, text, text, text, text},
		}}, waybill.Finding{
			Code: "WB001", Severity: waybill.SeverityError, File: text, Line: 1, Column: 1, Message: text, Hint: text,
		}),
	}
}

// calling is what forges make mentions, references, commands and links of, wherever it stands in the text they show.
func calling() *regexp.Regexp {
	return regexp.MustCompile(`[@#!$%&~^][\pL\pN_"]|://|(?i:www\.|\bGH-[0-9])`)
}

func hostile() []string {
	return []string{
		"@ada and @feeds/everybody", "closes #1, feeds/shop#2, !3, $4, %5, &6, ~bug, GH-7, FEED-8", "/approve", "\n/close\n",
		"</details></summary></table>", "<details open><script>alert(1)</script><img src=x onerror=alert(1)>", "<!-- ", "-->", "&lt;b&gt; &#64;ada",
		"[click](https://evil.test)", "![x](https://evil.test/x.png)", "https://evil.test www.evil.test ftp://evil.test", "<https://evil.test>",
		"| a | b |\n| - | - |", "\\| \\\\| \\", "`", "``` ` ``", "`a` | `b`", "a`|`b", "**bold** _x_ ~~gone~~", "# title", "- item\n- item", "1. one",
		"[x]: https://evil.test", "[^1]", "\u202egnp.exe\u202c", "\x00\x1b[31m", "a@b.test", ":tada:", "***", "$x$ $$y$$", "](https://evil.test)", "a) [b](c",
		"\xff\xfe", "<a href=\"x\">", "http:\\//evil.test", "user/repo@1234567", "\u200b@ada", "_@ada_", "`@ada`", "``@ada", "\\@ada", "\\\\@ada",
	}
}

func TestHostileTextMeansNothing(t *testing.T) {
	t.Parallel()
	tame := render(t, comment.Markdown(spoil("tame"), 0))
	for _, text := range hostile() {
		markdown := comment.Markdown(spoil(text), 0)
		got := render(t, markdown)
		if diff := cmp.Diff(tame.elements, got.elements); diff != "" {
			t.Errorf("%q changes what is there (-want +got):\n%s\n%s", text, diff, markdown)
		}
		if len(got.links) != len(tame.links) {
			t.Errorf("%q: links %v", text, got.links)
		}
		for _, link := range got.links {
			if !strings.HasPrefix(link, "https://gitea.test/feeds/shop/src/commit/") && link != page && !strings.HasPrefix(link, "https://waybill.test/releases/") {
				t.Errorf("%q: link to %s", text, link)
			}
		}
	}
}

// outsideCode is the text of a comment as forges search it: without code.
func outsideCode(t testing.TB, markdown string) string {
	t.Helper()
	var b bytes.Buffer
	forge := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	if err := forge.Convert([]byte(markdown), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := nethtml.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	var walk func(n *nethtml.Node)
	walk = func(n *nethtml.Node) {
		if n.Type == nethtml.ElementNode && n.Data == "code" {
			text.WriteByte('.')
			return
		}
		if n.Type == nethtml.TextNode {
			text.WriteString(n.Data)
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
	}
	walk(doc)
	return text.String()
}

func TestNobodyIsCalled(t *testing.T) {
	t.Parallel()
	for _, text := range hostile() {
		if said := outsideCode(t, comment.Markdown(spoil(text), 0)); calling().MatchString(said) {
			t.Errorf("%q calls %q", text, calling().FindAllString(said, -1))
		}
	}
}

func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	const text = `a <b> & "c" | *d* _e_ [f](g) \ # ~ ^ $ ! @h`
	got := strings.ReplaceAll(render(t, comment.Markdown(spoil(text), 0)).text, "\u200b", "")
	if n := strings.Count(got, text); n < 10 {
		t.Errorf("the text is shown as it is in %d of its places:\n%s", n, got)
	}
}

// TestLongest: whatever there is to say, it fits, and what is folded is closed.
func TestLongest(t *testing.T) {
	t.Parallel()
	in := comment.Input{Pull: pull("https://gitea.test/feeds/shop/pulls/7"), Page: page, Note: strings.Repeat("n", 10_000)}
	long := strings.Repeat("é`|", 3000)
	for i := range 5000 {
		in.Check.Changes = append(in.Check.Changes, waybill.Change{
			Identity: connector(fmt.Sprint(long, i)), Class: waybill.Rebuild, Parts: []string{long, long}, Reasons: []string{long}, Affected: []string{long},
		})
		in.Builds = append(in.Builds, build("x", waybill.Trial{Outcome: waybill.Failed, Detail: long}))
		in.Check.Findings = append(in.Check.Findings, waybill.Finding{Severity: waybill.SeverityError, File: long, Message: long, Hint: long})
	}
	for _, in := range []comment.Input{in, {Check: waybill.Check{Changes: in.Check.Changes}}, {Check: waybill.Check{Findings: in.Check.Findings}}} {
		got := comment.Markdown(in, 100)
		if len(got)+100 > comment.Limit {
			t.Errorf("%d bytes", len(got))
		}
		if strings.Count(got, "<details>") != strings.Count(got, "</details>") || !strings.HasSuffix(got, "did not succeed\n") {
			t.Errorf("it is cut: …%s", got[len(got)-200:])
		}
	}
}

func FuzzHostileText(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text)
	}
	tame := render(f, comment.Markdown(spoil("tame"), 0))
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" {
			return // there is no note then
		}
		markdown := comment.Markdown(spoil(text), 0)
		got := render(t, markdown)
		delete(got.elements, "code")
		want := map[string]int{}
		for k, v := range tame.elements {
			want[k] = v
		}
		delete(want, "code") // an empty text is no code
		if diff := cmp.Diff(want, got.elements); diff != "" {
			t.Errorf("%q (-want +got):\n%s\n%s", text, diff, markdown)
		}
		if said := outsideCode(t, markdown); calling().MatchString(said) {
			t.Errorf("%q calls %q", text, calling().FindAllString(said, -1))
		}
	})
}
