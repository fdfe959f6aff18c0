// Package build makes container images from the tree of a commit.
//
// The image is built by the BuildKit inside the Docker Engine, reached through the engine's own socket. The Dockerfile
// frontend runs in this process, so that every engine understands the same Dockerfiles and no frontend image is ever
// fetched. Nothing is checked out: the engine asks for files and gets them straight from the tree.
//
// [Engine] is the [Builder] that does the work; [Limit], [Record] and [Reuse] each wrap one Builder and add one behaviour.
package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Builder makes one image.
type Builder interface {
	// Build reports Invalid for a mistake of the developer, with a sentence that names file, line and instruction;
	// Unavailable when the engine is away or its disk is full; and the cause of ctx when that ended the build.
	Build(ctx context.Context, r Request) (Result, error)
}

// Request says what to build.
type Request struct {
	// Tree is the whole commit; Folder is the manifest's folder in it, "." for the root.
	Tree   waybill.Tree
	Folder string
	Spec   waybill.Build
	// Content identifies the result. Reuse needs it; the others ignore it.
	Content Content
	// Labels are added to the image. They are no part of its identity.
	Labels map[string]string
	// Tag is the name the image gets, see [TagName]. Empty: none.
	Tag string
	// Log receives the progress as plain lines. Nil: nobody listens.
	Log io.Writer
}

// Result is a built image.
type Result struct {
	Image  string // id, "sha256:…"
	Size   int64  // bytes
	Reused bool   // an earlier build had the same content
}

// Content identifies what goes into an image: the files and the way they are built. Both are sha256 in hex.
type Content struct {
	Context string // path, mode and blob of every file left after .dockerignore
	Recipe  string // Dockerfile, target, arguments, platform, network and base images
}

// Key is both digests as one.
func (c Content) Key() string {
	sum := sha256.Sum256([]byte(c.Context + " " + c.Recipe))
	return hex.EncodeToString(sum[:])
}

// Repository is the first part of every name that Waybill gives to an image. Other names are left alone.
const Repository = "waybill/"

// TagName returns the local name of the image with this content, waybill/<connector>:<major>-<12 hex digits>.
// The engine's own pruning spares images with a name.
func TagName(connector string, major int, c Content) string {
	return fmt.Sprintf("%s%s:%d-%s", Repository, connector, major, c.Key()[:12])
}

// say writes one line for the developer into a build's log. A log that cannot be written does not fail the build.
func say(w io.Writer, format string, args ...any) {
	if w != nil {
		_, _ = fmt.Fprintf(w, format+"\n", args...)
	}
}
