// Package schemas holds what Waybill accepts, as CUE. Defaults and patterns are written in its .cue files and nowhere else.
package schemas

import _ "embed"

// Common is the CUE source of what the other files share. Connector, App and Platform refer to it.
//
//go:embed common.cue
var Common []byte

// Connector is the CUE source of the connector kinds.
//
//go:embed connector.cue
var Connector []byte

// App is the CUE source of apps.
//
//go:embed app.cue
var App []byte

// Platform is the CUE source of the kinds that the platform repository declares.
//
//go:embed platform.cue
var Platform []byte

// Server is the CUE source of the server configuration.
//
//go:embed server.cue
var Server []byte

// Definition names the definition of one kind of document, and of one type where the type chooses it.
type Definition struct {
	Kind  string
	Types []string // the values of spec.type it is for; nil: the kind has one definition
	Name  string   // such as #ConnectorDatasource
}

// Definitions lists the definition of every kind and type of document.
func Definitions() []Definition {
	return []Definition{
		{"Connector", []string{"datasource"}, "#ConnectorDatasource"},
		{"Connector", []string{"export"}, "#ConnectorExport"},
		{"Connector", []string{"export-delta"}, "#ConnectorExportDelta"},
		{"Connector", []string{"data-service"}, "#ConnectorDataService"},
		{"Connector", []string{"download"}, "#ConnectorDownload"},
		{"Connector", []string{"transform"}, "#ConnectorTransform"},
		{"Connector", []string{"write"}, "#ConnectorWrite"},
		{"Connector", []string{"upload"}, "#ConnectorUpload"},
		{"App", nil, "#App"},
		{"Repository", nil, "#Repository"},
		{"Team", nil, "#Team"},
		{"Site", nil, "#Site"},
		{"Workspace", nil, "#Workspace"},
		{"AuthProvider", []string{"oauth2"}, "#AuthProviderOAuth2"},
		{"AuthProvider", []string{"basic", "api-key", "custom"}, "#AuthProvider"},
		{"EventCatalog", nil, "#EventCatalog"},
		{"Terms", nil, "#Terms"},
		{"Policy", nil, "#Policy"},
	}
}

// Manifest returns the sources that all kinds of documents are defined in, which belong together.
func Manifest() [][]byte { return [][]byte{Common, Connector, App, Platform} }
