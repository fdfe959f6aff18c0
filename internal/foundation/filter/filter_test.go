package filter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/filter"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func environment(t *testing.T) *filter.Environment {
	t.Helper()
	e, err := filter.New()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCompileExplains(t *testing.T) {
	t.Parallel()
	e := environment(t)
	for expression, want := range map[string]string{
		`data.amount > 100 && event == "invoice.paid"`: "",
		`workspace in ["acme", "umbrella"]`:            "",
		`timestamp.getHours() < 12`:                    "",
		`data.paid`:                                    "",
		`dat.amount > 100`:                             `1:1 unknown name "dat" (did you mean "data"?)`,
		`invoice.paid`:                                 `1:1 unknown name "invoice" (an expression sees event, workspace, timestamp, data)`,
		`event == 1`:                                   `1:7 "==" does not work with text and a whole number (compare values of one kind)`,
		`event`:                                        `1:1 the expression is text, not true or false (compare it with something, such as data.amount > 100)`,
		`data.amount >`:                                `1:14 the expression cannot be read here (check brackets, quotes and operators)`,
		`(event == "a"`:                                `1:14 the expression cannot be read here (check brackets, quotes and operators)`,
		strings.Repeat("(", 100) + strings.Repeat(")", 100): `1:1 the expression is too long (filter in the program)`,
	} {
		_, problems := e.Compile(expression)
		got := ""
		if len(problems) > 0 {
			p := problems[0]
			got = fmt.Sprintf("%d:%d %s (%s)", p.Line, p.Column, p.Message, p.Hint)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", expression, diff)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	f, problems := environment(t).Compile(`data.amount > 100 && workspace == "acme"`)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for amount, want := range map[any]bool{int64(101): true, int64(7): false, 100.5: true} {
		if got, err := f.Matches("invoice.paid", "acme", time.Time{}, map[string]any{"amount": amount}); err != nil || got != want {
			t.Errorf("amount %v: %v, %v", amount, got, err)
		}
	}
	if _, err := f.Matches("invoice.paid", "acme", time.Time{}, map[string]any{}); !waybill.IsCode(err, waybill.Invalid) {
		t.Errorf("without the amount: %v", err)
	}
}
