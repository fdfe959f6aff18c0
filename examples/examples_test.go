// Package examples runs what people copy.
package examples

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// feed runs the program of shop-feed in BusyBox's shell, as its image does.
func feed(t *testing.T, args []string, env ...string) (stdout string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "busybox", append([]string{"sh", "shop-feed/feed"}, args...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir()}, env...)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("install busybox-static: %v", err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// folder writes products.csv and returns the address of its folder.
func folder(t *testing.T, products string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "products.csv"), []byte(products), 0o600); err != nil {
		t.Fatal(err)
	}
	return "BASE_URL=file://" + dir
}

// records reads CSV the way the standard library does.
func records(t *testing.T, text string) []map[string]string {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]string
	for _, line := range lines[1:] {
		m := map[string]string{}
		for i, name := range lines[0] {
			m[name] = line[i]
		}
		list = append(list, m)
	}
	return list
}

// rows reads what a program printed; every line has to be a row or a log record.
func rows(t *testing.T, stdout string) []map[string]string {
	t.Helper()
	var list []map[string]string
	for s := bufio.NewScanner(strings.NewReader(stdout)); s.Scan(); {
		switch waybill.ParseLine(s.Bytes()).Kind {
		case waybill.LineRecord:
		case waybill.LineRow:
			var m map[string]string
			if err := json.Unmarshal(s.Bytes(), &m); err != nil {
				t.Fatalf("%v: %s", err, s.Text())
			}
			list = append(list, m)
		default:
			t.Errorf("neither a row nor a log record: %s", s.Text())
		}
	}
	return list
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestShopFeedGivesItsInput(t *testing.T) {
	t.Parallel()
	input := read(t, "shop-feed/data/products.csv")
	stdout, code := feed(t, []string{"import"}, folder(t, input), "PAGE_SIZE=10")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stdout)
	}
	want := records(t, input)
	if len(want) != 25 {
		t.Errorf("the sample has %d products, want 25", len(want))
	}
	if diff := cmp.Diff(want, rows(t, stdout)); diff != "" {
		t.Errorf("rows differ from the input (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, rows(t, read(t, "shop-feed/expected.jsonl"))); diff != "" {
		t.Errorf("expected.jsonl differs from the input (-want +got):\n%s", diff)
	}
}

func TestShopFeedReadsCSV(t *testing.T) {
	t.Parallel()
	for name, input := range map[string]string{
		"quotes":        "a,b\n\"say \"\"hi\"\"\",\"\"\n\"\"\"\",x\n",
		"line breaks":   "a,b\r\n\"one\r\ntwo\n\nfour\",x\r\n\r\ny,\"\n\"\r\n",
		"control chars": "a,b\n\x01\x1f\x7f,\t\\n\\\\\n",
		"no rows":       "a,b\n",
		"no line end":   "a,b\n1,2",
		"empty column":  "a,b\n,\n,x\n",
		"odd names":     "\"a \"\"b\"\"\",ü\\\n1,2\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, code := feed(t, []string{"import"}, folder(t, input))
			if code != 0 {
				t.Errorf("exit code %d: %s", code, stdout)
			}
			if diff := cmp.Diff(records(t, input), rows(t, stdout)); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestShopFeedSaysWhoHasToAct(t *testing.T) {
	t.Parallel()
	good := "a,b\n1,2\n"
	for name, test := range map[string]struct {
		args  []string
		env   []string
		class waybill.ExitClass
	}{
		"checked":       {args: []string{"import", "--check"}, class: waybill.ClassOK},
		"help":          {args: []string{"--help"}, class: waybill.ClassOK},
		"unknown":       {args: []string{"export"}, class: waybill.ClassUser},
		"no address":    {class: waybill.ClassUser},
		"no such place": {env: []string{"BASE_URL=file:///nonexistent"}, class: waybill.ClassUser},
		"odd address":   {env: []string{`BASE_URL=ftp://"`}, class: waybill.ClassUser},
		"odd page size": {env: []string{folder(t, good), "PAGE_SIZE=0"}, class: waybill.ClassUser},
		"columns":       {env: []string{folder(t, "a,b\n1,2\n1,2,3\n4,5\n")}, class: waybill.ClassRemote},
		"open quote":    {env: []string{folder(t, "a,b\n1,\"2\n")}, class: waybill.ClassRemote},
		"empty":         {env: []string{folder(t, "")}, class: waybill.ClassRemote},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.args == nil {
				test.args = []string{"import"}
			}
			stdout, code := feed(t, test.args, test.env...)
			if got := waybill.ClassOf(code, false, false); got != test.class {
				t.Errorf("exit code %d is of class %s, want %s; %s", code, got, test.class, stdout)
			}
			failed := strings.Contains(stdout, `{"level":"error","message":`)
			if failed == slices.Contains([]waybill.ExitClass{waybill.ClassOK}, test.class) {
				t.Errorf("class %s with %s", test.class, stdout)
			}
		})
	}
}
