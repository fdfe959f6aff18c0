package cli

import (
	"context"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/face/client"
)

func (a *app) forge() *cobra.Command {
	return parent("forge", "See and try forges", a.forgeList(), a.forgeCheck(), a.forgeApp())
}

func (a *app) forgeList() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "list", Short: "List the forges of the configuration", Args: exactly(0, ""), Aliases: []string{"ls"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			all, err := cl.Forges(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) error {
				t := a.table("FORGE", "KIND", "AS", "REPOSITORIES", "URL")
				for _, f := range all {
					as := "token"
					switch {
					case f.App:
						as = "app"
					case f.URL == "":
						as = "-"
					}
					t.add(f.Name, f.Kind, as, strconv.Itoa(f.Repositories), or(f.URL))
				}
				return t.write(w, "no forge")
			})
		},
	})
}

// checked is what was found at one forge.
type checked struct {
	Forge string `json:"forge"`
	wire.ForgeCheck
}

func (a *app) forgeCheck() *cobra.Command {
	var in wire.CheckForge
	c := a.formatted(&cobra.Command{
		Use: "check [forge]", Short: "Try credentials, hooks and the way back", ValidArgsFunction: a.completeForge,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return misuse("give one forge, or none for all")
			}
			return nil
		},
		Long: "Try what a forge lets Waybill do and say in words what is wrong: credentials and what they are good for, whether\n" +
			"the forge reaches the server and, for a repository, whether it can be read and its hook arrives. Without a name\n" +
			"all forges of the configuration are tried. Ends with 1 if anything fails.",
		Example: "  waybill forge check\n  waybill forge check gitea --repository feeds/shop-feed",
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			all, err := checkForges(cmd.Context(), cl, args, in)
			if err != nil {
				return err
			}
			if err := a.print(all, func(w io.Writer) error { return a.writeChecks(w, all) }); err != nil {
				return err
			}
			if slices.ContainsFunc(all, func(c checked) bool { return !c.OK }) {
				return &failedError{}
			}
			return nil
		},
	})
	c.Flags().StringVar(&in.Repository, "repository", "", "try what may be done in this repository too")
	_ = c.RegisterFlagCompletionFunc("repository", a.completeRepository) // the flag is there
	return c
}

// checkForges tries the named forge, that of the repository, or all.
func checkForges(ctx context.Context, cl *client.Client, names []string, in wire.CheckForge) ([]checked, error) {
	if len(names) == 0 && in.Repository != "" {
		r, err := cl.Repository(ctx, in.Repository)
		if err != nil {
			return nil, err
		}
		names = []string{r.Forge}
	}
	if len(names) == 0 {
		forges, err := cl.Forges(ctx)
		if err != nil {
			return nil, err
		}
		for _, f := range forges {
			if f.URL != "" {
				names = append(names, f.Name)
			}
		}
	}
	all := []checked{}
	for _, name := range names {
		check, err := cl.CheckForge(ctx, name, in)
		if err != nil {
			return nil, see(err, "waybill forge list")
		}
		all = append(all, checked{name, check})
	}
	return all, nil
}

func (a *app) writeChecks(w io.Writer, all []checked) error {
	t := a.table("FORGE", "RESULT", "TRIED", "SAYS")
	for _, c := range all {
		for _, f := range c.Findings {
			t.add(c.Forge, map[bool]string{true: "ok", false: "failed"}[f.OK], f.What, f.Says)
		}
	}
	return t.write(w, "no forge is configured: list one under forges in the server's configuration")
}

func (a *app) completeForge(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, len(args), func(ctx context.Context, cl *client.Client) (names []string, err error) {
		all, err := cl.Forges(ctx)
		for _, f := range all {
			names = append(names, f.Name)
		}
		return names, err
	})
}
