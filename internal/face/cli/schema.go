package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/foundation/schema/reference"
)

func (a *app) schema() *cobra.Command {
	return a.formats(&cobra.Command{
		Use: "schema [kind]", Short: "Print what manifests may say", Args: atMostOne,
		Long: "Print what manifests may say: as JSON Schema for editors, as the CUE that judges them, or as a reference in Markdown.\n" +
			"Without a kind it is one schema for all of them. What needs other files or a server, no schema can say.",
		Example: "  waybill schema > waybill.schema.json   # then, in an editor: # yaml-language-server: $schema=waybill.schema.json\n" +
			"  waybill schema -o markdown connector",
		RunE: func(_ *cobra.Command, args []string) error {
			kind := ""
			if len(args) > 0 {
				kind = args[0]
			}
			definitions, err := reference.Definitions(kind)
			if err != nil {
				return err
			}
			return a.writeSchema(definitions)
		},
		ValidArgsFunction: cobra.FixedCompletions(reference.Kinds(), cobra.ShellCompDirectiveNoFileComp),
	}, asSchema, asCUE, asMarkdown)
}

func (a *app) writeSchema(definitions []reference.Definition) error {
	switch a.output {
	case asCUE:
		text, err := reference.CUE(definitions)
		if err != nil {
			return err
		}
		_, err = io.WriteString(a.Stdout, text)
		return err
	case asMarkdown:
		_, err := io.WriteString(a.Stdout, reference.Markdown(definitions))
		return err
	default:
		s, err := reference.JSONSchema(definitions)
		if err != nil {
			return err
		}
		return writeJSON(a.Stdout, s)
	}
}
