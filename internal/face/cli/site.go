package cli

import (
	"io"

	"github.com/spf13/cobra"
)

func (a *app) site() *cobra.Command { return parent("site", "See sites", a.siteList()) }

func (a *app) siteList() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "list", Short: "List sites with what is assigned there", Args: exactly(0, ""), Aliases: []string{"ls"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			all, err := cl.Sites(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) error {
				assigned, err := cl.Assignments(cmd.Context(), "", "")
				if err != nil {
					return err
				}
				there := map[string]string{}
				for _, s := range assigned {
					if there[s.Site] != "" {
						there[s.Site] += ", "
					}
					there[s.Site] += identity(s.Connector, s.Major)
				}
				t := a.table("SITE", "OWNER", "ENVIRONMENT", "CREATED", "CONNECTORS")
				for _, s := range all {
					t.add(s.Name, s.Owner, s.Environment, a.ago(s.Created), or(there[s.Name]))
				}
				return t.write(w, "no site yet: the first deployment to dev makes one")
			})
		},
	})
}
