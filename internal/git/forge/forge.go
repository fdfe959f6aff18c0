// Package forge talks back to where a repository lives: commit statuses, sent from an outbox, once per change.
package forge

import (
	"context"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Forge is a place where repositories live and commits carry statuses.
type Forge interface {
	// Write makes statuses, all contexts of a commit, what the forge shows. Writing what is there already changes
	// nothing, and writers may run at the same time: the last one wins for each context, nobody else's data is lost.
	//
	// NotFound, Invalid and Denied mean that trying again cannot help: the commit or repository is gone, or the
	// forge refuses. Limited and Unavailable pass by themselves.
	Write(ctx context.Context, r waybill.Repository, commit string, statuses []waybill.Status) error
}
