//go:build gitea

package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestGiteaPush follows a connector at Gitea to dev and to prod, and one mistake on the way.
func TestGiteaPush(t *testing.T) {
	t.Parallel()
	w := newForgeWorld(t, "gitea-push")
	w.serveForge()
	first := w.clone.Run("rev-parse", "HEAD")
	w.clone.Push("main")
	w.ends(first, w.ofNames("waybill success", "waybill/NAME/validate success", "waybill/NAME/build success", "waybill/NAME/dev success")...)
	w.once(first)
	w.serves("dev " + first[:7])

	broken := w.clone.Commit("Mistype", map[string]string{"waybill.yaml": strings.Replace(w.manifest(""), "  title:", "  titel:", 1)})
	w.clone.Push("main")
	w.ends(broken, w.ofNames("waybill failure", "waybill/NAME/validate failure")...)
	w.once(broken)
	for _, s := range w.gitea.Statuses(w.path, broken) {
		if s.State != "failure" {
			continue
		}
		if !strings.Contains(s.Description, "waybill.yaml:5:3") || !strings.Contains(s.Description, "titel") {
			t.Errorf("%s says %q", s.Context, s.Description)
		}
		if page := w.page(s.TargetURL); !strings.Contains(page, "titel") || !strings.Contains(page, "waybill.yaml") {
			t.Errorf("behind %s is\n%s", s.TargetURL, page)
		}
	}
	w.serves("dev " + first[:7])

	mended := w.clone.Commit("Mend", map[string]string{"waybill.yaml": w.manifest(""), "feed": feed + "echo mended\n"})
	w.clone.Push("main")
	w.ends(mended, w.ofNames("waybill success", "waybill/NAME/dev success")...)
	w.clone.Run("tag", "-a", "-m", "Release 1.0.0", "v1.0.0")
	w.clone.Push("v1.0.0")
	w.ends(mended, w.ofNames("waybill success", "waybill/NAME/prod success")...)
	w.serves("dev "+mended[:7], "prod "+mended[:7]+" 1.0.0")
}

// page returns the text of a page of Waybill's.
func (w *forgeWorld) page(url string) string {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		w.t.Errorf("%s: %s, %v", url, res.Status, err)
	}
	return string(text)
}

// TestGiteaRefs moves branches and tags in every way.
func TestGiteaRefs(t *testing.T) {
	t.Parallel()
	w := newForgeWorld(t, "gitea-refs")
	w.serveForge()
	first := w.clone.Run("rev-parse", "HEAD")
	w.clone.Push("main")
	w.ends(first, w.ofNames("waybill/NAME/dev success")...)
	second := w.clone.Commit("Grow", map[string]string{"feed": feed + "echo more\n"})
	w.clone.Push("main")
	w.ends(second, w.ofNames("waybill/NAME/dev success")...)

	w.clone.Run("reset", "--quiet", "--hard", first)
	forced := w.clone.Commit("Grow otherwise", map[string]string{"feed": feed + "echo other\n"})
	w.clone.Push("--force", "main")
	w.ends(forced, w.ofNames("waybill success", "waybill/NAME/dev success")...)
	w.serves("dev " + forced[:7])

	w.clone.Run("checkout", "--quiet", "-b", "feature")
	feature := w.clone.Commit("Try", map[string]string{"feed": feed + "echo tried\n"})
	w.clone.Push("feature")
	w.ends(feature, w.ofNames("waybill success", "waybill/NAME/validate success")...)
	w.clone.Push(":feature")

	w.clone.Run("checkout", "--quiet", "main")
	for _, tag := range []string{"v1.0.0", "v1.0.1", "v1.1.0", "v1.2.0", "v1.10.0"} {
		w.clone.Run("tag", tag)
	}
	w.clone.Push("v1.0.0", "v1.0.1", "v1.1.0", "v1.2.0", "v1.10.0")
	w.eventually("the highest is live", func() bool {
		return w.live(w.connector) == "dev "+forced[:7]+", prod "+forced[:7]+" 1.10.0"
	})
	w.clone.Run("tag", "-a", "-m", "Release 2", "v1.11.0")
	w.clone.Push("v1.11.0")
	w.eventually("the annotated tag is live", func() bool {
		return w.live(w.connector) == "dev "+forced[:7]+", prod "+forced[:7]+" 1.11.0"
	})
	for _, commit := range []string{first, second, forced, feature} {
		w.ends(commit)
	}
	w.once(first, second, feature)
}

// TestGiteaRename renames the repository and pushes to it under its new name.
func TestGiteaRename(t *testing.T) {
	t.Parallel()
	w := newForgeWorld(t, "gitea-rename")
	w.serveForge()
	first := w.clone.Run("rev-parse", "HEAD")
	w.clone.Push("main")
	w.ends(first, w.ofNames("waybill/NAME/dev success")...)

	name := w.connector + "-new"
	w.call(http.MethodPatch, "", map[string]any{"name": name}, nil)
	w.path = w.gitea.User + "/" + name
	w.clone.Run("remote", "set-url", "origin", w.gitea.CloneURL(w.path))
	second := w.clone.Commit("Grow", map[string]string{"feed": feed + "echo more\n"})
	w.clone.Push("main")
	w.ends(second, w.ofNames("waybill success", "waybill/NAME/dev success")...)
	w.once(first, second)
	w.eventually("the new path is known", func() bool { return strings.Contains(w.waybill("repo", "list"), name) })
}

// TestGiteaHookDeleted takes the hook away by hand: polling finds what is pushed then, and a hook is there again.
func TestGiteaHookDeleted(t *testing.T) {
	t.Parallel()
	w := newForgeWorld(t, "gitea-unhooked")
	w.serveForge()
	hooks := w.hooks()
	if len(hooks) != 1 {
		t.Fatalf("hooks %v", hooks)
	}
	w.call(http.MethodDelete, fmt.Sprintf("/hooks/%d", hooks[0]), nil, nil)
	first := w.clone.Run("rev-parse", "HEAD")
	w.clone.Push("main")
	w.ends(first, w.ofNames("waybill success", "waybill/NAME/dev success")...)
	w.once(first)

	// The first push of all says nothing about the hook: it may be older than that.
	second := w.clone.Commit("Grow", map[string]string{"feed": feed + "echo more\n"})
	w.clone.Push("main")
	w.ends(second, w.ofNames("waybill success", "waybill/NAME/dev success")...)
	w.once(second)
	w.eventually("a hook is there again", func() bool { return len(w.hooks()) == 1 })
	if out := w.waybill("forge", "check", "gitea", "--repository", "feeds/"+w.connector); !strings.Contains(out, "a ping arrived") {
		t.Errorf("the check says\n%s", out)
	}
}
