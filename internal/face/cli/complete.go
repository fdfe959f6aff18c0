package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/client"
)

// completeWithin is how long a completion may ask the server: a shell waits for it.
const completeWithin = time.Second

// completeAtMost is how many ids are offered, newest first.
const completeAtMost = 50

// complete offers the names that list returns, as the first argument; nothing when there is no server.
func (a *app) complete(cmd *cobra.Command, given int, list func(context.Context, *client.Client) ([]string, error)) ([]string, cobra.ShellCompDirective) {
	const nothing = cobra.ShellCompDirectiveNoFileComp
	if given > 0 {
		return nil, nothing
	}
	cl, err := a.client()
	if err != nil {
		return nil, nothing
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
	defer cancel()
	names, err := list(ctx, cl)
	if err != nil {
		return nil, nothing
	}
	return names, nothing
}

func (a *app) completeConnector(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, len(args), func(ctx context.Context, cl *client.Client) (names []string, err error) {
		all, err := cl.Connectors(ctx)
		for _, c := range all {
			names = append(names, c.Name)
		}
		return names, err
	})
}

func (a *app) completeRepository(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, len(args), func(ctx context.Context, cl *client.Client) (names []string, err error) {
		all, err := cl.Repositories(ctx)
		for _, r := range all {
			names = append(names, r.Name)
		}
		return names, err
	})
}

func (a *app) completeSite(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, 0, func(ctx context.Context, cl *client.Client) (names []string, err error) {
		all, err := cl.Sites(ctx)
		for _, s := range all {
			names = append(names, s.Name)
		}
		return names, err
	})
}

func (a *app) completeRun(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, len(args), func(ctx context.Context, cl *client.Client) (ids []string, err error) {
		all, err := cl.Runs(ctx, client.RunFilter{Limit: completeAtMost})
		for _, r := range all {
			ids = append(ids, cobra.CompletionWithDesc(r.ID, identity(r.Connector, r.Major)+" at "+r.Site+" "+r.State))
		}
		return ids, err
	})
}

func (a *app) completeRelease(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, len(args), func(ctx context.Context, cl *client.Client) (ids []string, err error) {
		all, err := cl.Releases(ctx, client.ReleaseFilter{Limit: completeAtMost})
		for _, r := range all {
			what := identity(r.Connector, r.Major) + " " + releaseVersion(r) + " to " + r.Environment + " " + r.Outcome
			ids = append(ids, cobra.CompletionWithDesc(r.ID, what))
		}
		return ids, err
	})
}

// completeLog offers what has a log: runs, then releases.
func (a *app) completeLog(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	runs, _ := a.completeRun(cmd, args, prefix)
	releases, directive := a.completeRelease(cmd, args, prefix)
	return append(runs, releases...), directive
}

func (a *app) completeToken(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	return a.complete(cmd, len(args), func(ctx context.Context, cl *client.Client) (ids []string, err error) {
		all, err := cl.Tokens(ctx)
		for _, t := range all {
			ids = append(ids, cobra.CompletionWithDesc(t.ID, t.Name))
		}
		return ids, err
	})
}
