package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/client"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Env is what a command may reach outside itself.
type Env struct {
	Version string
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	// Terminal says that stdout is a terminal on which colour is welcome.
	Terminal bool
	Getenv   func(string) string
	Now      func() time.Time
	// Serve runs the server until ctx ends; nil when there is none to run.
	Serve Serve
}

// app is one invocation of the command.
type app struct {
	Env
	server string // --server
	output string // -o
}

// Run executes the command line args and returns the exit code: 0 ok, 1 failed, 2 wrong usage.
func Run(ctx context.Context, env Env, args []string) int {
	a := &app{Env: env}
	root, err := a.root(args)
	if err != nil {
		a.complain("waybill: %s\n", err)
		return exitCode(err)
	}
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	var usage *usageError
	var silent *failedError
	switch {
	case errors.As(err, &silent):
	case errors.As(err, &usage):
		a.complain("waybill: %s\nSee '%s --help'.\n", usage.text, cmd.CommandPath())
	case errors.Is(err, context.Canceled):
		a.complain("waybill: interrupted\n")
	default:
		a.complain("waybill: %s\n", err)
	}
	return exitCode(err)
}

func (a *app) complain(format string, args ...any) { _, _ = fmt.Fprintf(a.Stderr, format, args...) }

// usageError says that the command line itself is wrong.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func misuse(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// failedError ends a command with exit code 1 after everything has been said.
type failedError struct{}

func (*failedError) Error() string { return "failed" }

// exitCodes is the one table from error codes to exit codes. It is complete over waybill.Codes.
func exitCodes() map[waybill.Code]int {
	const failed, wrongUsage = 1, 2
	return map[waybill.Code]int{
		waybill.Invalid:         wrongUsage,
		waybill.Unauthenticated: failed,
		waybill.Denied:          failed,
		waybill.NotFound:        failed,
		waybill.Conflict:        failed,
		waybill.TooLarge:        failed,
		waybill.Limited:         failed,
		waybill.Unavailable:     failed,
		waybill.Internal:        failed,
	}
}

func exitCode(err error) int {
	var usage *usageError
	var known *waybill.Error
	switch {
	case errors.As(err, &usage):
		return 2
	case errors.As(err, &known):
		return exitCodes()[known.Code]
	default:
		return 1
	}
}

// Groups of commands in the help text.
const (
	groupWrite  = "write"
	groupServer = "server"
	groupAdmin  = "admin"
)

func (a *app) root(args []string) (*cobra.Command, error) {
	serve, err := a.serve(args)
	if err != nil {
		return nil, err
	}
	root := &cobra.Command{
		Use:           "waybill",
		Short:         "From git push to a running connector",
		Long:          "Waybill is a developer portal that lives in Git: push a waybill.yaml, and it is validated, built, deployed and run.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return misuse("unknown command %q", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return misuse("%s", err) })
	flags := root.PersistentFlags()
	flags.StringVar(&a.server, "server", "", "URL of the server (default: $WAYBILL_SERVER, else the one on this machine)")
	root.AddGroup(
		&cobra.Group{ID: groupWrite, Title: "Write a connector (no server needed):"},
		&cobra.Group{ID: groupServer, Title: "See and change what runs:"},
		&cobra.Group{ID: groupAdmin, Title: "Run Waybill:"},
	)
	root.AddCommand(group(groupWrite, a.validate(), a.explain())...)
	root.AddCommand(group(groupServer, a.status(), a.retry(), a.connector(), a.release(), a.runs(), a.logs(), a.site())...)
	root.AddCommand(group(groupAdmin, serve, a.repo(), a.token(), a.version())...)
	root.AddCommand(a.hook())
	root.SetHelpCommandGroupID(groupAdmin)
	root.SetCompletionCommandGroupID(groupAdmin)
	return root, nil
}

func group(id string, commands ...*cobra.Command) []*cobra.Command {
	for _, c := range commands {
		c.GroupID = id
	}
	return commands
}

// parent makes a command that only holds others.
func parent(use, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return misuse("unknown command %q for %q", args[0], title(cmd))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(children...)
	return c
}

// client returns the client of the server that is meant.
func (a *app) client() (*client.Client, error) { return client.Find(a.server, a.Getenv) }

// exactly wants n arguments, which what names.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == n:
			return nil
		case n == 0:
			return misuse("%s takes no arguments", title(cmd))
		default:
			return misuse("%s needs %s", title(cmd), what)
		}
	}
}

// atMostOne wants one argument or none.
func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return misuse("%s takes one argument at most", title(cmd))
	}
	return nil
}

// title names a command without the program.
func title(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}
