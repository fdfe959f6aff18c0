// Package reference writes down what the definitions of manifests say: as JSON Schema for editors, as Markdown for
// people, and as the CUE they are. All is made from what judges manifests, so nothing can disagree.
package reference

import (
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/schemas"
)

// Definition is what the documents of a kind, or of some types of it, may say.
type Definition struct {
	schemas.Definition

	Outline *schema.Outline
}

// Title names the documents: App, or Connector of type datasource.
func (d Definition) Title() string {
	if len(d.Types) == 0 {
		return d.Kind
	}
	return d.Kind + " of type " + strings.Join(d.Types, ", ")
}

// Definitions returns the definitions of a kind, in any case of letters, or of all kinds when it is empty; NotFound when
// there is no such kind.
func Definitions(kind string) ([]Definition, error) {
	set, err := schema.New(schemas.Manifest()...)
	if err != nil {
		return nil, err
	}
	var all []Definition
	for _, d := range schemas.Definitions() {
		if kind != "" && !strings.EqualFold(kind, d.Kind) {
			continue
		}
		o, err := set.Outline(d.Name)
		if err != nil {
			return nil, err
		}
		all = append(all, Definition{Definition: d, Outline: o})
	}
	if len(all) == 0 {
		return nil, waybill.Errorf(waybill.NotFound, "there is no kind %q: use %s", kind, strings.Join(Kinds(), ", "))
	}
	return all, nil
}

// Kinds lists the kinds that have a definition.
func Kinds() []string {
	var kinds []string
	for _, d := range schemas.Definitions() {
		if !slices.Contains(kinds, d.Kind) {
			kinds = append(kinds, d.Kind)
		}
	}
	return kinds
}
