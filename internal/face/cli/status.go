package cli

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/face/client"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func (a *app) status() *cobra.Command {
	var repository string
	var wait bool
	c := a.formatted(&cobra.Command{
		Use: "status [commit]", Short: "Say what Waybill says about a commit", Args: atMostOne,
		Long: "Show the statuses of a commit, as its Git note does, and the findings in its manifests.\n" +
			"Without a commit it is HEAD of the repository here.",
		Example: "  waybill status\n  waybill status 1a2b3c4 -o json\n  waybill status --wait   # until the last step has ended",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runStatus(cmd.Context(), args, repository, wait)
		},
	})
	c.Flags().StringVar(&repository, "repository", "", "owner/name, when several repositories have the commit")
	c.Flags().BoolVar(&wait, "wait", false, "wait for the end; exit code 1 when it is a failure or an error")
	return c
}

func (a *app) runStatus(ctx context.Context, args []string, repository string, wait bool) error {
	cl, err := a.client()
	if err != nil {
		return err
	}
	commit, err := commitOf(ctx, args)
	if err != nil {
		return err
	}
	s, err := cl.CommitStatuses(ctx, commit, repository)
	if err == nil && wait {
		s, err = a.awaitStatus(ctx, cl, s)
	}
	if err != nil {
		return err
	}
	if err := a.print(s, func(w io.Writer) error { return a.writeStatus(w, s) }); err != nil {
		return err
	}
	if state := aggregate(s).State; wait && state != string(waybill.StateSuccess) {
		return &failedError{}
	}
	return nil
}

// aggregate returns the status that sums the others up.
func aggregate(s wire.CommitStatuses) wire.Status {
	for _, st := range s.Statuses {
		if st.Context == waybill.AggregateContext {
			return st
		}
	}
	return wire.Status{Context: waybill.AggregateContext, State: string(waybill.StatePending)}
}

// lookEvery is how often a waiting command asks again.
const lookEvery = time.Second

// awaitStatus asks until the aggregate is final, and tells on stderr what changes.
func (a *app) awaitStatus(ctx context.Context, cl *client.Client, s wire.CommitStatuses) (wire.CommitStatuses, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	told := map[string]string{}
	for {
		for _, st := range s.Statuses {
			if text := st.State + " " + st.Description; st.Context != waybill.AggregateContext && told[st.Context] != text {
				told[st.Context] = text
				a.complain("%s: %s\n", st.Context, strings.TrimSpace(text))
			}
		}
		if waybill.State(aggregate(s).State).Final() {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-tick.C:
		}
		var err error
		if s, err = cl.CommitStatuses(ctx, s.Commit, s.Repository); err != nil {
			return s, err
		}
	}
}

func (a *app) writeStatus(w io.Writer, s wire.CommitStatuses) error {
	if _, err := fmt.Fprintf(w, "%s  %s\n", s.Name, s.Commit); err != nil {
		return err
	}
	t := a.table("CONTEXT", "STATE", "UPDATED", "DESCRIPTION")
	for _, st := range s.Statuses {
		t.add(st.Context, st.State, a.ago(st.Updated), st.Description)
	}
	if err := t.write(w, "nothing yet"); err != nil {
		return err
	}
	for _, f := range s.Findings {
		text := waybill.Finding{
			Code: waybill.FindingCode(f.Code), Severity: waybill.Severity(f.Severity), File: f.File, Line: f.Line,
			Column: f.Column, Message: f.Message, Hint: f.Hint,
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) retry() *cobra.Command {
	var repository string
	c := a.formatted(&cobra.Command{
		Use: "retry [commit]", Short: "Examine a commit again", Args: atMostOne,
		Long: "Examine a commit again: steps that did not succeed are tried once more, the others stay as they are.\n" +
			"Without a commit it is HEAD of the repository here.",
		Example: "  waybill retry 1a2b3c4",
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			commit, err := commitOf(cmd.Context(), args)
			if err != nil {
				return err
			}
			r, err := cl.Retry(cmd.Context(), commit, repository)
			if err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) error {
				short := waybill.ShortCommit(r.Commit)
				_, err := fmt.Fprintf(w, "%s is examined again: waybill status %s --wait\n", short, short)
				return err
			})
		},
	})
	c.Flags().StringVar(&repository, "repository", "", "owner/name, when several repositories have the commit")
	return c
}

var commitRule = regexp.MustCompile(`^[0-9a-f]{4,64}$`)

// commitOf returns the commit that a person means: hexadecimal digits as they are, else what Git makes of it here.
func commitOf(ctx context.Context, args []string) (string, error) {
	name := "HEAD"
	if len(args) > 0 {
		name = args[0]
	}
	if commitRule.MatchString(name) {
		return name, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}").Output()
	if err != nil {
		if exec.CommandContext(ctx, "git", "rev-parse", "--git-dir").Run() != nil {
			return "", misuse("this folder is in no Git repository: give at least four digits of a commit")
		}
		return "", misuse("%q is no commit here: give at least four digits of one", name)
	}
	return strings.TrimSpace(string(out)), nil
}
