// Package cli is the waybill command. A command is a thin thing: it asks the server through package client, or does
// its work here when no server is needed, and prints a table for people or the shapes of the API for programs.
package cli
