package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func (a *app) repo() *cobra.Command {
	return parent("repo", "Watch repositories", a.repoAdd(), a.repoList(), a.repoShow(), a.repoHook(), a.repoRotate(), a.repoRemove())
}

func (a *app) repoAdd() *cobra.Command {
	var in wire.AddRepository
	c := a.formatted(&cobra.Command{
		Use: "add <bare repository or URL> --owner <team>", Short: "Watch a repository", Args: exactly(1, "a path or a URL"),
		Long: "Watch a repository from now on. At a forge that the server's configuration lists, the hook is installed there, or,\n" +
			"when the token may not, what to paste is printed. In a bare repository on the server's machine a post-receive\n" +
			"hook is installed, which tells of pushes at once and shows their progress; a hook that is there is kept and\n" +
			"called too. Any other repository is polled.",
		Example: "  waybill repo add /srv/git/shop-feed.git --owner feeds\n" +
			"  waybill repo add https://github.com/acme/shop-feed --owner feeds\n" +
			"  waybill repo add https://git.example.org/feeds/shop-feed.git --owner feeds --push-notes",
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			if in.Owner == "" {
				return misuse("say which team owns the repository: --owner <team>")
			}
			if in.URL, err = address(args[0]); err != nil {
				return err
			}
			r, err := cl.AddRepository(cmd.Context(), in)
			if err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) error {
				if _, err := fmt.Fprintf(w, "watching %s (%s): %s\n", r.Name, r.URL, told(r.Forge, r.HookInstalled)); err != nil {
					return err
				}
				return writeHook(w, r.Hook)
			})
		},
	})
	c.Flags().StringVar(&in.Owner, "owner", "", "team that owns the repository (required)")
	c.Flags().StringVar(&in.Name, "name", "", "short name (default: what its forge calls it, or the last part of the URL without .git)")
	c.Flags().StringVar(&in.Forge, "forge", "", "forge it lives at (default: the one whose address the URL begins with, else plain)")
	_ = c.RegisterFlagCompletionFunc("forge", a.completeForge) // the flag is there
	c.Flags().BoolVar(&in.PushNotes, "push-notes", false, "push status notes to a repository reached by URL")
	return c
}

// address makes a path absolute and leaves a URL as it is.
func address(text string) (string, error) {
	if strings.Contains(text, "://") {
		return text, nil
	}
	if host, path, scp := strings.Cut(text, ":"); scp && !strings.Contains(host, "/") { // git@host:path
		return "", misuse("write %s as a URL: ssh://%s/%s", text, host, strings.TrimPrefix(path, "/"))
	}
	abs, err := filepath.Abs(text)
	if err != nil {
		return "", waybill.Errorf(waybill.Invalid, "cannot resolve %s: %w", text, err)
	}
	return abs, nil
}

func (a *app) repoList() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "list", Short: "List what is watched", Args: exactly(0, ""), Aliases: []string{"ls"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			all, err := cl.Repositories(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) error {
				t := a.table("REPOSITORY", "FORGE", "BRANCH", "TOLD", "POLLED", "URL")
				for _, r := range all {
					t.add(r.Name, r.Forge, or(r.DefaultBranch), a.ago(r.LastTold), a.ago(r.LastPolled), r.URL)
				}
				return t.write(w, "no repository is watched: add one with `waybill repo add <bare repository or URL> --owner <team>`")
			})
		},
	})
}

func (a *app) repoShow() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "show <repository>", Short: "Show a repository", Args: exactly(1, "a repository"),
		Example: "  waybill repo show feeds/shop-feed", ValidArgsFunction: a.completeRepository,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			r, err := cl.Repository(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) error {
				return facts(w, "repository", r.Name, "url", r.URL, "id", r.ID, "forge", r.Forge, "path", r.Path,
					"default branch", r.DefaultBranch, "added", a.ago(r.Added), "polled", a.ago(r.LastPolled),
					"told", ever(a, r.LastTold), "missed a push", ever(a, r.LastMissed), "archived", map[bool]string{true: "yes"}[r.Archived])
			})
		},
	})
}

func (a *app) repoRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove <repository>", Short: "Stop watching a repository", Args: exactly(1, "a repository"), Aliases: []string{"rm"},
		Long:    "Stop watching a repository and take the hook out again. What was deployed from it stays.",
		Example: "  waybill repo remove feeds/shop-feed", ValidArgsFunction: a.completeRepository,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			if err := cl.RemoveRepository(cmd.Context(), args[0]); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.Stdout, "%s is no longer watched\n", args[0])
			return err
		},
	}
}

// ever is ago for what may never happen, which is then not shown.
func ever(a *app, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return a.ago(t)
}
