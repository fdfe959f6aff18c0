package waybill_test

import (
	"testing"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	candidates := []string{"input", "textarea", "password", "select", "multiselect", "Connector", "cpu"}
	for word, want := range map[string]string{
		"inpt": "input", "nput": "input", "ipnut": "input", "INPUT": "input", "texarea": "textarea", "pasword": "password",
		"Conector": "Connector", "cup": "cpu", "xyz": "", "": "", "c": "", "multi": "",
	} {
		if got, ok := waybill.Nearest(word, candidates); got != want || ok != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v; want %q", word, got, ok, want)
		}
	}
}
