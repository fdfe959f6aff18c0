package portal_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestCommitOfAPull: the page of a commit says of which pull request it is the head, and what that would change.
func TestCommitOfAPull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, head := w.repository("feeds", "shop"), w.sha()
	w.check(r, "refs/heads/topic", head, now().Add(-time.Minute), nil)
	c := w.check(r, "refs/pull/7/head", head, now(), nil)
	c.Pull, c.Cause = 7, "pull"
	c.Changes = []waybill.Change{{
		Identity: waybill.Identity{Kind: waybill.KindConnector, Name: "shop-feed", Major: 1}, Class: waybill.Rebuild,
		Environment: waybill.Dev, Affected: []string{"site:feeds-dev"},
	}}
	put := func(url string) string {
		t.Helper()
		w.write(func(tx *store.Tx) error {
			p := waybill.Pull{Repository: r.ID, Number: 7, Ref: c.Ref, Head: head, Base: "main", Open: true, URL: url}
			if err := gitstore.PutPull(t.Context(), tx, p); err != nil {
				return err
			}
			return gitstore.PutCheck(t.Context(), tx, c)
		})
		rec := w.get("/repositories/feeds/shop/commits/"+head, admin())
		if rec.Code != http.StatusOK {
			t.Fatal(rec.Code)
		}
		html := body(t, rec)
		checkHTML(t, "commit", html)
		return html
	}
	html := put("https://forge.test/feeds/shop/pulls/7")
	for _, part := range []string{
		`<a href="https://forge.test/feeds/shop/pulls/7">pull request 7</a>`, "<span>topic</span>", "when merged into <code>main</code>", "site:feeds-dev",
	} {
		if !strings.Contains(html, part) {
			t.Errorf("%s is missing in\n%s", part, html)
		}
	}
	if html := put("javascript:alert(1)"); strings.Contains(html, "javascript:") {
		t.Error("a forge's address is trusted")
	}
}
