package cli

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestEveryCodeHasAnExitCode(t *testing.T) {
	t.Parallel()
	for _, code := range waybill.Codes() {
		got, ok := exitCodes()[code]
		if want := map[bool]int{true: 2, false: 1}[code == waybill.Invalid]; !ok || got != want {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
		if err := waybill.Errorf(code, "no"); exitCode(err) != got {
			t.Errorf("%v: %d, want %d", err, exitCode(err), got)
		}
	}
	for err, want := range map[error]int{misuse("no"): 2, &failedError{}: 1, io.EOF: 1, context.Canceled: 1} {
		if got := exitCode(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "0s ago", 59 * time.Second: "59s ago", time.Minute: "1m ago", 59 * time.Minute: "59m ago", time.Hour: "1h ago",
		47 * time.Hour: "1d ago", 29 * 24 * time.Hour: "29d ago", 30 * 24 * time.Hour: "2026-01-30", -time.Minute: "2026-03-01",
	} {
		if got := ago(now, now.Add(-d)); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
	if got := ago(now, time.Time{}); got != "-" {
		t.Errorf("never: %q", got)
	}
}

func TestWordsForNumbers(t *testing.T) {
	t.Parallel()
	for in, want := range map[float64]string{0: "-", 0.0004: "1ms", 0.04: "40ms", 0.1: "0.1s", 2.14: "2.1s", 59.9: "59.9s", 60: "1m", 185: "3m05s", 1800: "30m"} {
		if got := lasted(in); got != want {
			t.Errorf("lasted(%v) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[int64]string{10: "10s", 60: "1m", 90: "1m30s"} {
		if got := allowed(in); got != want {
			t.Errorf("allowed(%d) = %q, want %q", in, got, want)
		}
	}
}

func TestColourIsOnlyForTerminals(t *testing.T) {
	t.Parallel()
	write := func(terminal bool) string {
		var b strings.Builder
		table := (&app{Env: Env{Terminal: terminal}}).table("STATE", "NAME")
		table.add("ok", "a")
		table.add("failed", "ö▸b")
		if err := table.write(&b, "none"); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if got, want := write(false), "STATE   NAME\nok      a\nfailed  ö▸b\n"; got != want {
		t.Errorf("plain:\n%s", cmp.Diff(want, got))
	}
	want := "STATE   NAME\n\x1b[32mok\x1b[0m      a\n\x1b[31mfailed\x1b[0m  ö▸b\n"
	if got := write(true); got != want {
		t.Errorf("colour:\n%s", cmp.Diff(want, got))
	}
}

func TestYAMLKeepsTypesAndOrder(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	in := struct {
		Z     string `json:"z"`
		A     string `json:"a"`
		Text  string `json:"text"`
		Count int    `json:"count"`
		Empty []int  `json:"empty"`
		Lines string `json:"lines"`
	}{"007", "plain", "true", 7, []int{}, "a\nb"}
	if err := writeYAML(&b, in); err != nil {
		t.Fatal(err)
	}
	want := "z: \"007\"\na: plain\ntext: \"true\"\ncount: 7\nempty: []\nlines: |-\n  a\n  b\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestFolderIsATree(t *testing.T) {
	t.Parallel()
	tree := folder{fstest.MapFS{
		"waybill.yaml":       {Data: []byte("a"), Mode: 0o644},
		"sub/bin":            {Data: []byte("b"), Mode: 0o755},
		"sub/link":           {Data: []byte("../waybill.yaml"), Mode: fs.ModeSymlink | 0o777},
		".git/config":        {Data: []byte("c")},
		"sub/.git":           {Data: []byte("gitdir: x")},
		".waybill/x/y":       {Data: []byte("d")},
		"sub/pipe":           {Mode: fs.ModeNamedPipe},
		"sub/.waybill/token": {Data: []byte("e")},
	}}
	var got []string
	err := tree.Walk(t.Context(), func(f waybill.File) error {
		got = append(got, f.Path)
		return nil
	})
	slices.Sort(got)
	if diff := cmp.Diff([]string{"sub/.git", "sub/bin", "sub/link", "waybill.yaml"}, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for name, want := range map[string]string{"waybill.yaml": "a", "sub/link": "../waybill.yaml"} {
		text, err := waybill.ReadFile(t.Context(), tree, name, 100)
		if err != nil || string(text) != want {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if _, err := tree.Open(t.Context(), "nope"); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestAnnotationsCannotBeForged(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	err := annotate(&b, waybill.Findings{{
		Code: "WB012", Severity: waybill.SeverityError, File: "a,b:c\n.yaml", Line: 1, Column: 2, Message: "bad\n::error::100%", Hint: "x",
	}})
	want := "::error file=a%2Cb%3Ac%0A.yaml,line=1,col=2,title=WB012::bad%0A::error::100%25 (x)\n"
	if err != nil || b.String() != want {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for in, same := range map[string]bool{
		"https://x.example/a.git": true, "ssh://git@x/a": true, "/srv/a.git": true, "a.git": false, "./a:b": false,
	} {
		got, err := address(in)
		if err != nil || (got == in) != same || !same && !strings.HasPrefix(got, "/") {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
	_, err := address("git@x.example:a/b.git")
	if got, want := fmt.Sprint(err), "write git@x.example:a/b.git as a URL: ssh://git@x.example/a/b.git"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestEnding(t *testing.T) {
	t.Parallel()
	tests := []struct {
		state, class, reason string
		code                 int
		want                 string
	}{
		{"succeeded", "ok", "", 0, "R succeeded after 2.0s"},
		{"failed", "memory", "killed for memory", 137, "R failed after 2.0s, exit code 137 (memory): killed for memory"},
		{"failed", "user", "exit code 64: the input cannot be used", 64, "R failed after 2.0s, exit code 64 (user): the input cannot be used"},
		{"failed", "connector", "exit code 1", 1, "R failed after 2.0s, exit code 1 (connector)"},
		{"cancelled", "ok", "cancelled", 143, "R cancelled after 2.0s, exit code 143"},
	}
	for _, tt := range tests {
		r := wire.Run{ID: "R", State: tt.state, ExitCode: &tt.code, Class: tt.class, Duration: 2, Reason: tt.reason}
		if got := ending(r); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestFlagsRefuseWhatTheyCannotMean(t *testing.T) {
	t.Parallel()
	var one string
	var some []string
	var n int
	var life time.Duration
	tests := []struct {
		value pflag.Value
		text  string
		want  any // an error text, or the value as it prints
	}{
		{word{&one, []string{"dev", "prod"}}, "prod", "prod"},
		{word{&one, []string{"dev", "prod"}}, "qa", "use one of dev, prod"},
		{words{&some, []string{"a", "b", "c"}}, "a,b", "a,b"},
		{words{&some, []string{"a", "b", "c"}}, "c", "a,b,c"},
		{words{&some, []string{"a", "b", "c"}}, "a,", "use one of a, b, c"},
		{count{&n}, "7", "7"},
		{count{&n}, "0", "write a whole number from 1 on"},
		{count{&n}, "x", "write a whole number from 1 on"},
		{lifetime{&life}, "30d", "720h0m0s"},
		{lifetime{&life}, "90m", "1h30m0s"},
		{lifetime{&life}, "-1h", "write a duration such as 90m, 720h or 30d"},
		{lifetime{&life}, "0d", "write a duration such as 90m, 720h or 30d"},
		{lifetime{&life}, "soon", "write a duration such as 90m, 720h or 30d"},
	}
	for _, tt := range tests {
		got := tt.value.String
		if err := tt.value.Set(tt.text); err != nil {
			got = err.Error
		}
		if got() != tt.want {
			t.Errorf("%s %q: %q, want %q", tt.value.Type(), tt.text, got(), tt.want)
		}
	}
}
