package cli

import (
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

func (a *app) runs() *cobra.Command {
	return parent("runs", "Start and see runs", a.runsList(), a.runsStart(), a.runsShow(), a.runsCancel())
}

func (a *app) runsList() *cobra.Command {
	var f client.RunFilter
	c := a.formatted(&cobra.Command{
		Use: "list [connector]", Short: "List runs, newest first", Args: atMostOne, Aliases: []string{"ls"},
		Example: "  waybill runs list shop-feed --state failed", ValidArgsFunction: a.completeConnector,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			f.Connector = strings.Join(args, "")
			all, err := cl.Runs(cmd.Context(), f)
			if err == nil && len(all) == 0 && f.Connector != "" {
				_, err = connectorNamed(cmd.Context(), cl, f.Connector) // a misspelt name has no runs either
			}
			if err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) error {
				t := a.table("RUN", "CONNECTOR", "SITE", "TRIGGER", "STATE", "EXIT", "TOOK", "WHEN")
				for _, r := range all {
					t.add(r.ID, identity(r.Connector, r.Major), r.Site, r.Trigger, r.State, or(exit(r)), lasted(r.Duration), a.ago(r.Created))
				}
				if f.Connector != "" || f.Site != "" || len(f.States) > 0 {
					return t.write(w, "no such run: `waybill runs list` shows all")
				}
				return t.write(w, "no run yet: start one with `waybill runs start <connector> --site <site>`")
			})
		},
	})
	c.Flags().StringVar(&f.Site, "site", "", "only those at a site")
	_ = c.RegisterFlagCompletionFunc("site", a.completeSite) // the flag is there
	var states []string
	for _, s := range waybill.RunStates() {
		states = append(states, string(s))
	}
	wordsFlag(c, &f.States, "state", "only those in a state, such as running or failed", states...)
	limitFlag(c, &f.Limit, 20, "how many at most")
	return c
}

// exit says in one cell how the program of a run ended.
func exit(r wire.Run) string {
	switch {
	case r.ExitCode == nil:
		return ""
	case *r.ExitCode == 0 || r.Class == string(waybill.ClassOK): // nobody is to blame for the end of a cancelled run
		return strconv.Itoa(*r.ExitCode)
	default:
		return strconv.Itoa(*r.ExitCode) + " " + r.Class
	}
}

func (a *app) runsStart() *cobra.Command {
	var in wire.StartRun
	var set []string
	var wait bool
	c := a.formatted(&cobra.Command{
		Use: "start <connector> --site <site>", Short: "Run a connector at a site", Args: exactly(1, "a connector"),
		Long: "Run what is live of a connector at a site. Values given with --set are for this run only.\n" +
			"With --wait the output of the program is shown, and exit code 1 means that the run did not succeed.",
		Example: "  waybill runs start shop-feed --site feeds-dev --wait\n" +
			"  waybill runs start shop-feed@2 --site feeds-dev --set page_size=500",
		ValidArgsFunction: a.completeConnector,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			if in.Site == "" {
				return misuse("say where to run it: --site <site> (see `waybill site list`)")
			}
			if in.Connector, in.Major, err = parseIdentity(args[0]); err != nil {
				return err
			}
			if in.Values, err = parseValues(set); err != nil {
				return err
			}
			return a.startRun(cmd.Context(), cl, in, wait)
		},
	})
	c.Flags().StringVar(&in.Site, "site", "", "where to run it (required)")
	c.Flags().StringArrayVar(&set, "set", nil, "value of a field, as key=value; may be repeated")
	c.Flags().BoolVar(&wait, "wait", false, "show the output and wait for the end")
	_ = c.RegisterFlagCompletionFunc("site", a.completeSite) // the flag is there
	return c
}

func (a *app) startRun(ctx context.Context, cl *client.Client, in wire.StartRun, wait bool) error {
	r, err := cl.StartRun(ctx, in)
	if err != nil {
		return err
	}
	if !wait {
		return a.print(r, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "run %s is %s: waybill logs -f %s\n", r.ID, r.State, r.ID)
			return err
		})
	}
	a.complain("run %s is %s\n", r.ID, r.State)
	stdout := a.Stdout
	if a.output != asTable {
		stdout = a.Stderr // stdout belongs to the answer
	}
	if r, err = a.watch(ctx, cl, r, stdout); err != nil {
		return err
	}
	if err := a.print(r, func(io.Writer) error { a.complain("run %s\n", ending(r)); return nil }); err != nil {
		return err
	}
	if r.State != string(waybill.RunSucceeded) {
		return &failedError{}
	}
	return nil
}

// watch shows what a run prints until it has ended. Who goes away before is told that the run goes on.
func (a *app) watch(ctx context.Context, cl *client.Client, r wire.Run, stdout io.Writer) (wire.Run, error) {
	id := r.ID
	err := follow(ctx, cl, id, stdout, a.Stderr)
	for err == nil && !r.Final() {
		r, err = cl.Run(ctx, id, longWait)
	}
	if err != nil && ctx.Err() != nil {
		a.complain("run %s goes on: waybill logs -f %s\n", id, id)
	}
	return r, err
}

// ending says in a sentence how a run ended.
func ending(r wire.Run) string {
	text := r.ID + " " + r.State
	if r.Duration > 0 {
		text += " after " + lasted(r.Duration)
	}
	reason := r.Reason
	if r.ExitCode != nil && *r.ExitCode != 0 {
		code := "exit code " + strconv.Itoa(*r.ExitCode)
		text += ", " + code
		if r.Class != string(waybill.ClassOK) {
			text += " (" + r.Class + ")"
		}
		reason = strings.TrimPrefix(strings.TrimPrefix(reason, code), ": ") // once is enough
	}
	if reason != "" && reason != r.State {
		text += ": " + reason
	}
	return text
}

func (a *app) runsShow() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "show <run>", Short: "Show a run", Args: exactly(1, "the id of a run"), ValidArgsFunction: a.completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			r, err := cl.Run(cmd.Context(), args[0], 0)
			if err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) error { return a.writeRun(w, r) })
		},
	})
}

func (a *app) writeRun(w io.Writer, r wire.Run) error {
	pid, took, reason := "", "", r.Reason
	if reason == r.State {
		reason = ""
	}
	if r.PID > 0 {
		pid = strconv.Itoa(r.PID)
	}
	if r.Final() {
		took = lasted(r.Duration)
	}
	return facts(w, "run", r.ID, "connector", identity(r.Connector, r.Major), "site", r.Site, "state", r.State, "reason", reason,
		"exit code", exit(r), "took", took, "process", pid, "trigger", strings.TrimSpace(r.Trigger+" "+r.Actor),
		"values", joined(r.Values), "release", r.Release, "commit", r.Commit, "image", r.Image, "started", a.ago(r.Started))
}

func (a *app) runsCancel() *cobra.Command {
	return a.formatted(&cobra.Command{
		Use: "cancel <run>", Short: "End a run", Args: exactly(1, "the id of a run"), ValidArgsFunction: a.completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			r, err := cl.CancelRun(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) error {
				text := "run " + r.ID + " was asked to end"
				if r.Final() {
					text = "run " + r.ID + " had ended already: " + r.State
				}
				_, err := fmt.Fprintln(w, text)
				return err
			})
		},
	})
}

// parseIdentity reads name or name@major; major is 0 when it is not said.
func parseIdentity(text string) (name string, major int, err error) {
	name, rest, said := strings.Cut(text, "@")
	if !said {
		return name, 0, nil
	}
	major, err = strconv.Atoi(rest)
	if err != nil || major < 1 {
		return "", 0, misuse("%q is no connector: write name or name@major", text)
	}
	return name, major, nil
}

// parseValues reads key=value pairs.
func parseValues(pairs []string) (map[string]string, error) {
	values := make(map[string]string, len(pairs))
	for _, p := range pairs {
		key, value, ok := strings.Cut(p, "=")
		if !ok || key == "" {
			return nil, misuse("--set %s: write key=value", p)
		}
		values[key] = value
	}
	return values, nil
}
