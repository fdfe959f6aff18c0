//go:build gitea

package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestGiteaTalk lets a pull request and its base contradict each other, asks by comment, and gives up.
func TestGiteaTalk(t *testing.T) {
	t.Parallel()
	w := newForgeWorld(t, "gitea-talk")
	w.serveForge()
	first := w.clone.Run("rev-parse", "HEAD")
	w.clone.Push("main")
	w.ends(first, w.ofNames("waybill/NAME/dev success")...)

	w.clone.Run("checkout", "--quiet", "-b", "topic")
	head := w.clone.Commit("Call it ours", map[string]string{"waybill.yaml": strings.Replace(w.manifest(""), "title: ", "title: Our ", 1)})
	w.clone.Push("topic")
	var pull struct{ Number int }
	w.call(http.MethodPost, "/pulls", map[string]any{"head": "topic", "base": "main", "title": "@everybody </details>"}, &pull)
	w.ends(head, w.ofNames("waybill success", "waybill/NAME/plan success")...)
	w.talks(pull.Number, "1 change when merged into `main`", "metadata.title")

	w.clone.Run("checkout", "--quiet", "main")
	second := w.clone.Commit("Call it theirs", map[string]string{"waybill.yaml": strings.Replace(w.manifest(""), "title: ", "title: Their ", 1)})
	w.clone.Push("main")
	w.ends(second, w.ofNames("waybill success")...)
	w.ends(head, w.ofNames("waybill failure", "waybill/NAME/plan failure")...)
	w.talks(pull.Number, "conflicts with main", "/src/commit/"+head+"/waybill.yaml#L1")

	before := w.finals(head)
	w.says(pull.Number, "/waybill plan")
	w.eventually("the plan is made again", func() bool { return w.finals(head) > before })
	w.says(pull.Number, "/waybill deploy")
	w.talks(pull.Number, "there is no such command")

	w.call(http.MethodPatch, fmt.Sprintf("/pulls/%d", pull.Number), map[string]any{"state": "closed"}, nil)
	w.eventually("the plan is taken back", func() bool {
		return w.newest(head)["waybill/"+w.connector+"/plan"] == "success the pull request is closed"
	})
	for _, commit := range []string{first, head, second} {
		w.ends(commit)
	}
}

// says writes below a pull request, as the owner of the repository.
func (w *forgeWorld) says(number int, text string) {
	w.t.Helper()
	w.call(http.MethodPost, fmt.Sprintf("/issues/%d/comments", number), map[string]any{"body": text}, nil)
}

// talks waits until the one comment of Waybill holds all words.
func (w *forgeWorld) talks(number int, words ...string) {
	w.t.Helper()
	w.eventually("a comment with "+strings.Join(words, ", "), func() bool {
		var list []struct{ Body string }
		w.call(http.MethodGet, fmt.Sprintf("/issues/%d/comments", number), nil, &list)
		ours := 0
		found := false
		for _, c := range list {
			if !strings.HasPrefix(c.Body, "<!-- waybill -->") {
				continue
			}
			ours++
			found = true
			for _, word := range words {
				found = found && strings.Contains(c.Body, word)
			}
		}
		if ours > 1 {
			w.t.Fatalf("%d comments: %+v", ours, list)
		}
		return found
	})
}
