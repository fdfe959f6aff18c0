package portal_test

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// checkHTML looks for what every page owes its readers: one h1, a title, a language, a label on every control, a name
// on every button and link, no id twice, and nothing the content security policy would refuse.
func checkHTML(t *testing.T, path, text string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s is no HTML: %v", path, err)
	}
	counts, ids := map[string]int{}, map[string]int{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Namespace == "" {
			counts[n.Data]++
		}
		if id := attr(n, "id"); id != "" {
			ids[id]++
		}
		checkElement(t, path, n)
	}
	for tag, want := range map[string]int{"h1": 1, "title": 1, "main": 1, "style": 0} {
		if counts[tag] != want {
			t.Errorf("%s has %d elements %s, want %d", path, counts[tag], tag, want)
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s has %d elements of id %s", path, n, id)
		}
	}
}

func checkElement(t *testing.T, path string, n *html.Node) {
	t.Helper()
	for _, a := range n.Attr {
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
			t.Errorf("%s: <%s %s=%q> is refused by the content security policy", path, n.Data, a.Key, a.Val)
		}
	}
	switch n.Data {
	case "script":
		if attr(n, "src") == "" {
			t.Errorf("%s has an inline script", path)
		}
	case "a", "button", "summary", "h1", "h2", "h3", "th":
		if words(n) == "" && attr(n, "aria-label") == "" {
			t.Errorf("%s: a <%s %v> has no name", path, n.Data, n.Attr)
		}
		if n.Data == "a" && attr(n, "href") == "" {
			t.Errorf("%s: the link %q leads nowhere", path, words(n))
		}
	case "input", "select":
		if attr(n, "type") != "hidden" && !labelled(n) {
			t.Errorf("%s: <%s name=%q> has no label", path, n.Data, attr(n, "name"))
		}
	}
}

// labelled reports whether a control is inside a label or one refers to it.
func labelled(n *html.Node) bool {
	for p := range n.Ancestors() {
		if p.Data == "label" {
			return true
		}
		if p.Parent == nil {
			for d := range p.Descendants() {
				if d.Data == "label" && attr(d, "for") != "" && attr(d, "for") == attr(n, "id") {
					return true
				}
			}
		}
	}
	return false
}

func attr(n *html.Node, key string) string {
	i := slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
	if i < 0 {
		return ""
	}
	return n.Attr[i].Val
}

// words returns the text of an element.
func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}
