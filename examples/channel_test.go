package examples

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// channel runs the program of channel-export in BusyBox's shell, as its image does, and returns the folder it writes to.
func channel(t *testing.T, args []string, env ...string) (stdout, dir string, code int) {
	t.Helper()
	dir = t.TempDir()
	cmd := exec.CommandContext(t.Context(), "busybox", append([]string{"sh", "channel-export/export"}, args...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir}, env...)
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("install busybox-static: %v", err)
	}
	return out.String(), dir, cmd.ProcessState.ExitCode()
}

func TestChannelExportSendsItsInput(t *testing.T) {
	t.Parallel()
	data, err := filepath.Abs("channel-export/data")
	if err != nil {
		t.Fatal(err)
	}
	stdout, dir, code := channel(t, []string{"send"}, "INPUT=file://"+data)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stdout)
	}
	if diff := cmp.Diff(read(t, "channel-export/expected.csv"), read(t, filepath.Join(dir, "offers.csv"))); diff != "" {
		t.Errorf("the file differs (-want +got):\n%s", diff)
	}
	var feedback strings.Builder
	for line := range strings.Lines(stdout) {
		if waybill.ParseLine([]byte(line)).Kind == waybill.LineRow {
			feedback.WriteString(line)
		}
	}
	if diff := cmp.Diff(read(t, "channel-export/expected.jsonl"), feedback.String()); diff != "" {
		t.Errorf("the feedback differs (-want +got):\n%s", diff)
	}
}

func TestChannelExportSaysWhoHasToAct(t *testing.T) {
	t.Parallel()
	bad := t.TempDir()
	if err := os.WriteFile(filepath.Join(bad, "offers.tsv"), []byte("id\ttitle\n1\ta\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args  []string
		env   []string
		class waybill.ExitClass
	}{
		"checked":         {args: []string{"send", "--check"}, class: waybill.ClassOK},
		"help":            {args: []string{"--help"}, class: waybill.ClassOK},
		"unknown":         {args: []string{"import"}, class: waybill.ClassUser},
		"no input":        {args: []string{"send"}, class: waybill.ClassUser},
		"no such folder":  {args: []string{"send"}, env: []string{"INPUT=file:///nonexistent"}, class: waybill.ClassUser},
		"missing columns": {args: []string{"send"}, env: []string{"INPUT=file://" + bad}, class: waybill.ClassUser},
		"odd file name":   {args: []string{"send"}, env: []string{"INPUT=file://" + bad, "FILE_NAME=../x"}, class: waybill.ClassUser},
		"no channel":      {args: []string{"send"}, env: []string{"INPUT=http://127.0.0.1:1"}, class: waybill.ClassRemote},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, _, code := channel(t, test.args, test.env...)
			if got := waybill.ClassOf(code, false, false); got != test.class {
				t.Errorf("exit code %d is of class %s, want %s; %s", code, got, test.class, stdout)
			}
		})
	}
}
