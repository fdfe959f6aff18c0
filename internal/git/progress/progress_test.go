package progress_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/progress"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const commit = "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d"

func main(commit string) progress.Ref {
	return progress.Ref{Ref: "refs/heads/main", Commit: commit, Repository: "feeds/shop-feed"}
}

func step(s waybill.Step, o waybill.Outcome, description string, ms int64) progress.Step {
	return progress.Step{Declaration: "shop-feed", Step: s, Outcome: o, Description: description, DurationMS: ms}
}

// after lets time pass between events.
type after time.Duration

func TestPrinter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		events []any // progress.Event or after
		want   string
	}{
		{
			name: "all is well, as contracts section 2 shows it",
			events: []any{
				main(commit),
				progress.Step{Step: waybill.StepValidate, Outcome: waybill.OK, Description: "1 connector"},
				step(waybill.StepBuild, waybill.Running, "", 0), after(time.Second),
				step(waybill.StepBuild, waybill.OK, "sha256:9f2c71e0b7d4", 2100),
				step(waybill.StepRuntime, waybill.OK, "", 0),
				step(waybill.StepDev, waybill.OK, "site feeds-dev", 0),
				progress.End{State: waybill.StateSuccess, URL: "http://127.0.0.1:8080/connectors/shop-feed"},
				progress.Done{},
			},
			want: `waybill  feeds/shop-feed  1a2b3c4  main
  validate  ok    1 connector
  build     ok    sha256:9f2c71e0b7d4  2.1s
  runtime   ok
  dev       ok    site feeds-dev
  http://127.0.0.1:8080/connectors/shop-feed
`,
		},
		{
			name: "a long build is announced once, and so is a wait that has a reason",
			events: []any{
				main(commit),
				step(waybill.StepBuild, waybill.Waiting, "", 0), after(3 * time.Second),
				step(waybill.StepBuild, waybill.Waiting, "below 2 GiB free", 0), after(3 * time.Second),
				step(waybill.StepBuild, waybill.Running, "", 0), after(3 * time.Second), after(3 * time.Second),
				step(waybill.StepBuild, waybill.OK, "sha256:9f2c71e0b7d4", 187_400),
			},
			want: `waybill  feeds/shop-feed  1a2b3c4  main
  build     waiting  below 2 GiB free
  build     running
  build     ok    sha256:9f2c71e0b7d4  3m07s
`,
		},
		{
			name: "a failed build gives its cause once, and what took no time has no duration",
			events: []any{
				main(commit),
				step(waybill.StepValidate, waybill.OK, "1 connector", 12),
				step(waybill.StepBuild, waybill.Failed, "Dockerfile:3: RUN false: exit code 1", 700),
				step(waybill.StepRuntime, waybill.Skipped, "skipped, build ended as failed", 0),
				progress.End{State: waybill.StateFailure, Description: "shop-feed/build: Dockerfile:3: RUN false: exit code 1", URL: "http://h"},
			},
			want: `waybill  feeds/shop-feed  1a2b3c4  main
  validate  ok    1 connector
  build     failed  Dockerfile:3: RUN false: exit code 1  0.7s
  runtime   skipped  build ended as failed
  http://h
`,
		},
		{
			name: "a failure that no step tells of, and an end that the failed step does not explain",
			events: []any{
				main(commit),
				progress.End{State: waybill.StateError, Description: "not checked, superseded by 2b3c4d5"},
				progress.Ref{Ref: "refs/heads/b", Commit: commit, Repository: "feeds/shop-feed"},
				step(waybill.StepBuild, waybill.Failed, "exit code 1", 0),
				progress.End{State: waybill.StateSuccess, Description: "valid; not deployed, superseded by 2b3c4d5"},
			},
			want: `waybill  feeds/shop-feed  1a2b3c4  main
  not checked, superseded by 2b3c4d5
waybill  feeds/shop-feed  1a2b3c4  b
  build     failed  exit code 1
  valid; not deployed, superseded by 2b3c4d5
`,
		},
		{
			name: "findings, cleaned of what a terminal obeys",
			events: []any{
				main(commit),
				step(waybill.StepValidate, waybill.Failed, "2 errors", 0),
				progress.Finding{Text: "waybill.yaml:1:1: error WB001: apiVersion is missing (write \"apiVersion: waybill.dev/v1\")"},
				progress.Finding{Text: "waybill.yaml:7:3: error WB003: unknown kind \"\x1b[31mCon\u202eector\"\nsecond line"},
				progress.End{State: waybill.StateFailure, URL: "http://127.0.0.1:8080/c"},
			},
			want: `waybill  feeds/shop-feed  1a2b3c4  main
  validate  failed  2 errors
  waybill.yaml:1:1: error WB001: apiVersion is missing (write "apiVersion: waybill.dev/v1")
  waybill.yaml:7:3: error WB003: unknown kind "[31mConector"
  second line
  http://127.0.0.1:8080/c
`,
		},
		{
			name: "a tag whose commit is known later, and one that never is",
			events: []any{
				progress.Ref{Ref: "refs/tags/v1.0.0", Repository: "feeds/shop-feed"},
				progress.Ref{Ref: "refs/tags/v2.0.0", Repository: "feeds/shop-feed"},
				progress.Ref{Ref: "refs/tags/v1.0.0", Commit: commit, Repository: "feeds/shop-feed", Declarations: 1},
				progress.Ref{Ref: "refs/tags/v1.0.0", Commit: commit, Repository: "feeds/shop-feed", Declarations: 1},
				progress.Step{Ref: "refs/tags/v1.0.0", Step: waybill.StepProd, Outcome: waybill.OK},
				progress.End{Ref: "refs/tags/v1.0.0"},
				progress.End{Ref: "refs/tags/v2.0.0", Description: "nothing to do"},
			},
			want: `waybill  feeds/shop-feed  1a2b3c4  v1.0.0
  prod      ok
waybill  feeds/shop-feed  v2.0.0
  nothing to do
`,
		},
		{
			name: "two refs mixed on the wire, two declarations in one of them",
			events: []any{
				main(commit),
				progress.Ref{Ref: "refs/tags/v1.0.0", Commit: commit, Repository: "feeds/shop-feed", Declarations: 2},
				progress.Step{Ref: "refs/tags/v1.0.0", Step: waybill.StepValidate, Outcome: waybill.OK, Description: "2 connectors"},
				progress.Step{Ref: "refs/heads/main", Step: waybill.StepValidate, Outcome: waybill.OK, Description: "2 connectors"},
				progress.Step{Ref: "refs/tags/v1.0.0", Declaration: "one", Step: waybill.StepProd, Outcome: waybill.OK, Description: "v1.0.0"},
				progress.End{Ref: "refs/heads/main", State: waybill.StateSuccess, Description: "valid; not deployed, superseded by 2b3c4d5"},
				progress.Step{Ref: "refs/tags/v1.0.0", Declaration: "two", Step: waybill.StepProd, Outcome: waybill.Skipped},
				progress.End{Ref: "refs/tags/v1.0.0", State: waybill.StateSuccess},
				progress.End{Ref: "refs/heads/never-opened"},
			},
			want: `waybill  feeds/shop-feed  1a2b3c4  main
  validate  ok    2 connectors
  valid; not deployed, superseded by 2b3c4d5
waybill  feeds/shop-feed  1a2b3c4  v1.0.0
  validate  ok    2 connectors
  prod      ok    one  v1.0.0
  prod      skipped  two
`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			p := progress.NewPrinter(&out)
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for _, e := range tt.events {
				if d, ok := e.(after); ok {
					now = now.Add(time.Duration(d))
					if err := p.Tick(now); err != nil {
						t.Fatal(err)
					}
					continue
				}
				event, ok := e.(progress.Event)
				if !ok {
					t.Fatalf("%T is no event", e)
				}
				if err := p.Print(event, now); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLeave(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	p := progress.NewPrinter(&out)
	now := time.Time{}
	for _, e := range []progress.Event{
		main(commit),
		progress.Ref{Ref: "refs/heads/b", Commit: commit, Repository: "feeds/shop-feed"},
		progress.Step{Ref: "refs/heads/b", Step: waybill.StepValidate, Outcome: waybill.OK, URL: "http://h/b"},
	} {
		if err := p.Print(e, now); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Leave("the work goes on:", "http://h"); err != nil || p.Open() {
		t.Fatal(err, p.Open())
	}
	want := `waybill  feeds/shop-feed  1a2b3c4  main
  the work goes on:
  http://h
waybill  feeds/shop-feed  1a2b3c4  b
  validate  ok
  the work goes on:
  http://h/b
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPrinterReportsAWriterThatIsGone(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	_ = r.Close()
	if err := progress.NewPrinter(w).Print(main(commit), time.Time{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

func TestEncodeDecode(t *testing.T) {
	t.Parallel()
	events := []progress.Event{
		main(commit),
		step(waybill.StepBuild, waybill.OK, "a\nb \"c\" ünï", 12),
		progress.Finding{Ref: "refs/heads/main", Text: "x:1:1: error"},
		progress.End{State: waybill.StateError, Description: "d", URL: "http://h"},
		progress.Done{},
	}
	var wire bytes.Buffer
	for _, e := range events {
		if err := progress.KeepAlive(&wire); err != nil {
			t.Fatal(err)
		}
		if err := progress.Encode(&wire, e); err != nil {
			t.Fatal(err)
		}
		wire.WriteString("event: from-the-future\ndata: {\"x\":1}\n\n")
	}
	d := progress.NewDecoder(&wire)
	var got []progress.Event
	for {
		e, err := d.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if diff := cmp.Diff(events, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte("event: step\ndata: {\"step\":\"build\"}\n\n"))
	f.Add([]byte(": c\r\nevent:ref\ndata:{\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := progress.NewDecoder(bytes.NewReader(b))
		p := progress.NewPrinter(io.Discard)
		for range len(b) + 1 {
			e, err := d.Next()
			if errors.Is(err, io.EOF) || waybill.IsCode(err, waybill.Unavailable) {
				return
			}
			if err == nil {
				_ = p.Print(e, time.Time{})
			}
		}
		t.Error("the decoder does not end")
	})
}
