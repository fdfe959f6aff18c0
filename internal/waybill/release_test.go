package waybill_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/waybill"
)

var update = flag.Bool("update", false, "write the diagram into internal/README.md")

// moves asks a fresh release what a step that is at from may become. It is the table in the package, seen from outside.
func moves(t *testing.T, from waybill.Outcome) []waybill.Outcome {
	t.Helper()
	var allowed []waybill.Outcome
	for _, to := range waybill.Outcomes() {
		r := waybill.Release{Environment: waybill.Dev, Steps: waybill.NewSteps(waybill.Dev)}
		r.Steps[0].Outcome = from
		before := slices.Clone(r.Steps)
		err := r.Move(waybill.StepBuild, to, "detail", time.Unix(1, 0))
		if err == nil {
			allowed = append(allowed, to)
			continue
		}
		if !waybill.IsCode(err, waybill.Conflict) {
			t.Errorf("%s → %s: code %s, want conflict", from, to, waybill.CodeOf(err))
		}
		if diff := cmp.Diff(before, r.Steps); diff != "" {
			t.Errorf("%s → %s was refused but changed the release:\n%s", from, to, diff)
		}
	}
	return allowed
}

func TestFinalOutcomesNeverChange(t *testing.T) {
	t.Parallel()
	for _, from := range waybill.Outcomes() {
		if got := moves(t, from); from.Final() != (len(got) == 0) {
			t.Errorf("%s is final=%v but may become %v", from, from.Final(), got)
		}
	}
}

func TestStepsStartInOrder(t *testing.T) {
	t.Parallel()
	for _, env := range []waybill.Environment{waybill.Dev, waybill.Prod} {
		r := waybill.Release{Environment: env, Steps: waybill.NewSteps(env)}
		for i, step := range waybill.StepsTo(env) {
			for _, later := range waybill.StepsTo(env)[i+1:] {
				if err := r.Move(later, waybill.Running, "", time.Unix(1, 0)); !waybill.IsCode(err, waybill.Conflict) {
					t.Errorf("%s: %s started before %s ended: %v", env, later, step, err)
				}
			}
			if err := r.Move(step, waybill.OK, "", time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		}
		if r.Outcome != waybill.OK {
			t.Errorf("%s: all steps ok make %s", env, r.Outcome)
		}
	}
}

func TestWorstStepDecidesTheRelease(t *testing.T) {
	t.Parallel()
	for _, bad := range []waybill.Outcome{waybill.Failed, waybill.Errored, waybill.Superseded} {
		r := waybill.Release{Environment: waybill.Dev, Steps: waybill.NewSteps(waybill.Dev)}
		for i, o := range []waybill.Outcome{waybill.OK, bad, waybill.Skipped} {
			if err := r.Move(r.Steps[i].Step, o, "", time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		}
		if r.Outcome != bad {
			t.Errorf("ok, %s, skipped make %s", bad, r.Outcome)
		}
	}
}

// TestDiagram keeps the table in internal/README.md equal to what the code allows.
func TestDiagram(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	fmt.Fprintln(&b, "| from | may become |\n| --- | --- |")
	for _, from := range waybill.Outcomes() {
		to := make([]string, 0, len(waybill.Outcomes()))
		for _, o := range moves(t, from) {
			to = append(to, string(o))
		}
		if len(to) == 0 {
			to = []string{"nothing: it is final"}
		}
		fmt.Fprintf(&b, "| %s | %s |\n", from, strings.Join(to, ", "))
	}
	const file, open, end = "../README.md", "<!-- outcomes: written by `go test ./internal/waybill -update` -->\n", "<!-- /outcomes -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), open)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no block %q", file, open)
	}
	want := before + open + b.String() + end + after
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("run `go test ./internal/waybill -update` (-want +got):\n%s", diff)
	}
}
