package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func (a *app) explain() *cobra.Command {
	return &cobra.Command{
		Use: "explain <code>", Short: "Explain the code of a finding", Args: exactly(1, "a code, such as WB101"),
		Example: "  waybill explain WB101",
		RunE: func(_ *cobra.Command, args []string) error {
			return waybill.Errorf(waybill.NotFound, "%s", fmt.Sprintf("there is no finding %s", args[0]))
		},
	}
}
