package server_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPreview asks the server about a work tree before it is pushed.
func TestPreview(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "preview")
	w.serve()
	w.clone.Push("main")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	here := func(args ...string) (string, int) {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Env, cmd.Dir = w.env(), w.clone.Dir
		text, err := cmd.CombinedOutput()
		if err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(text), w.connector, "NAME"), cmd.ProcessState.ExitCode()
	}
	manifest := w.manifest("")
	for _, c := range []struct {
		name, manifest string
		args           []string
		code           int
		want           string
	}{
		{"nothing changed", manifest, []string{"plan", "--server"}, 0, "no declaration changes\n"},
		{"valid", manifest, []string{"validate", "--server"}, 0, "waybill.yaml:1: NAME is valid\n"},
		{"offline", manifest, []string{"validate"}, 0, "waybill.yaml:1: NAME is valid\n1 reference not checked: no server\n"},
		{
			"another owner", strings.Replace(manifest, "owner: feeds", "owner: others", 1),
			[]string{"validate", "--server"},
			1,
			"waybill.yaml:6:10: error WB302: owner \"others\" is not the team of this repository (write \"feeds\")\n1 error in 1 file\n",
		},
		{
			"a command", strings.Replace(manifest, "/bin/feed", "/bin/other", 1),
			[]string{"plan", "--server"},
			0,
			"CHANGE   DECLARATION   GOES TO  WHAT              AFFECTED\nrecheck  NAME  dev      spec.application  site:feeds-dev\n",
		},
		{
			"what never may change", strings.NewReplacer("type: datasource", "type: download", "  datasource: {categories: [shop-systems]}\n", "").Replace(manifest),
			[]string{"plan", "--server"},
			1,
			"no declaration changes\nwaybill.yaml:8:9: error WB104: spec.type of NAME is \"datasource\" and cannot become \"download\" " +
				"(write \"datasource\", or declare a new connector under another metadata.name)\n1 error in 1 file\n",
		},
	} {
		if err := os.WriteFile(filepath.Join(w.clone.Dir, "waybill.yaml"), []byte(c.manifest), 0o600); err != nil {
			t.Fatal(err)
		}
		got, code := here(c.args...)
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") } // columns are as wide as the name
		if diff := cmp.Diff(squeeze(c.want), squeeze(got)); diff != "" || code != c.code {
			t.Errorf("%s: exit code %d %s", c.name, code, diff)
		}
	}
}
