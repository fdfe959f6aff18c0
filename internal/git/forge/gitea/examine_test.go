package gitea_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/git/forge"
)

// TestExamineInWords: what is wrong is said so that it can be mended; what is about nothing is no mistake.
func TestExamineInWords(t *testing.T) {
	t.Parallel()
	const (
		user    = "GET /user"
		found   = "GET /repos/acme/shop"
		status  = "POST /repos/acme/shop/statuses/0000000000000000000000000000000000000001"
		comment = "PATCH /repos/acme/shop/issues/comments/0"
		hooks   = "GET /repos/acme/shop/hooks"
	)
	denied := say(403, map[string]string{"message": "no"})
	for _, c := range []struct {
		at     string
		answer http.HandlerFunc
		ok     bool
		what   string
		says   string
	}{
		{user, say(401, map[string]string{"message": "no"}), false, "token", "make a new one"},
		{user, denied, false, "token", "read:user"},
		{user, denied, false, "comments of acme/shop", "read:user"},
		{user, denied, true, "statuses of acme/shop", "can be written"},
		{user, say(401, nil), false, "token", "write:repository, write:issue and read:user"},
		{user, nil, true, "token", "signs in as bot"},
		{found, say(404, nil), false, "repository acme/shop", "may not see it"},
		{found, say(200, map[string]any{"id": 7, "archived": true}), false, "repository acme/shop", "archived"},
		{found, say(200, map[string]any{"id": 7, "permissions": map[string]bool{"pull": false}}), false, "repository acme/shop", "collaborators"},
		{status, denied, false, "statuses of acme/shop", "write:repository"},
		{status, say(500, nil), true, "statuses of acme/shop", "can be written"},
		{comment, denied, false, "comments of acme/shop", "write:issue"},
		{comment, say(404, nil), true, "comments of acme/shop", "can be written"},
		{hooks, denied, false, "hook of acme/shop", "administrator"},
		{hooks, say(200, []any{}), false, "hook of acme/shop", "no hook leads here"},
		{hooks, nil, true, "hook of acme/shop", "is installed"},
	} {
		answers := map[string]http.HandlerFunc{
			user: say(200, map[string]any{"id": 1, "login": "bot"}), found: say(200, map[string]any{"id": 7, "full_name": "acme/shop"}),
			hooks: func(w http.ResponseWriter, r *http.Request) {
				list := []any{}
				if r.URL.Query().Get("page") == "1" {
					list = append(list, map[string]any{"id": 1, "config": map[string]string{"url": "https://w.test/hooks/gitea/h1"}})
				}
				say(200, list)(w, r)
			},
		}
		if c.answer != nil {
			answers[c.at] = c.answer
		}
		r := shop()
		r.Hook = "h1"
		list := serve(t, answers).client(t).Examine(t.Context(), r)
		if !slices.ContainsFunc(list, func(f forge.Finding) bool {
			return f.OK == c.ok && f.What == c.what && strings.Contains(f.Says, c.says)
		}) {
			t.Errorf("%q (%t) is not said of %s: %+v", c.says, c.ok, c.what, list)
		}
	}
}
