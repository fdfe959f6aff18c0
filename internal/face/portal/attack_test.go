package portal_test

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestHostileTexts puts markup, addresses of scripts and terminal sequences everywhere a developer can write, and looks
// for any of it that came alive.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>` + "\x1b[31m\x00\u202e'`{{.}}</pre></style>"
	w := newWorld(t)
	r := w.repository("feeds", "evil")
	w.claim(r, "evil")
	d := declaration("evil", 1, evil, "feeds")
	d.File, d.Folder, d.Digest = evil, evil, evil
	c := d.Connector
	c.Description, c.Type, c.Mode, c.Labels = evil, evil, evil, map[string]string{evil: evil}
	c.Application.Command, c.Run.Schedule, c.Categories = evil, evil, []string{evil}
	c.Source = &waybill.Source{Repository: "javascript:alert(1)", Branch: evil, Path: evil, AuthType: evil}
	c.Fields[0].Key, c.Fields[0].Label, c.Fields[0].Default = evil, evil, &d.File
	c.Secrets = []waybill.SecretRef{{Name: evil, Store: evil, Path: evil, Key: evil}}
	w.assign("feeds-dev", "evil", 1, map[string]string{evil: evil})
	rel := w.release(r, d, waybill.Dev, "", now().Add(-time.Hour), waybill.OK, waybill.OK, waybill.OK)
	w.live(rel, now())
	bad := w.release(r, d, waybill.Dev, evil, now(), waybill.OK, waybill.Failed)
	w.logs.add("release/"+bad.ID+"/build", evil+"\n"+`{"level":"error","message":"`+`<script>alert(2)</script>`+`","<b>":"<i>"}`+"\n")
	run := w.run(rel, "feeds-dev", waybill.RunFailed, 1, now(), time.Second)
	w.logs.add(run.Stdout, evil+"\n")
	findings := waybill.Findings{{
		Code: "WB101", Severity: waybill.SeverityError, File: evil, Line: 1, Column: 1, Path: evil, Message: evil, Hint: evil, Fix: evil,
	}}
	w.check(r, "refs/heads/main", bad.Commit, now(), findings, waybill.Status{
		Context: "waybill/" + evil + "/build", State: waybill.StateFailure, Description: evil, URL: "javascript:alert(1)",
	})
	w.write(func(tx *store.Tx) error {
		return store.Record(t.Context(), tx, waybill.Entry{
			Actor: evil, Channel: waybill.ChannelGit, Subject: "connector:evil", Action: evil, Before: evil, After: evil, Message: evil,
		})
	})
	for _, path := range []string{
		"/", "/connectors", "/connectors?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "/runs?site=%22%3E%3Cscript%3E", "/runs?connector=none%3Cb%3E",
		"/connectors/evil", "/connectors/evil/setup", "/connectors/evil/runs", "/connectors/evil/logs", "/connectors/evil/versions", "/connectors/evil/history",
		"/runs/" + run.ID, "/runs/" + run.ID + "?q=%3Cscript%3E", "/releases/" + bad.ID, "/releases/" + bad.ID + "/log?step=build", "/connectors/evil?did=%3Cscript%3E",
		"/repositories/feeds/evil/commits/" + bad.Commit, "/%3Cscript%3Ealert(1)%3C/script%3E", "/connectors/%22%3E%3Cscript%3E",
	} {
		text := body(t, w.get(path, admin()))
		checkHTML(t, path, text)
		root, err := html.Parse(strings.NewReader(text))
		must(t, err)
		for n := range root.Descendants() {
			harmless(t, path, n)
		}
		if strings.ContainsAny(text, "\x1b\x00\u202e") {
			t.Errorf("%s holds control characters", path)
		}
	}
}

func harmless(t *testing.T, path string, n *html.Node) {
	t.Helper()
	if n.Type != html.ElementNode {
		return
	}
	if n.Data == "img" || n.Data == "script" && !strings.HasPrefix(attr(n, "src"), "/assets/") {
		t.Errorf("%s: <%s> %v came alive", path, n.Data, n.Attr)
	}
	for _, a := range n.Attr {
		if (a.Key == "href" || a.Key == "action" || a.Key == "src") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "?") {
			t.Errorf("%s: %s=%q leads elsewhere", path, a.Key, a.Val)
		}
	}
}
