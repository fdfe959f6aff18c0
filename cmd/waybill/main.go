// Command waybill is a developer portal that lives in Git: server, command line and Git hook in one program.
package main

import (
	"os"

	"github.com/waybill-dev/waybill/internal/face/cli"
)

// version is set when a release is built.
var version = "devel"

func main() { os.Exit(cli.Main(version)) }
