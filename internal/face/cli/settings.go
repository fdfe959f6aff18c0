package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func (a *app) settings() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "settings [kind]", Short: "See what the platform repository declares", ValidArgs: settingKinds(),
		Args:    cobra.MaximumNArgs(1),
		Example: "  waybill settings\n  waybill settings team -o yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			kind := ""
			if len(args) > 0 {
				i := slices.IndexFunc(settingKinds(), func(k string) bool { return strings.EqualFold(k, args[0]) })
				if i < 0 {
					return misuse("there is no kind %q of settings: use %s", args[0], strings.Join(settingKinds(), ", "))
				}
				kind = settingKinds()[i]
			}
			cl, err := a.client()
			if err != nil {
				return err
			}
			all, err := cl.Settings(cmd.Context(), kind)
			if err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) error {
				t := a.table("KIND", "NAME", "FROM", "COMMIT", "APPLIED")
				for _, s := range all {
					t.add(s.Kind, s.Name, fmt.Sprintf("%s:%d", s.File, s.Line), waybill.ShortCommit(s.Commit), a.ago(s.Applied))
				}
				return t.write(w, "nothing is declared: platform.repository in the server's configuration names the repository that does")
			})
		},
	})
}

// settingKinds lists the kinds that settings have.
func settingKinds() []string {
	return slices.DeleteFunc(waybill.Kinds(), func(k string) bool { return k == waybill.KindConnector || k == waybill.KindApp })
}
