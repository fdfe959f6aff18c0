//go:build gitea

package server_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/testkit"
)

// forgeWorld is a world whose repository lives at a real Gitea.
type forgeWorld struct {
	*world
	gitea *testkit.Gitea
	path  string // owner/name
}

// newForgeWorld makes a world and a repository at Gitea, to which it pushes. Nothing is pushed and nothing runs yet.
func newForgeWorld(t testing.TB, name string) *forgeWorld {
	t.Helper()
	w := &forgeWorld{world: newWorld(t, name), gitea: testkit.NewGitea(t)}
	w.path = w.gitea.Repository(w.connector)
	w.clone.Run("remote", "set-url", "origin", w.gitea.CloneURL(w.path))
	w.configure("")
	return w
}

// configure writes the configuration, which looks often at what hooks should tell.
func (w *forgeWorld) configure(more string) {
	w.t.Helper()
	w.config = filepath.Join(w.dir, "waybill-config.yaml")
	token := filepath.Join(w.dir, "gitea.token")
	text := fmt.Sprintf("forges:\n  - {name: gitea, kind: gitea, url: %q, tokenFile: %q}\npoll: {unhooked: 2s, hooked: 3s}\n%s", w.gitea.URL, token, more)
	for file, content := range map[string]string{w.config: text, token: w.gitea.Token + "\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

// serveForge starts a server that watches the repository.
func (w *forgeWorld) serveForge() *process {
	w.t.Helper()
	p := w.start()
	w.waybill("repo", "add", w.gitea.URL+"/"+w.path, "--owner", "feeds")
	return p
}

// newest is what Gitea shows of a commit: the newest status of each context, as "state description".
func (w *forgeWorld) newest(commit string) map[string]string {
	w.t.Helper()
	shown := map[string]string{}
	for _, s := range w.gitea.Statuses(w.path, commit) {
		shown[s.Context] = s.State + " " + s.Description
	}
	return shown
}

// ends waits until everything that a commit says is final and it says so of the contexts, each "context state".
func (w *forgeWorld) ends(commit string, contexts ...string) {
	w.t.Helper()
	shown := map[string]string{}
	w.eventually("the end of "+commit+" with "+strings.Join(contexts, ", "), func() bool {
		shown = w.newest(commit)
		for _, s := range shown {
			if strings.HasPrefix(s, "pending") {
				return false
			}
		}
		for _, want := range contexts {
			context, state, _ := strings.Cut(want, " ")
			if !strings.HasPrefix(shown[context], state+" ") {
				return false
			}
		}
		return shown["waybill"] != ""
	})
}

// ofNames puts the connector's name into contexts.
func (w *forgeWorld) ofNames(contexts ...string) []string {
	list := slices.Clone(contexts)
	for i := range list {
		list[i] = strings.ReplaceAll(list[i], "NAME", w.connector)
	}
	return list
}

// finals counts the final writes of the aggregate at Gitea.
func (w *forgeWorld) finals(commit string) (n int) {
	w.t.Helper()
	for _, s := range w.gitea.Statuses(w.path, commit) {
		if s.Context == "waybill" && s.State != "pending" {
			n++
		}
	}
	return n
}

// once fails the test unless the aggregate of each commit began pending and ended once.
func (w *forgeWorld) once(commits ...string) {
	w.t.Helper()
	for _, c := range commits {
		all := w.gitea.Statuses(w.path, c)
		i := slices.IndexFunc(all, func(s testkit.GiteaStatus) bool { return s.Context == "waybill" })
		if i < 0 || all[i].State != "pending" || w.finals(c) != 1 {
			w.t.Errorf("%s was told %+v", c, all)
		}
	}
}

// call speaks with the API about the world's repository, as its owner.
func (w *forgeWorld) call(method, path string, in, out any) {
	w.t.Helper()
	w.gitea.Call(method, "/repos/"+w.path+path, in, out)
}

// hooks are the ids of the repository's hooks.
func (w *forgeWorld) hooks() (ids []int) {
	w.t.Helper()
	var list []struct{ ID int }
	w.call(http.MethodGet, "/hooks", nil, &list)
	for _, h := range list {
		ids = append(ids, h.ID)
	}
	return ids
}
