package cli

import (
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Formats of output.
const (
	asTable  = "table"
	asJSON   = "json"
	asYAML   = "yaml"
	asSARIF  = "sarif"  // findings only: a SARIF 2.1.0 log
	asGitHub = "github" // findings only: workflow commands that become annotations

	asSchema   = "json-schema" // of schema only, like the two below
	asCUE      = "cue"
	asMarkdown = "markdown"
)

// formatted adds the one output flag to a command. table is the default.
func (a *app) formatted(c *cobra.Command, more ...string) *cobra.Command {
	return a.formats(c, append([]string{asTable, asJSON, asYAML}, more...)...)
}

// formats adds the output flag to a command that has formats of its own; the first is the default.
func (a *app) formats(c *cobra.Command, formats ...string) *cobra.Command {
	// The value lives here: in a field that commands share, the default of the last would hold for all.
	output := c.Flags().StringP("output", "o", formats[0], "output format: "+strings.Join(formats, "|"))
	run := c.RunE
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if !slices.Contains(formats, *output) {
			return misuse("unknown output format %q: use %s", *output, strings.Join(formats, ", "))
		}
		a.output = *output
		return run(cmd, args)
	}
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	return c
}

// print writes v as JSON or YAML when that was asked for, else what table writes.
func (a *app) print(v any, table func(io.Writer) error) error {
	switch a.output {
	case asJSON:
		return writeJSON(a.Stdout, v)
	case asYAML:
		return writeYAML(a.Stdout, v)
	default:
		return table(a.Stdout)
	}
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// writeYAML writes what JSON would hold, in the same order: JSON is YAML, only the style differs.
func writeYAML(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var n yaml.Node
	if err := yaml.Unmarshal(text, &n); err != nil {
		return waybill.Wrap(waybill.Internal, err, "cannot write YAML")
	}
	block(&n)
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(&n); err != nil {
		return err
	}
	return e.Close()
}

// block makes a tree use indentation instead of braces. Text keeps its quotes only where YAML needs them.
func block(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		var plain yaml.Node
		plain.SetString(n.Value)
		n.Style = plain.Style
	}
	for _, c := range n.Content {
		block(c)
	}
}
