package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/face/client"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func (a *app) connector() *cobra.Command {
	return parent("connector", "See connectors", a.connectorList(), a.connectorShow(), a.connectorHistory())
}

func (a *app) connectorList() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "list", Short: "List connectors with what is live", Args: exactly(0, ""), Aliases: []string{"ls"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			all, err := cl.Connectors(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) error {
				t := a.table("CONNECTOR", "OWNER", "TYPE", "DEV", "PROD", "LAST RELEASE", "WHEN")
				for _, c := range all {
					a.addConnector(t, c)
				}
				return t.write(w, "no connector yet: push a repository with a waybill.yaml")
			})
		},
	})
}

// connectorNamed finds a connector, or says where the names of connectors are.
func connectorNamed(ctx context.Context, cl *client.Client, name string) (wire.ConnectorDetail, error) {
	c, err := cl.Connector(ctx, name)
	return c, see(err, "waybill connector list")
}

// addConnector adds a row for each major.
func (a *app) addConnector(t *table, c wire.Connector) {
	if len(c.Majors) == 0 {
		t.add(c.Name, c.Owner, or(c.Type), "-", "-", "-", "-")
	}
	for _, m := range c.Majors {
		row := []string{identity(c.Name, m.Major), c.Owner, or(c.Type), version(m.Dev), version(m.Prod), "-", "-"}
		if last := newest(m); last != nil {
			row[5], row[6] = last.Environment+" "+last.Outcome, a.ago(last.Created)
		}
		t.add(row...)
	}
}

// identity names a major as people do: name, or name@major from major 2 on.
func identity(name string, major int) string {
	return waybill.Identity{Name: name, Major: major}.String()
}

// version names what is live at a place.
func version(p *wire.Place) string {
	if p == nil || p.Live == nil {
		return "-"
	}
	if p.Live.Semver != "" {
		return "v" + p.Live.Semver
	}
	return waybill.ShortCommit(p.Live.Commit)
}

// newest returns the newest release of a major, nil when there is none.
func newest(m wire.Major) *wire.Release {
	var last *wire.Release
	for _, p := range []*wire.Place{m.Dev, m.Prod} {
		if p != nil && p.Latest != nil && (last == nil || p.Latest.ID > last.ID) {
			last = p.Latest
		}
	}
	return last
}

func (a *app) connectorShow() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "show <connector>", Short: "Show a connector with its set-up", Args: exactly(1, "a connector"),
		Example: "  waybill connector show shop-feed", ValidArgsFunction: a.completeConnector,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			c, err := connectorNamed(cmd.Context(), cl, args[0])
			if err != nil {
				return err
			}
			return a.print(c, func(w io.Writer) error { return a.writeConnector(w, c) })
		},
	})
}

func (a *app) writeConnector(w io.Writer, c wire.ConnectorDetail) error {
	if err := facts(w, "connector", c.Name, "title", c.Title, "type", c.Type, "owner", c.Owner, "created", a.ago(c.Created)); err != nil {
		return err
	}
	for _, m := range c.Majors {
		if err := a.writeMajor(w, c, m); err != nil {
			return err
		}
	}
	if len(c.Assignments) == 0 {
		return nil
	}
	t := a.table("SITE", "VERSION", "SCHEDULE", "VALUES")
	for _, s := range c.Assignments {
		t.add(s.Site, strconv.Itoa(s.Major), or(s.Schedule), or(joined(s.Config)))
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return t.write(w, "")
}

func (a *app) writeMajor(w io.Writer, c wire.ConnectorDetail, m wire.Major) error {
	if _, err := fmt.Fprintf(w, "\nversion %d\n", m.Major); err != nil {
		return err
	}
	for _, s := range c.Setups {
		if s.Major == m.Major {
			if err := a.writeSetup(w, s); err != nil {
				return err
			}
		}
	}
	t := a.table("  WHERE", "LIVE", "SINCE", "LAST RELEASE", "OUTCOME")
	for name, p := range map[string]*wire.Place{"  dev": m.Dev, "  prod": m.Prod} {
		if p == nil {
			continue
		}
		row := []string{name, version(p), "-", "-", "-"}
		if p.Live != nil {
			row[2] = a.ago(p.Live.Since)
		}
		if p.Latest != nil {
			row[3], row[4] = p.Latest.ID, p.Latest.Outcome
		}
		t.add(row...)
	}
	t.sort()
	return t.write(w, "  never released")
}

func (a *app) writeSetup(w io.Writer, s wire.Setup) error {
	fields := make([]string, 0, len(s.Fields))
	for _, f := range s.Fields {
		name := f.Key
		if f.Required {
			name += " (required)"
		}
		fields = append(fields, name)
	}
	limits := fmt.Sprintf("cpu %s, memory %s, %s", s.Run.CPU, waybill.FormatBytes(s.Run.Memory), allowed(s.Run.Timeout))
	return facts(w,
		"  manifest", fmt.Sprintf("%s at %s", s.File, waybill.ShortCommit(s.Commit)),
		"  program", strings.Join(append([]string{s.Application.Command}, s.Application.Arguments...), " "),
		"  fields", strings.Join(fields, ", "),
		"  schedule", s.Run.Schedule,
		"  limits", limits,
		"  dev", fmt.Sprintf("branch %s to %s", cmp.Or(s.Rules.DevBranch, "(default)"), s.Rules.DevSite),
		"  prod", fmt.Sprintf("tags %s to %s", s.Rules.ProdTag, s.Rules.ProdSite),
	)
}

func (a *app) connectorHistory() *cobra.Command {
	var limit int
	c := a.formatted(&cobra.Command{
		Use: "history <connector>", Short: "List what happened to a connector", Args: exactly(1, "a connector"),
		Example: "  waybill connector history shop-feed --limit 10", ValidArgsFunction: a.completeConnector,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			entries, err := cl.ConnectorHistory(cmd.Context(), args[0], limit)
			if err != nil {
				return see(err, "waybill connector list")
			}
			return a.print(entries, func(w io.Writer) error {
				t := a.table("WHEN", "WHO", "THROUGH", "WHAT", "COMMIT", "CHANGE")
				for _, e := range entries {
					t.add(a.ago(e.At), or(e.Actor), e.Channel, e.Action, or(waybill.ShortCommit(e.Commit)), change(e))
				}
				return t.write(w, "nothing happened yet")
			})
		},
	})
	limitFlag(c, &limit, 50, "how many entries at most")
	return c
}

// change says in one cell what an entry changed.
func change(e wire.Entry) string {
	var parts []string
	switch {
	case e.Before != "" && e.After != "":
		parts = append(parts, e.Before+" → "+e.After)
	case e.After != "" || e.Before != "":
		parts = append(parts, e.Before+e.After)
	}
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	return or(strings.Join(parts, ": "))
}
