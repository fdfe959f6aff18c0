package manifest

import (
	"errors"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaPlace returns where a JSON Schema is not legal, as far as the library says.
func schemaPlace(err error) string {
	var elsewhere *jsonschema.LoadURLError
	if errors.As(err, &elsewhere) {
		return ": it refers to another place"
	}
	var invalid *jsonschema.SchemaValidationError
	var deep *jsonschema.ValidationError
	if !errors.As(err, &invalid) || !errors.As(invalid.Err, &deep) {
		return ""
	}
	longest := deep.InstanceLocation
	for todo := deep.Causes; len(todo) > 0; todo = todo[1:] {
		if len(todo[0].InstanceLocation) > len(longest) {
			longest = todo[0].InstanceLocation
		}
		todo = append(todo, todo[0].Causes...)
	}
	if len(longest) == 0 {
		return ""
	}
	return " at " + strings.Join(longest, ".")
}
