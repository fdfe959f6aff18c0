package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/manifest"
)

// begin runs `waybill init` and returns what it printed and its exit code. With lines somebody answers.
func begin(t *testing.T, lines []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	env := Env{
		Version: "test", Stdin: strings.NewReader(strings.Join(lines, "\n") + "\n"), Stdout: &out, Stderr: &errs,
		Interactive: lines != nil, Getenv: func(string) string { return "" }, Now: time.Now,
	}
	code = Run(t.Context(), env, append([]string{"init"}, args...))
	return out.String(), errs.String(), code
}

// legal loads a folder and fails when anything in it is wrong.
func legal(t *testing.T, dir string) {
	t.Helper()
	l, err := manifest.New()
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Load(t.Context(), folder{os.DirFS(dir)}, manifest.Options{})
	if err != nil || len(r.Findings) > 0 || len(r.Declarations) != 1 {
		text, _ := os.ReadFile(filepath.Join(dir, manifest.Name))
		t.Errorf("%d declarations, %v: %v\n%s", len(r.Declarations), err, r.Findings, text)
	}
}

// TestInitConnectorIsLegal writes every type, mode and flow, with the defaults.
func TestInitConnectorIsLegal(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"datasource", "export", "export-delta", "data-service", "download", "transform", "write", "upload"} {
		for _, mode := range []string{"environment", "arguments"} {
			for _, flow := range []string{"default", "standalone", "migration"} {
				t.Run(kind+"/"+mode+"/"+flow, func(t *testing.T) {
					t.Parallel()
					dir := filepath.Join(t.TempDir(), "shop-feed")
					stdout, stderr, code := begin(t, nil, "connector", dir, "--yes", "--owner", "feeds", "--type", kind, "--mode", mode, "--flow", flow)
					if code != 0 || stderr != "" || !strings.Contains(stdout, "Wrote waybill.yaml, Dockerfile, program, README.md in ") {
						t.Fatalf("%d %s%s", code, stdout, stderr)
					}
					legal(t, dir)
				})
			}
		}
	}
}

// TestInitWithEverything uses every flag, with values that YAML, the shell or Docker could take for something else.
func TestInitWithEverything(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"datasource": {
			"connector", "--name", "yes-no", "--title", "{a}: 'b' #c, \"d\"", "--description", "null # not", "--owner", "feeds", "--type", "datasource",
			"--flow", "default", "--branch", "next/1.0", "--command", "/usr/bin/feed-1", "--argument", "it's", "--argument", "[x, y]", "--argument", "1",
			"--health-argument", "--c*", "--health-argument", "a)b;c", "--field", "base_url:input:Shop: required", "--field", "n:select:Much, or less:1|yes|a b",
			"--mode", "arguments", "--timeout", "90m", "--schedule", "CRON_TZ=Europe/Berlin 0 */6 * * *", "--category", "orders", "--category", "pim",
		},
		"export":       {"connector", "--owner", "feeds", "--yes", "--type", "export", "--channel", "ads", "--channel", "mail-shots", "--feedback", "false"},
		"data-service": {"connector", "--owner", "feeds", "--yes", "--type", "data-service", "--stage", "import", "--stage", "export", "--column-prefix", "geo_"},
		"app": {
			"app", "--name", "invoice-sync", "--title", "Invoice: Sync", "--description", "Copies paid invoices: all of them, # always.", "--owner", "finance-tools",
			"--distribution", "listed", "--email", "apps@example.org", "--url", "https://example.org/help", "--privacy", "https://example.org/privacy",
			"--terms", "https://example.org/terms", "--user", "ada", "--scope", "invoices:read=Reads amount, customer: all of it.", "--endpoint", "https://hooks.example.org/w",
			"--event", "invoice.paid", "--event", "invoice.*", "--payload", "full", "--redirect-url", "https://app.example.org/done",
			"--setting", "ledger:string:Ledger:required", "--setting", "mode:enum:Mode:full|off",
		},
		"app, little": {"app", "--yes", "--owner", "finance-tools", "--email", "a@example.org", "--user", "ada", "--allow", "acme-test"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "an-app")
			if stdout, stderr, code := begin(t, nil, append(args, dir)...); code != 0 {
				t.Fatalf("%d %s%s", code, stdout, stderr)
			}
			legal(t, dir)
		})
	}
}

// TestInitAsks plays a person who errs at every question first.
func TestInitAsks(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "Shop Feed")
	lines := []string{
		"Shop", "shop-feed", "", "", "exprt", "2", "", "?", "feeds", // details
		"", "feed", "/bin/feed", "", "", // control, application
		"base_url", "inptu", "", "Shop: address", "Shop address", "yes", "base_url", "", "", "", "size", "select", "", "", "1,2", "", // fields
		"environment", "1 hour", "9999h", "1h", "daily", "0 6 * * *", // execution
		"", "maybe", "false",
	}
	stdout, stderr, code := begin(t, lines, "connector", dir)
	if code != 0 || stderr != "" {
		t.Fatalf("%d %s\n%s", code, stderr, stdout)
	}
	legal(t, dir)
	got, err := os.ReadFile(filepath.Join(dir, manifest.Name))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"name: shop-feed\n", "title: Shop feed\n", "type: export\n", "channels: [shop-feed]", "- key: base_url\n", "required: true", `{value: "2", label: "2"}`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	for _, want := range []string{
		"1/7 Details", "4/7 Authentication and secrets", "7/7 What only this type has", "Name [shop-feed]: ", "2  export",
		"There is no exprt; did you mean export?", "The team that answers for it.", "Write the whole path of a file", "There is a field base_url already.", "The schedule has 1 field, not five: write five fields", `"9999h" is not legal for spec.run.timeout`,
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("nobody saw %q in\n%s", want, stdout)
		}
	}
}

func TestInitStops(t *testing.T) {
	t.Parallel()
	there := t.TempDir()
	if err := os.WriteFile(filepath.Join(there, "Dockerfile"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lines []string
		args  []string
		code  int
		want  string
	}{
		{nil, []string{"connector", there, "--yes", "--owner", "feeds"}, 1, "Dockerfile is there already, and nothing is overwritten"},
		{nil, []string{"connector", "DIR/shop-feed"}, 2, "nobody can be asked here, so answers have to be flags: --name, --title, --type, --flow, --owner, --command, --health-argument, --mode, --timeout, --category; with --yes only --owner\n"},
		{nil, []string{"connector", "DIR/shop-feed", "--owner", "feeds"}, 2, "--category; --yes takes the defaults\n"},
		{nil, []string{"connector", "DIR/1", "--yes", "--owner", "feeds"}, 2, "there is no default for --name, --title\n"},
		{nil, []string{"connector", "DIR/shop-feed", "--yes", "--owner", "Feeds"}, 2, `--owner "Feeds": write the name of your team`},
		{nil, []string{"connector", "DIR/shop-feed", "--yes", "--owner", "feeds", "--type", "downloud"}, 2, `--type "downloud": there is no downloud; did you mean download?`},
		{nil, []string{"connector", "DIR/shop-feed", "--yes", "--owner", "feeds", "--channel", "ads"}, 2, "--channel does not belong to the other answers"},
		{nil, []string{"connector", "DIR/shop-feed", "--yes", "--owner", "feeds", "--schedule", "daily"}, 2, "these answers make no legal manifest; nothing was written"},
		{[]string{"", "", ""}, []string{"connector", "DIR/shop-feed"}, 2, "the answers ended early; nothing was written"},
	} {
		dir := t.TempDir()
		args := append([]string{}, c.args...)
		args[1] = strings.Replace(args[1], "DIR", dir, 1)
		_, stderr, code := begin(t, c.lines, args...)
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: %d %s, want %d %s", c.args, code, stderr, c.code, c.want)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%v left %v", c.args, left)
		}
	}
}
