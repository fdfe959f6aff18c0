package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/git/manifest"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// explanation is what a finding's code means, for programs.
type explanation struct {
	Code  string `json:"code"`
	Title string `json:"title"`
	Why   string `json:"why"`
	Wrong string `json:"wrong"`
	Right string `json:"right"`
}

func (a *app) explain() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "explain [code]", Short: "Explain the code of a finding", Args: atMostOne,
		Long:    "Explain the code of a finding: why it matters, how it looks wrong and how right. Without a code all are listed.",
		Example: "  waybill explain WB101\n  waybill explain",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listExplanations()
			}
			code := waybill.FindingCode(strings.ToUpper(args[0]))
			e, ok := manifest.Explain(code)
			if !ok {
				return waybill.Errorf(waybill.NotFound, "there is no finding %s: `waybill explain` lists all", code)
			}
			return a.print(explanation{string(e.Code), e.Title, e.Why, e.Wrong, e.Right}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "%s: %s\n\n%s\n\nWrong:\n%s\nRight:\n%s", e.Code, e.Title, e.Why, indented(e.Wrong), indented(e.Right))
				return err
			})
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var codes []string
			for _, e := range manifest.Explanations() {
				codes = append(codes, string(e.Code)+"\t"+e.Title)
			}
			return codes, cobra.ShellCompDirectiveNoFileComp
		},
	})
}

func (a *app) listExplanations() error {
	all := []explanation{}
	t := a.table("CODE", "MEANING")
	for _, e := range manifest.Explanations() {
		all = append(all, explanation{string(e.Code), e.Title, e.Why, e.Wrong, e.Right})
		t.add(string(e.Code), e.Title)
	}
	return a.print(all, func(w io.Writer) error { return t.write(w, "") })
}

// indented sets an example off from the text.
func indented(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}
