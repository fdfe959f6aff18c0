//go:build gitea

package gitea_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/forge/forgetest"
	"github.com/waybill-dev/waybill/internal/git/forge/gitea"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestGiteaContract runs the suite against a real Gitea, with a repository of its own for each test.
func TestGiteaContract(t *testing.T) {
	t.Parallel()
	forgetest.Run(t, open)
}

// open makes a repository with a commit and three pull requests: from a branch, from a fork, and a closed one.
func open(t *testing.T) *forgetest.Place {
	t.Helper()
	admin := testkit.NewGitea(t)
	path := admin.Repository("shop")
	writer, reader := admin.Join("writer"), admin.Join("reader")
	for user, right := range map[string]string{writer.User: "write", reader.User: "read"} {
		admin.Call(http.MethodPut, "/repos/"+path+"/collaborators/"+user, map[string]any{"permission": right}, nil)
	}
	git := testkit.NewGit(t)
	clone := git.Clone(admin.CloneURL(path), "clone")
	commit := clone.Commit("Begin", map[string]string{"README.md": "# Shop\n"})
	clone.Run("checkout", "--quiet", "-b", "topic")
	head := clone.Commit("Add", map[string]string{"add.txt": "add\n"})
	clone.Run("checkout", "--quiet", "-b", "other")
	clone.Commit("Drop", map[string]string{"drop.txt": "drop\n"})
	clone.Push("main", "topic", "other")

	fork := fork(t, reader, path, git)
	h := connect(t, gitea.Options{URL: admin.URL, Token: token(admin.Token)})
	r, err := h.Find(t.Context(), waybill.Repository{URL: admin.URL + "/" + path})
	if err != nil {
		t.Fatal(err)
	}
	r.ID = "R"
	pull := func(by *testkit.Gitea, from string) waybill.Pull {
		var made struct{ Number int }
		by.Call(http.MethodPost, "/repos/"+path+"/pulls", map[string]any{"head": from, "base": "main", "title": "Change it"}, &made)
		return waybill.Pull{Number: made.Number, Ref: fmt.Sprintf("refs/pull/%d/head", made.Number), Base: "main"}
	}
	inside, outside, closed := pull(writer, "topic"), pull(reader, reader.User+":elsewhere"), pull(writer, "other")
	inside.Head, outside.Head, outside.Fork = head, fork, true
	admin.Call(http.MethodPatch, fmt.Sprintf("/repos/%s/pulls/%d", path, closed.Number), map[string]any{"state": "closed"}, nil)
	p := &forgetest.Place{
		Host: h, Revoked: connect(t, gitea.Options{URL: admin.URL, Token: token("0123456789012345678901234567890123456789")}),
		Repository: r, Commit: commit, Pull: inside, Fork: outside, Closed: closed.Number,
		Admin: admin.User, Writer: writer.User, Reader: reader.User,
	}
	look(p, admin, writer, path)
	return p
}

// fork makes a fork of a repository with a branch elsewhere, and returns its commit.
func fork(t *testing.T, by *testkit.Gitea, path string, git *testkit.Git) string {
	t.Helper()
	var forked struct {
		Path string `json:"full_name"`
	}
	by.Call(http.MethodPost, "/repos/"+path+"/forks", map[string]any{"name": "fork"}, &forked)
	clone := git.Clone(by.CloneURL(forked.Path), "fork")
	clone.Run("checkout", "--quiet", "-b", "elsewhere")
	commit := clone.Commit("Add elsewhere", map[string]string{"elsewhere.txt": "add\n"})
	clone.Push("elsewhere")
	return commit
}

// look gives the suite its view of the server past the adapter.
func look(p *forgetest.Place, admin, other *testkit.Gitea, path string) {
	p.Statuses = func(_ *testing.T, commit string) (list []waybill.Status) {
		for _, s := range admin.Statuses(path, commit) {
			list = append(list, waybill.Status{Context: s.Context, State: waybill.State(s.State), Description: s.Description, URL: s.TargetURL})
		}
		return list
	}
	p.Hooks = func(*testing.T) (list []string) {
		var hooks []struct{ Config map[string]string }
		admin.Call(http.MethodGet, "/repos/"+path+"/hooks", nil, &hooks)
		for _, h := range hooks {
			list = append(list, h.Config["url"])
		}
		return list
	}
	p.Comments = func(_ *testing.T, number int) (list []forgetest.Comment) {
		var comments []struct {
			ID   int
			Body string
		}
		admin.Call(http.MethodGet, fmt.Sprintf("/repos/%s/issues/%d/comments", path, number), nil, &comments)
		for _, c := range comments {
			list = append(list, forgetest.Comment{ID: strconv.Itoa(c.ID), Body: c.Body})
		}
		return list
	}
	p.Say = func(_ *testing.T, number int, body string) {
		other.Call(http.MethodPost, fmt.Sprintf("/repos/%s/issues/%d/comments", path, number), map[string]any{"body": body}, nil)
	}
	p.Delete = func(_ *testing.T, _ int, id string) {
		admin.Call(http.MethodDelete, "/repos/"+path+"/issues/comments/"+id, nil, nil)
	}
}

// TestGiteaPing asks a hook to say something, which is delivered to an address of this machine.
func TestGiteaPing(t *testing.T) {
	t.Parallel()
	p := open(t)
	h, ok := p.Host.(*gitea.Gitea)
	if !ok {
		t.Fatalf("%T is no Gitea", p.Host)
	}
	arrived := make(chan string, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived <- r.Header.Get("X-Gitea-Event") }))
	t.Cleanup(hook.Close)
	if err := h.Ping(t.Context(), p.Repository, hook.URL); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("without a hook: %v", err)
	}
	if err := h.InstallHook(t.Context(), p.Repository, hook.URL); err != nil {
		t.Fatal(err)
	}
	if err := h.Ping(t.Context(), p.Repository, hook.URL); err != nil {
		t.Fatal(err)
	}
	select {
	case event := <-arrived:
		if event != "push" {
			t.Errorf("the ping is a %s", event)
		}
	case <-time.After(30 * time.Second):
		t.Error("no ping arrived")
	}
}

// TestGiteaEmptyRepository: one to which nothing was pushed has no pull requests, which is no mistake.
func TestGiteaEmptyRepository(t *testing.T) {
	t.Parallel()
	admin := testkit.NewGitea(t)
	h := connect(t, gitea.Options{URL: admin.URL, Token: token(admin.Token)})
	r, err := h.Find(t.Context(), waybill.Repository{URL: admin.URL + "/" + admin.Repository("empty")})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := h.OpenPulls(t.Context(), r); len(list) > 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
}
