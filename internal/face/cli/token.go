package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
)

func (a *app) token() *cobra.Command {
	return parent("token", "Make and revoke tokens", a.tokenCreate(), a.tokenList(), a.tokenRevoke(), a.tokenLink())
}

func (a *app) tokenCreate() *cobra.Command {
	var in wire.NewToken
	var life time.Duration
	c := a.formatted(&cobra.Command{
		Use: "create <name>", Short: "Make a token", Args: exactly(1, "a name"),
		Long:    "Make a token for a person or a program. It is shown this once.",
		Example: "  waybill token create dashboards --scope read\n  waybill token create ci --scope admin --expires-in 720h",
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			in.Name, in.ExpiresIn = args[0], int64(life/time.Second)
			t, err := cl.CreateToken(cmd.Context(), in)
			if err != nil {
				return err
			}
			return a.print(t, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, t.Secret)
				return err
			})
		},
	})
	in.Scope = "read"
	wordFlag(c, &in.Scope, "scope", "read or admin", "read", "admin")
	c.Flags().Var(lifetime{&life}, "expires-in", "how long it is good, such as 720h or 30d (default for ever)")
	return c
}

func (a *app) tokenList() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "list", Short: "List tokens", Args: exactly(0, ""), Aliases: []string{"ls"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			all, err := cl.Tokens(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) error {
				t := a.table("TOKEN", "NAME", "SCOPE", "CREATED", "USED", "EXPIRES")
				for _, k := range all {
					expires := "never"
					if !k.Expires.IsZero() {
						expires = k.Expires.UTC().Format(time.DateOnly)
					}
					t.add(k.ID, k.Name, k.Scope, a.ago(k.Created), a.ago(k.Used), expires)
				}
				return t.write(w, "no token")
			})
		},
	})
}

func (a *app) tokenRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke <token>", Short: "End a token at once", Args: exactly(1, "the id of a token (see `waybill token list`)"),
		ValidArgsFunction: a.completeToken,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			if err := cl.RevokeToken(cmd.Context(), args[0]); err != nil {
				return see(err, "waybill token list")
			}
			_, err = fmt.Fprintf(a.Stdout, "token %s is revoked\n", args[0])
			return err
		},
	}
}

func (a *app) tokenLink() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "link", Short: "Make a link that signs a browser in", Args: exactly(0, ""),
		Long: "Make a link that signs a browser in. It is good once, within 15 minutes.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			l, err := cl.SignInLink(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(l, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, l.URL)
				return err
			})
		},
	})
}
