package waybill_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestAggregate(t *testing.T) {
	t.Parallel()
	ok := waybill.Status{State: waybill.StateSuccess, Description: "1 connector released"}
	bad := waybill.Status{State: waybill.StateFailure, Description: "1 error: waybill.yaml:1:1 kind is missing"}
	context := func(step string, s waybill.State) waybill.Status {
		return waybill.Status{Context: "waybill/a/" + step, State: s, Description: "why"}
	}
	for _, test := range []struct {
		name        string
		statuses    []waybill.Status
		open        bool
		base        waybill.Status
		state       waybill.State
		description string
	}{
		{"nothing but the check", nil, false, ok, waybill.StateSuccess, "1 connector released"},
		{"open", nil, true, ok, waybill.StatePending, "in progress"},
		{"one pending", []waybill.Status{context("build", waybill.StatePending)}, false, ok, waybill.StatePending, "in progress"},
		{"failure waits for siblings", []waybill.Status{context("build", waybill.StateFailure), context("dev", waybill.StatePending)}, false, ok, waybill.StatePending, "in progress"},
		{"failure", []waybill.Status{context("build", waybill.StateFailure), context("dev", waybill.StateSuccess)}, false, ok, waybill.StateFailure, "a/build: why"},
		{"error beats failure", []waybill.Status{context("build", waybill.StateError), context("dev", waybill.StateFailure)}, false, ok, waybill.StateError, "a/build: why"},
		{"findings are quoted, not the context", []waybill.Status{context("validate", waybill.StateFailure)}, false, bad, waybill.StateFailure, bad.Description},
		{"its own old value does not count", []waybill.Status{{Context: "waybill", State: waybill.StateError}}, false, ok, waybill.StateSuccess, ok.Description},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := waybill.Aggregate(test.statuses, test.open, test.base)
			if got.Context != "waybill" || got.State != test.state || got.Description != test.description {
				t.Errorf("got %s %q, want %s %q", got.State, got.Description, test.state, test.description)
			}
		})
	}
}

func FuzzDescribe(f *testing.F) {
	f.Add("short")
	f.Add(strings.Repeat("ä", 300))
	f.Add("two\nlines\x00\xff")
	f.Fuzz(func(t *testing.T, text string) {
		got := waybill.Describe(text)
		if n := utf8.RuneCountInString(got); n > 140 {
			t.Errorf("%d runes", n)
		}
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\t") {
			t.Errorf("not one valid line: %q", got)
		}
		if waybill.Describe(got) != got {
			t.Errorf("not stable: %q becomes %q", got, waybill.Describe(got))
		}
	})
}

func TestContextOf(t *testing.T) {
	t.Parallel()
	id := waybill.Identity{Kind: "Connector", Name: "shop-feed", Major: 1}
	if got := waybill.ContextOf(id, waybill.StepBuild); got != "waybill/shop-feed/build" {
		t.Errorf("major 1: %q", got)
	}
	id.Major = 2
	if got := waybill.ContextOf(id, waybill.StepBuild); got != "waybill/shop-feed@2/build" {
		t.Errorf("major 2: %q", got)
	}
	if got := waybill.ParseIdentity(id.String()); got != id {
		t.Errorf("ParseIdentity(%q) = %v", id.String(), got)
	}
	id.Name = strings.Repeat("x", 300)
	long := waybill.ContextOf(id, waybill.StepBuild)
	if len(long) > 255 || long == waybill.ContextOf(id, waybill.StepDev) {
		t.Errorf("long contexts must fit and differ: %d bytes", len(long))
	}
}

func TestClassOf(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]waybill.ExitClass{
		0: waybill.ClassOK, 1: waybill.ClassConnector, 63: waybill.ClassConnector, 64: waybill.ClassUser, 79: waybill.ClassUser,
		80: waybill.ClassRemote, 99: waybill.ClassRemote, 100: waybill.ClassConnector, 124: waybill.ClassTimeout, 137: waybill.ClassConnector,
	} {
		if got := waybill.ClassOf(code, false, false); got != want {
			t.Errorf("exit %d: %s, want %s", code, got, want)
		}
	}
	if got := waybill.ClassOf(137, true, false); got != waybill.ClassMemory {
		t.Errorf("out of memory: %s", got)
	}
}
