package manifest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/git/plan"
	"github.com/waybill-dev/waybill/internal/git/platform"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestExplainEveryCode checks that each code has exactly one explanation, and none is of a code that does not exist.
func TestExplainEveryCode(t *testing.T) {
	t.Parallel()
	want := append(slices.Concat(manifest.Codes(), plan.Codes()), platform.Refused)
	slices.Sort(want)
	var got []waybill.FindingCode
	for _, e := range manifest.Explanations() {
		got = append(got, e.Code)
		for _, text := range []string{e.Title, e.Why, e.Wrong, e.Right} {
			if text == "" {
				t.Errorf("%s is not explained in full", e.Code)
			}
		}
		if !strings.HasSuffix(e.Why, ".") || strings.HasSuffix(e.Title, ".") {
			t.Errorf("%s: the title is no sentence, the reason is one", e.Code)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if e, ok := manifest.Explain("WB012"); !ok || e.Code != "WB012" {
		t.Errorf("Explain(WB012) = %v, %v", e, ok)
	}
	if _, ok := manifest.Explain("WB999"); ok {
		t.Error("Explain knows WB999")
	}
}
