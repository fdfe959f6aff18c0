package archtest

import (
	"flag"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestThisModule(t *testing.T) {
	t.Parallel()
	root := os.DirFS("../..")
	for _, check := range []func() ([]string, error){
		func() ([]string, error) { return Check(root) },
		func() ([]string, error) { return Top(root) },
	} {
		problems, err := check()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Error(p)
		}
	}
}

var update = flag.Bool("update", false, "write the table of packages into internal/README.md")

// TestMap keeps the table in internal/README.md equal to what the package comments say.
func TestMap(t *testing.T) {
	t.Parallel()
	const file, open, end = "../README.md", "<!-- packages: written by `go test ./internal/archtest -update` -->\n", "<!-- /packages -->"
	table, err := Map(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), open)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no block %q", file, open)
	}
	want := before + open + table + end + after
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("%s is out of date: run `go test ./internal/archtest -update`", file)
	}
}

// Each case is one file that would break a rule, and the start of what is said about it.
func TestProblems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, source string
		want         []string
	}{
		"a room that may not be entered": {
			"internal/git/plan/plan.go",
			"// Package plan plans.\npackage plan\nimport _ \"github.com/waybill-dev/waybill/internal/connector/release\"\n",
			[]string{"internal/git/plan/plan.go:3: internal/git/plan imports internal/connector/release (the import table allows internal/waybill"},
		},
		"git enters connector in a test too": {
			"internal/git/plan/plan_test.go",
			"package plan\nimport _ \"github.com/waybill-dev/waybill/internal/connector/release\"\n",
			[]string{"internal/git/plan/plan_test.go:2: internal/git/plan imports internal/connector/release"},
		},
		"two adapters": {
			"internal/connector/build/build.go",
			"// Package build builds.\npackage build\nimport _ \"github.com/waybill-dev/waybill/internal/foundation/blob\"\n",
			[]string{"internal/connector/build/build.go:3: adapter internal/connector/build imports adapter internal/foundation/blob"},
		},
		"a suite outside tests": {
			"internal/server/server.go",
			"// Package server serves.\npackage server\nimport _ \"github.com/waybill-dev/waybill/internal/testkit\"\n",
			[]string{"internal/server/server.go:3: internal/server imports internal/testkit outside its tests"},
		},
		"a package without a line": {
			"internal/util/util.go",
			"// Package util helps.\npackage util\n",
			[]string{"internal/util: this package has no line in the import table"},
		},
		"the engine's client spreads": {
			"internal/connector/release/release.go",
			"// Package release releases.\npackage release\nimport _ \"github.com/docker/docker/client\"\n",
			[]string{"internal/connector/release/release.go:3: internal/connector/release imports github.com/docker/docker, which only"},
		},
		"the domain learns a library": {
			"internal/waybill/a.go",
			"// Package waybill is the domain.\npackage waybill\nimport (\n_ \"gopkg.in/yaml.v3\"\n_ \"os/exec\"\n)\n",
			[]string{"internal/waybill/a.go:4: the domain imports gopkg.in/yaml.v3", "internal/waybill/a.go:5: internal/waybill imports os/exec"},
		},
		"the domain reads the clock": {
			"internal/waybill/a.go",
			"// Package waybill is the domain.\npackage waybill\nimport clock \"time\"\nfunc now() clock.Time { return clock.Now() }\n",
			[]string{"internal/waybill/a.go:4: time.Now in internal/waybill"},
		},
		"no package comment": {
			"internal/server/server.go", "// server serves.\npackage server\n",
			[]string{"internal/server: no package comment"},
		},
		"a long file": {
			"internal/server/server.go", "// Package server serves.\npackage server\n" + strings.Repeat("\n", maxLines),
			[]string{"internal/server/server.go:402: longer than 400 lines"},
		},
		"init and sleep": {
			"internal/server/server_test.go", "package server\nimport \"time\"\nfunc init() {\n\ttime.Sleep(1)\n}\n",
			[]string{"internal/server/server_test.go:3: init function", "internal/server/server_test.go:4: time.Sleep"},
		},
		"state": {
			"internal/server/server.go",
			"// Package server serves.\npackage server\nvar count int\nvar cache = map[string]int{}\nvar Names = []string{}\nvar made = New()\nfunc f() { cache[\"a\"] = 1 }\n",
			[]string{
				"internal/server/server.go:3: package variable count", "internal/server/server.go:4: cache is state",
				"internal/server/server.go:5: Names can be changed", "internal/server/server.go:6: package variable made",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Check(fstest.MapFS{c.file: {Data: []byte(c.source)}})
			if err != nil {
				t.Fatal(err)
			}
			for i := range min(len(got), len(c.want)) {
				got[i] = got[i][:min(len(got[i]), len(c.want[i]))] // only how each one starts
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// Nothing is said about what the rules leave free.
func TestNoProblems(t *testing.T) {
	t.Parallel()
	source := `// Package release releases.
package release

import (
	"embed"
	"errors"
	"io"
	"regexp"

	"github.com/waybill-dev/waybill/internal/connector/build"
	"github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

//go:embed testdata
var files embed.FS

var (
	errGone = errors.New("gone")
	digest  = regexp.MustCompile("[0-9a-f]+")
	errHeld = waybill.Errorf(waybill.Conflict, "held")
)

var order = []string{"build", "runtime"}

var _ io.Reader = (*build.Log)(nil)
`
	got, err := Check(fstest.MapFS{
		"internal/connector/release/release.go": {Data: []byte(source)},
		"internal/connector/release/release_test.go": {Data: []byte(
			"package release_test\nimport (\n_ \"github.com/waybill-dev/waybill/internal/connector/release\"\n" +
				"_ \"github.com/waybill-dev/waybill/internal/testkit\"\n_ \"github.com/docker/docker/client\"\n)\n",
		)},
		"internal/connector/release/testdata/broken.go": {Data: []byte("not Go")},
		"examples/copy/go.mod":                          {Data: []byte("module copy\n")},
		"examples/copy/main.go":                         {Data: []byte("package main\nvar state int\n")},
		".tools/tool.go":                                {Data: []byte("package tool\nfunc init() {}\n")},
	})
	if err != nil || len(got) > 0 {
		t.Errorf("got %q, %v; want no problems", got, err)
	}
}

func TestTop(t *testing.T) {
	t.Parallel()
	got, err := Top(fstest.MapFS{"notes.txt": {}, "Makefile": {}, ".golangci.yml": {}, "internal/a.go": {}, "cpu.prof": {}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || !strings.HasPrefix(got[0], "notes.txt: does not belong") {
		t.Errorf("got %q, want one problem with notes.txt", got)
	}
}
