package portal

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestTrackerWords goes through what can become of a push and a tag.
func TestTrackerWords(t *testing.T) {
	t.Parallel()
	rel := func(id string, env waybill.Environment, outcomes ...waybill.Outcome) *waybill.Release {
		r := &waybill.Release{ID: id, Environment: env, Steps: waybill.NewSteps(env), Outcome: waybill.Waiting, Declaration: waybill.Declaration{
			Connector: &waybill.Connector{}, Folder: ".",
		}}
		for i, o := range outcomes {
			if err := r.Move(r.Steps[i].Step, o, string(o), time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		}
		return r
	}
	ok, failed, skipped, superseded := waybill.OK, waybill.Failed, waybill.Skipped, waybill.Superseded
	for want, l := range map[string]lanes{
		"build not yet, runtime not yet, dev not yet, prod not yet":        {},
		"build waiting, runtime waiting, dev waiting, prod not yet":        {Dev: lane{Newest: rel("1", waybill.Dev)}},
		"build running, runtime waiting, dev waiting, prod not yet":        {Dev: lane{Newest: rel("1", waybill.Dev, waybill.Running)}},
		"build ok, runtime ok, dev ok, prod not yet":                       {Dev: lane{Newest: rel("1", waybill.Dev, ok, ok, ok)}},
		"build failed, runtime not reached, dev not reached, prod not yet": {Dev: lane{Newest: rel("1", waybill.Dev, failed)}},
		"build failed, runtime skipped, dev skipped, prod not yet":         {Dev: lane{Newest: rel("1", waybill.Dev, failed, skipped, skipped)}},
		"build superseded, runtime superseded, dev superseded, prod ok": {
			Dev: lane{Newest: rel("2", waybill.Dev, superseded, superseded, superseded)}, Prod: lane{Newest: rel("1", waybill.Prod, ok, ok, ok, ok)},
		},
		"build ok, runtime running, dev ok, prod waiting": {
			Dev: lane{Newest: rel("1", waybill.Dev, ok, ok, ok)}, Prod: lane{Newest: rel("2", waybill.Prod, ok, waybill.Running)},
		},
	} {
		got := newTracker(l, func(_, sha string) commitLink { return commitLink{SHA: sha} })
		if diff := cmp.Diff(want, got.Say); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 15, 30, 0, 0, time.UTC)
	for want, got := range map[string]string{
		"just now": ago(at, at.Add(4*time.Second)), "5 s ago": ago(at, at.Add(5*time.Second)), "59 min ago": ago(at, at.Add(time.Hour-1)),
		"23 h ago": ago(at, at.Add(24*time.Hour-1)), "1 day ago": ago(at, at.Add(24*time.Hour)), "2 months ago": ago(at, at.Add(61*24*time.Hour)),
		"2 years ago": ago(at, at.Add(800*24*time.Hour)), "in 2 h": ago(at.Add(2*time.Hour), at),
		"< 1 ms": duration(0), "999 ms": duration(time.Second - 1), "1 s": duration(time.Second), "1.2 s": duration(1299 * time.Millisecond),
		"59 s": duration(time.Minute - 1), "1 min": duration(time.Minute), "1 min 35 s": duration(95 * time.Second), "2 h 5 min": duration(125 * time.Minute),
		"sha256:0123456789ab": shortDigest("registry/x@sha256:0123456789abcdef"), "abc": shortDigest("abc"),
		"abcdef…yz": clip("abcdefghijklmnopqrstuvwxyz", 9), "üüü": clip("üüü", 3),
		"red":   printable("\x1b[1;31mred\x1b[0m"),
		"100 %": printable("10 %\r50 %\r100 %"),
		"Of the last 2 runs all succeeded. Median 2 s, longest 3 s.":  summary(2, 2, 2*time.Second, 3*time.Second),
		"Of the last 3 runs none succeeded. Median 1 s, longest 1 s.": summary(0, 3, time.Second, time.Second),
		"The last run did not succeed; it took 1 s.":                  summary(0, 1, time.Second, time.Second),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLogLines(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]logLine{
		`{"level":"error","message":"no","b":2,"a":"x"}`: {Level: "error", Text: "no  a=x  b=2"},
		`{"level":"loud","message":"no"}`:                {Text: `{"level":"loud","message":"no"}`},
		`{"id":1}`:                                       {Text: `{"id":1}`},
		`{broken`:                                        {Text: `{broken`},
		"#9 ERROR: it failed\r\n":                        {Mark: "error", Text: "#9 ERROR: it failed"},
	} {
		if diff := cmp.Diff(want, newLogLine(in)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
}
