package manifest

import (
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/schemas"
)

// definitionsOf returns the definitions of a kind.
func definitionsOf(kind string) []schemas.Definition {
	return slices.DeleteFunc(schemas.Definitions(), func(d schemas.Definition) bool { return d.Kind != kind })
}

// typesOf lists the types of a kind; none when the kind has one definition.
func typesOf(kind string) []string {
	var types []string
	for _, d := range definitionsOf(kind) {
		types = append(types, d.Types...)
	}
	return types
}

// definition chooses the definition that d is judged by: the one of its type, else the one that its author most likely
// meant. It reports false when the type does not exist.
func (d *document) definition() (name string, known bool) {
	all := definitionsOf(d.kind())
	written, _ := d.text("spec", "type")
	near, _ := waybill.Nearest(written, typesOf(d.kind()))
	for _, t := range []string{written, near} {
		for _, candidate := range all {
			if candidate.Types == nil || slices.Contains(candidate.Types, t) {
				return candidate.Name, t == written
			}
		}
	}
	return d.guess(), false
}

// guess chooses a definition by the parts that are written where the type says nothing.
func (d *document) guess() string {
	if d.kind() == waybill.KindAuthProvider {
		if d.written("spec", "authorizeUrl") || d.written("spec", "tokenUrl") {
			return "#AuthProviderOAuth2"
		}
		return "#AuthProvider"
	}
	for _, part := range []struct{ name, definition string }{
		{"datasource", "#ConnectorDatasource"}, {"export", "#ConnectorExport"}, {"dataService", "#ConnectorDataService"},
	} {
		if d.written("spec", part.name) {
			return part.definition
		}
	}
	return "#ConnectorDownload"
}

// foreign says where a field belongs that is legal in another type or kind; it is empty for any other.
func foreign(kind string, path schema.Path) string {
	apps := []string{"metadata.support", "spec.allowlist", "spec.credentials", "spec.distribution", "spec.endpoints", "spec.install", "spec.scopes", "spec.webhooks"}
	connectors := []string{"spec.application", "spec.authentication", "spec.build", "spec.execution", "spec.fields", "spec.flow", "spec.run", "spec.secrets", "spec.source", "spec.type", "spec.version"}
	at := path.String()
	switch {
	case at == "spec.datasource":
		return "it is for connectors of type datasource"
	case at == "spec.export":
		return "it is for connectors of type export and export-delta"
	case at == "spec.dataService":
		return "it is for connectors of type data-service"
	case at == "spec.support":
		return "it belongs to metadata of apps"
	case at == "spec.authorizeUrl" || at == "spec.tokenUrl":
		return "it is for type oauth2"
	case kind != waybill.KindApp && slices.Contains(apps, at):
		return "it is for apps"
	case kind != waybill.KindConnector && slices.Contains(connectors, at):
		return "it is for connectors"
	}
	return ""
}

// noun is what people call a declaration of a kind.
func noun(kind string) string {
	switch kind {
	case waybill.KindAuthProvider:
		return "provider"
	case waybill.KindEventCatalog:
		return "event catalog"
	default:
		return strings.ToLower(kind)
	}
}

// ofPlatform reports whether only the platform repository may declare a kind.
func ofPlatform(kind string) bool {
	return kind != "" && kind != waybill.KindConnector && kind != waybill.KindApp
}
