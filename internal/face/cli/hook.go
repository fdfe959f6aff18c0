package cli

import (
	"cmp"
	"crypto/rand"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/git/hook"
)

// hook is what the hooks of repositories call; people have no use for it.
func (a *app) hook() *cobra.Command {
	c := parent("hook", "Report from a Git hook", &cobra.Command{
		Use: "post-receive", Short: "Report a push and show its progress", Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return hook.PostReceive(cmd.Context(), hook.Push{
				GitDir: cmp.Or(a.Getenv("GIT_DIR"), "."), Stdin: a.Stdin, Out: a.Stdout,
				Getenv: a.Getenv, Now: a.Now, Key: rand.Text(),
			})
		},
	})
	c.Hidden = true
	return c
}
