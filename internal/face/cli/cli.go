package cli

import (
	"cmp"
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
	// Interactive says that somebody answers questions on stdin.
	Interactive bool
	Getenv      func(string) string
	Now         func() time.Time
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
		a.complain("waybill: %s\nSee '%s --help'.\n", usage.text, cmp.Or(usage.of, cmd.CommandPath()))
	case errors.Is(err, context.Canceled):
		a.complain("waybill: interrupted\n")
	default:
		a.complain("waybill: %s\n", err)
	}
	return exitCode(err)
}

func (a *app) complain(format string, args ...any) { _, _ = fmt.Fprintf(a.Stderr, format, args...) }

// usageError says that the command line itself is wrong.
type usageError struct {
	text string
	of   string // the command that is used wrongly; empty: the one that ran
}

func (e *usageError) Error() string { return e.text }

func misuse(format string, args ...any) error { return &usageError{text: fmt.Sprintf(format, args...)} }

// see adds to the news that there is no such thing which command lists those there are.
func see(err error, command string) error {
	if waybill.IsCode(err, waybill.NotFound) {
		return waybill.Errorf(waybill.NotFound, "%w (see `%s`)", err, command)
	}
	return err
}

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
	begin, err := a.init(args)
	if err != nil {
		return nil, err
	}
	root := &cobra.Command{
		Use:   "waybill",
		Short: "From git push to a running connector",
		Long: "Waybill is a developer portal that lives in Git: push a waybill.yaml, and it is validated, built, deployed and run.\n\n" +
			"On the machine of the server nothing needs to be set. From elsewhere, $WAYBILL_SERVER is its URL and $WAYBILL_TOKEN a\n" +
			"token from `waybill token create`.",
		Version:       a.about(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          onlyChildren,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.Flags().BoolP("version", "v", false, "say which program this is")
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
	root.AddCommand(group(groupWrite, begin, a.validate(), a.plan(), a.explain(), a.schema())...)
	root.AddCommand(group(groupServer, a.status(), a.retry(), a.connector(), a.release(), a.runs(), a.logs(), a.site(), a.settings())...)
	root.AddCommand(group(groupAdmin, serve, a.repo(), a.forge(), a.token(), a.version())...)
	root.AddCommand(a.hook())
	root.SetHelpCommandGroupID(groupAdmin)
	root.SetCompletionCommandGroupID(groupAdmin)
	strict(root, args)
	return root, nil
}

// strict makes the two commands that cobra brings refuse words that they do not know, as all others do.
func strict(root *cobra.Command, args []string) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion":
			c.Args, c.RunE = onlyChildren, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		case "help":
			help := c.Run
			c.Run, c.RunE = nil, func(cmd *cobra.Command, args []string) error {
				if topic, rest, err := root.Find(args); err != nil || len(rest) > 0 && topic.HasSubCommands() {
					return unknown(topic, rest[0])
				}
				help(cmd, args)
				return nil
			}
		}
	}
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
		Use: use, Short: short, Args: onlyChildren,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(children...)
	return c
}

// onlyChildren refuses arguments: what is there is a child with another name.
func onlyChildren(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknown(cmd, args[0])
	}
	return nil
}

// unknown says that a command has no child of this name, and which one may be meant.
func unknown(cmd *cobra.Command, name string) error {
	const typos = 2
	cmd.SuggestionsMinimumDistance = typos
	text := fmt.Sprintf("unknown command %q", name)
	if cmd.HasParent() {
		text += fmt.Sprintf(" for %q", title(cmd))
	}
	if meant := cmd.SuggestionsFor(name); len(meant) > 0 {
		text += ` (did you mean "` + strings.Join(meant, `" or "`) + `"?)`
	}
	return &usageError{text, cmd.CommandPath()}
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
