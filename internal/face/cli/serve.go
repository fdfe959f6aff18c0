package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// ServeOptions are what the command line says about the server.
type ServeOptions struct {
	ConfigFile string            // empty: none was named
	Flags      map[string]string // flags that were given, by name; they win over environment and file
	Version    string
	Getenv     func(string) string
	Stdout     io.Writer // for people: addresses and the sign-in link
	Stderr     io.Writer // logs
}

func (a *app) serve() *cobra.Command {
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
	config := flags.String("config", "", "configuration file (YAML)")
	flags.String("data", "", "folder for everything that is kept (default ./.waybill)")
	flags.String("database", "", "postgres://… (default: SQLite in the data folder)")
	flags.String("listen", "", "address of pages, API and hooks (default 127.0.0.1:8080)")
	flags.String("admin-listen", "", "address of metrics, health and profiles (default 127.0.0.1:8081)")
	flags.String("public-url", "", "URL under which people and forges reach the server (default: the address)")
	flags.String("log-level", "", "debug, info, warn or error (default info)")
	flags.String("log-format", "", "text or json (default text)")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if a.Serve == nil {
			return waybill.Errorf(waybill.Unavailable, "this program was built without a server")
		}
		return a.Serve(cmd.Context(), ServeOptions{
			ConfigFile: *config, Flags: given(cmd.LocalNonPersistentFlags()), Version: a.Version,
			Getenv: a.Getenv, Stdout: a.Stdout, Stderr: a.Stderr,
		})
	}
	return c
}

// given returns the flags that were set, besides --config.
func given(flags *pflag.FlagSet) map[string]string {
	set := map[string]string{}
	flags.Visit(func(f *pflag.Flag) {
		if f.Name != "config" {
			set[f.Name] = f.Value.String()
		}
	})
	return set
}

// Serve runs a server until ctx ends.
type Serve func(ctx context.Context, o ServeOptions) error
