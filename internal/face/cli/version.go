package cli

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
)

func (a *app) version() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "version", Short: "Say which program this is", Args: exactly(0, ""),
		Example: "  waybill version\n  waybill version -o json",
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Version  string `json:"version"`
				Go       string `json:"go"`
				Platform string `json:"platform"`
			}{a.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			return a.print(v, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, a.about())
				return err
			})
		},
	})
}

// about says in a line which program this is.
func (a *app) about() string {
	return fmt.Sprintf("waybill %s (%s, %s/%s)", a.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
