// Package api is the JSON API, version 1, with the OpenAPI description generated from it. One file holds one resource:
// its operations and the conversion from the domain to the shapes of package wire. Reading goes to the store, acting
// goes to the engines through the small interfaces stated here.
package api
