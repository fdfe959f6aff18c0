package cli

import (
	"context"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/waybill-dev/waybill/internal/face/client"
	"github.com/waybill-dev/waybill/internal/foundation/config"
	"github.com/waybill-dev/waybill/internal/foundation/telemetry"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Serve runs a server until ctx ends.
type Serve func(ctx context.Context, o ServeOptions) error

// ServeOptions say what server to run.
type ServeOptions struct {
	Config    config.Config
	Version   string
	Log       *slog.Logger
	Out       io.Writer // for people: addresses and the sign-in link
	StateFile string    // where to leave the address for the command line; empty: nowhere
}

// serve makes the command. args are those of the whole command line: the settings, which are read from a schema,
// become flags only when they are of use, because every push waits for this program to start.
func (a *app) serve(args []string) (*cobra.Command, error) {
	c := &cobra.Command{
		Use: "serve", Short: "Run the server", Args: exactly(0, ""),
		Long: "Run the server. Without any configuration it keeps its data in ./.waybill, uses SQLite and the Docker engine of\n" +
			"this machine, answers on 127.0.0.1:8080 and, for operators, on 127.0.0.1:8081. Settings come from flags, then\n" +
			"from the environment (WAYBILL_DATA, WAYBILL_LISTEN, …), then from the configuration file.",
		Example: "  waybill serve\n" +
			"  waybill serve --data /var/lib/waybill --public-url https://waybill.example.org\n" +
			"  waybill serve --database postgres://waybill@db.example.org/waybill",
	}
	flags := c.Flags()
	flags.SortFlags = false
	file := flags.String("config", "", "configuration file (YAML)")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.runServe(cmd.Context(), *file, given(cmd))
	}
	if !slices.Contains(args, "serve") {
		return c, nil
	}
	keys, err := config.Keys()
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		doc := strings.TrimSuffix(strings.ToLower(k.Doc[:1])+k.Doc[1:], ".")
		if k.Default != "" {
			doc += " (default " + k.Default + ")"
		}
		flags.Var(&setting{kind: map[bool]string{true: "bool", false: "string"}[k.Bool]}, k.Flag, doc)
		if k.Bool {
			flags.Lookup(k.Flag).NoOptDefVal = "true"
		}
	}
	return c, nil
}

func (a *app) runServe(ctx context.Context, file string, flags map[string]string) error {
	if a.Serve == nil {
		return waybill.Errorf(waybill.Unavailable, "this program was built without a server")
	}
	c, err := config.Load(config.Options{File: file, ReadFile: os.ReadFile, Getenv: a.Getenv, Flags: flags})
	if err != nil {
		return err
	}
	log, err := telemetry.NewLog(a.Stderr, c.Log.Level, c.Log.Format)
	if err != nil {
		return err
	}
	return a.Serve(ctx, ServeOptions{
		Config: c, Version: a.Version, Log: log, Out: a.Stdout, StateFile: client.StateFile(a.Getenv),
	})
}

// given returns the settings that were given as flags.
func given(cmd *cobra.Command) map[string]string {
	set := map[string]string{}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if cmd.InheritedFlags().Lookup(f.Name) == nil && f.Name != "config" {
			set[f.Name] = f.Value.String()
		}
	})
	return set
}
