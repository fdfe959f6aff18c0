// Package schemas holds what Waybill accepts, as CUE. Defaults and patterns are written in its .cue files and nowhere else.
package schemas

import _ "embed"

// Connector is the CUE source of the connector kinds.
//
//go:embed connector.cue
var Connector []byte

// Server is the CUE source of the server configuration.
//
//go:embed server.cue
var Server []byte
