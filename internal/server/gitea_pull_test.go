//go:build gitea

package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestGiteaPull plans a pull request, says so in one comment, and deploys what is merged.
func TestGiteaPull(t *testing.T) {
	t.Parallel()
	w := newForgeWorld(t, "gitea-pull")
	w.serveForge()
	first := w.clone.Run("rev-parse", "HEAD")
	w.clone.Push("main")
	w.ends(first, w.ofNames("waybill/NAME/dev success")...)

	w.clone.Run("checkout", "--quiet", "-b", "topic")
	one := w.clone.Commit("Try", map[string]string{"feed": feed + "echo tried\n"})
	w.clone.Push("topic")
	var pull struct{ Number int }
	w.call(http.MethodPost, "/pulls", map[string]any{"head": "topic", "base": "main", "title": "Try it"}, &pull)
	w.ends(one, w.ofNames("waybill success", "waybill/NAME/validate success", "waybill/NAME/plan success", "waybill/NAME/build success")...)
	id, before := w.comment(pull.Number)
	w.eventually("the comment tells of the build", func() bool {
		_, before = w.comment(pull.Number)
		return strings.Contains(before, "is built: `sha256:")
	})
	w.serves("dev " + first[:7])

	two := w.clone.Commit("Try more", map[string]string{"waybill.yaml": strings.Replace(w.manifest(""), "A feed", "A better feed", 1)})
	w.clone.Push("topic")
	w.ends(two, w.ofNames("waybill success", "waybill/NAME/validate success", "waybill/NAME/plan success")...)
	w.eventually("the comment is edited", func() bool { _, now := w.comment(pull.Number); return now != before })
	if again, _ := w.comment(pull.Number); again != id {
		t.Errorf("comment %d became %d", id, again)
	}

	w.call(http.MethodPost, fmt.Sprintf("/pulls/%d/merge", pull.Number), map[string]any{"Do": "merge"}, nil)
	w.clone.Run("fetch", "--quiet", "origin", "main")
	merged := w.clone.Run("rev-parse", "FETCH_HEAD")
	w.ends(merged, w.ofNames("waybill success", "waybill/NAME/dev success")...)
	w.serves("dev " + merged[:7])
	for _, commit := range []string{first, one, two, merged} {
		w.ends(commit)
	}
}

// comment waits for the one comment of a pull request.
func (w *forgeWorld) comment(number int) (id int, body string) {
	w.t.Helper()
	w.eventually("there is one comment", func() bool {
		var list []struct {
			ID   int
			Body string
		}
		w.call(http.MethodGet, fmt.Sprintf("/issues/%d/comments", number), nil, &list)
		if len(list) > 1 {
			w.t.Fatalf("%d comments: %+v", len(list), list)
		}
		if len(list) == 1 {
			id, body = list[0].ID, list[0].Body
		}
		return len(list) == 1
	})
	return id, body
}
