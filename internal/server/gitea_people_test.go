//go:build gitea

package server_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGiteaForPeople: what a person does with a repository at a forge, from watching it to taking it away.
func TestGiteaForPeople(t *testing.T) {
	t.Parallel()
	w := newForgeWorld(t, "forge-people")
	p := w.start()
	defer p.stop()
	address := w.gitea.URL + "/" + w.path

	// A token that may not install hooks: what to paste is printed, and pushes are found all the same.
	weak := w.weakToken()
	strong := w.gitea.Token
	w.useToken(weak)
	out := w.waybill("repo", "add", address, "--owner", "feeds", "-o", "json")
	var added struct {
		Name, Forge string
		ForgeID     string `json:"forge_id"`
		Path        string
		Installed   bool `json:"hook_installed"`
		Hint        string
		Hook        *struct{ Page, Address, Secret string }
	}
	if err := json.Unmarshal([]byte(out), &added); err != nil {
		t.Fatal(err)
	}
	if added.Forge != "gitea" || added.ForgeID == "" || added.Path != w.path || added.Installed || added.Hook == nil ||
		added.Hook.Page != address+"/settings/hooks/gitea/new" || added.Hook.Secret == "" || added.Hint == "" {
		t.Errorf("added: %s", out)
	}
	w.clone.Push("main")
	first := strings.TrimSpace(w.clone.Run("rev-parse", "HEAD"))
	w.eventually("polling finds the push", func() bool { return w.newest(first)["waybill"] != "" })

	stdout, _, code := w.command("forge", "check", "gitea", "--repository", added.Name)
	if code != 1 || !strings.Contains(stdout, "failed") {
		t.Errorf("a weak token passes (%d):\n%s", code, stdout)
	}
	t.Logf("forge check with a weak token:\n%s", stdout)

	// A better token is seen without a restart.
	w.useToken(strong)
	if out := w.waybill("repo", "hook", added.Name); !strings.Contains(out, "is installed") || len(w.hooks()) != 1 {
		t.Errorf("%d hooks; said: %s", len(w.hooks()), out)
	}
	stdout, stderr, code := w.command("forge", "check", "gitea", "--repository", added.Name)
	if code != 0 || !strings.Contains(stdout, "a ping arrived") {
		t.Errorf("forge check ends with %d: %s\n%s", code, stderr, stdout)
	}
	t.Logf("forge check:\n%s", stdout)
	t.Logf("forge list:\n%s", w.waybill("forge", "list"))

	// A new secret, and pushes are still told.
	if out := w.waybill("repo", "rotate-secret", added.Name); !strings.Contains(out, "the secret before is good until") {
		t.Errorf("rotated: %s", out)
	}
	w.clone.Commit("second", map[string]string{"notes.txt": "2"})
	w.clone.Push("main")
	second := strings.TrimSpace(w.clone.Run("rev-parse", "HEAD"))
	w.ends(second, "waybill success")
	stdout = w.waybill("repo", "show", added.Name)
	if !strings.Contains(stdout, "told") || !strings.Contains(stdout, "gitea") {
		t.Errorf("shown:\n%s", stdout)
	}

	// Removed, the hook goes too.
	w.waybill("repo", "remove", added.Name)
	w.eventually("the hook is gone", func() bool { return len(w.hooks()) == 0 })
}

// weakToken is a token that reads and writes statuses, but may not change the repository.
func (w *forgeWorld) weakToken() string {
	w.t.Helper()
	other := w.gitea.Join("bot")
	w.call(http.MethodPut, "/collaborators/"+other.User, map[string]any{"permission": "write"}, nil)
	return other.Token
}

// useToken puts another token into the file that the server reads.
func (w *forgeWorld) useToken(token string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, "gitea.token"), []byte(token+"\n"), 0o600); err != nil {
		w.t.Fatal(err)
	}
}
