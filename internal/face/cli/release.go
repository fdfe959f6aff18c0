package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/face/client"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func (a *app) release() *cobra.Command {
	return parent("release", "See and move releases", a.releaseList(), a.releaseShow(), a.releasePromote(), a.releaseRollback())
}

func (a *app) releaseList() *cobra.Command {
	var f client.ReleaseFilter
	c := a.formatted(&cobra.Command{
		Use: "list [connector]", Short: "List releases, newest first", Args: atMostOne, Aliases: []string{"ls"},
		Example: "  waybill release list shop-feed --env prod", ValidArgsFunction: a.completeConnector,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			f.Connector = strings.Join(args, "")
			all, err := cl.Releases(cmd.Context(), f)
			if err == nil && len(all) == 0 && f.Connector != "" {
				_, err = connectorNamed(cmd.Context(), cl, f.Connector) // a misspelt name has no releases either
			}
			if err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) error {
				t := a.table("RELEASE", "CONNECTOR", "TO", "VERSION", "OUTCOME", "LIVE", "WHEN", "STEPS")
				for _, r := range all {
					live := ""
					if r.Live {
						live = "live"
					}
					t.add(r.ID, identity(r.Connector, r.Major), r.Environment, releaseVersion(r), r.Outcome, live, a.ago(r.Created), steps(r))
				}
				if f.Connector != "" || f.Environment != "" || f.Open {
					return t.write(w, "no such release: `waybill release list` shows all")
				}
				return t.write(w, "no release yet: push to the dev branch, or push a tag")
			})
		},
	})
	wordFlag(c, &f.Environment, "env", "only those to dev or prod", string(waybill.Dev), string(waybill.Prod))
	c.Flags().BoolVar(&f.Open, "open", false, "only those that have not ended")
	limitFlag(c, &f.Limit, 20, "how many at most")
	return c
}

func releaseVersion(r wire.Release) string {
	if r.Semver != "" {
		return "v" + r.Semver
	}
	return waybill.ShortCommit(r.Commit)
}

// steps says in one cell how the steps of a release stand.
func steps(r wire.Release) string {
	parts := make([]string, 0, len(r.Steps))
	for _, s := range r.Steps {
		parts = append(parts, s.Step+" "+s.Outcome)
	}
	return strings.Join(parts, " ▸ ")
}

func (a *app) releaseShow() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "show <release>", Short: "Show a release with its steps", Args: exactly(1, "the id of a release"),
		ValidArgsFunction: a.completeRelease,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			r, err := cl.Release(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) error { return a.writeRelease(w, r) })
		},
	})
}

func (a *app) writeRelease(w io.Writer, r wire.Release) error {
	live := "no"
	if r.Live {
		live = "yes"
	}
	if err := facts(w, "release", r.ID, "connector", identity(r.Connector, r.Major), "to", r.Environment, "version", r.Semver,
		"ref", waybill.ShortRef(r.Ref), "commit", r.Commit, "image", r.Image, "registry", r.RepoDigest, "live", live, "outcome", r.Outcome); err != nil {
		return err
	}
	t := a.table("STEP", "OUTCOME", "TOOK", "DETAIL")
	for _, s := range r.Steps {
		took := 0.0
		if !s.Started.IsZero() && !s.Ended.IsZero() {
			took = s.Ended.Sub(s.Started).Seconds()
		}
		t.add(s.Step, s.Outcome, lasted(took), or(s.Detail))
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return t.write(w, "")
}

func (a *app) releasePromote() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "promote <release>", Short: "Make a release live", Args: exactly(1, "the id of a release"),
		Long:              "Make a release live whose steps are done, also one that is older than what is live. Running runs finish on theirs.",
		Example:           "  waybill release list shop-feed --env prod\n  waybill release promote 01JD0G3V9Q8Z4N6T2B7C5X1K0M",
		ValidArgsFunction: a.completeRelease,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			l, err := cl.Promote(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.print(l, func(w io.Writer) error { return writeLive(w, l) })
		},
	})
}

func (a *app) releaseRollback() *cobra.Command {
	var in wire.Rollback
	c := a.formatted(&cobra.Command{
		Use: "rollback <connector> --env dev|prod", Short: "Make the version live that was live before", Args: exactly(1, "a connector"),
		Long:    "Point new runs at the version that was live before. Nothing is built; running runs finish on theirs.",
		Example: "  waybill release rollback shop-feed --env prod", ValidArgsFunction: a.completeConnector,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			if in.Environment == "" {
				return misuse("say where: --env dev or --env prod")
			}
			name, major, err := parseIdentity(args[0])
			if err != nil {
				return err
			}
			in.Major = major
			l, err := cl.Rollback(cmd.Context(), name, in)
			if err != nil {
				return err
			}
			return a.print(l, func(w io.Writer) error { return writeLive(w, l) })
		},
	})
	wordFlag(c, &in.Environment, "env", "dev or prod (required)", string(waybill.Dev), string(waybill.Prod))
	return c
}

func writeLive(w io.Writer, l wire.Live) error {
	what := waybill.ShortCommit(l.Commit)
	if l.Semver != "" {
		what = "v" + l.Semver
	}
	_, err := fmt.Fprintf(w, "%s: %s is live on %s (release %s)\n", identity(l.Connector, l.Major), what, l.Environment, l.Release)
	return err
}
