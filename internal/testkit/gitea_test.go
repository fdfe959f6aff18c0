//go:build gitea

package testkit

import (
	"testing"
)

func TestGiteaTakesAPush(t *testing.T) {
	t.Parallel()
	gitea := NewGitea(t)
	path := gitea.Repository("shop")
	clone := NewGit(t).Clone(gitea.CloneURL(path), "clone")
	commit := clone.Commit("Begin", map[string]string{"README.md": "# Shop\n"})
	clone.Push("main")
	gitea.Call("POST", "/repos/"+path+"/statuses/"+commit, map[string]string{"context": "test", "state": "success"}, nil)
	if got := gitea.Statuses(path, commit); len(got) != 1 || got[0].State != "success" {
		t.Errorf("statuses %v", got)
	}
}
