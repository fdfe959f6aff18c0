package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
)

func (a *app) repoHook() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "hook <repository>", Short: "Install the hook of a repository again", Args: exactly(1, "a repository"),
		Long: "Install the hook by which a repository tells of its pushes again: somebody took it away, or the server has another\n" +
			"address now. When Waybill's token may not, what to paste is printed.",
		Example: "  waybill repo hook feeds/shop-feed", ValidArgsFunction: a.completeRepository,
		RunE: func(cmd *cobra.Command, args []string) error { return a.installHook(cmd, args[0], false) },
	})
}

func (a *app) repoRotate() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "rotate-secret <repository>", Short: "Give the hook of a repository a new secret", Args: exactly(1, "a repository"),
		Long: "Give the hook of a repository a new secret. The one before stays good for an hour, or for a week when a person has\n" +
			"to paste the new one, so that no push is refused.",
		Example: "  waybill repo rotate-secret feeds/shop-feed", ValidArgsFunction: a.completeRepository,
		RunE: func(cmd *cobra.Command, args []string) error { return a.installHook(cmd, args[0], true) },
	})
}

func (a *app) installHook(cmd *cobra.Command, repository string, rotate bool) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	done, err := cl.InstallHook(cmd.Context(), repository, wire.RepositoryHook{Rotate: rotate})
	if err != nil {
		return err
	}
	return a.print(done, func(w io.Writer) error {
		text := "the hook of " + repository + " is installed"
		if !done.HookInstalled {
			text = "the hook of " + repository + " waits for you"
		}
		if rotate {
			text += "; the secret before is good until " + done.OldSecretEnds.UTC().Format("2006-01-02 15:04 UTC")
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
		return writeHook(w, done.Hook)
	})
}

// told says how pushes to a repository are found.
func told(forge string, hooked bool) string {
	switch {
	case hooked && forge == "plain":
		return "a post-receive hook tells of pushes"
	case hooked:
		return forge + " tells of pushes"
	default:
		return "pushes are found by polling"
	}
}

// writeHook says what a person can do so that a repository tells of its pushes.
func writeHook(w io.Writer, h wire.Hook) error {
	if h.Hint != "" {
		if _, err := fmt.Fprintln(w, h.Hint); err != nil {
			return err
		}
	}
	f := h.HookForm
	if f == nil {
		return nil
	}
	if _, err := fmt.Fprintf(w, "to make it tell, open %s and fill in:\n", f.Page); err != nil {
		return err
	}
	return facts(w, "  URL", f.Address, "  content type", f.ContentType, "  secret", f.Secret, "  events", strings.Join(f.Events, ", "))
}
