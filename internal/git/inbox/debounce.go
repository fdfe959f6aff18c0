package inbox

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const (
	// restless is how recently a ref has moved that is likely to move again.
	restless = 10 * time.Second
	// settling is how long a look at a restless ref waits for the next push. The queue keeps the earliest time that was
	// asked for, so a burst of pushes is looked at this long after its first, however long it goes on.
	settling = 2 * time.Second
)

// due says when a worker looks at a ref that a hook spoke of: at once, or in a while when the ref moved just now, so that
// one look does for several pushes. Whoever pushes to plain Git waits and watches, and is not kept waiting for more.
func due(ctx context.Context, q store.Querier, now time.Time, r waybill.Repository, ref string) (time.Time, error) {
	if r.Forge == plain {
		return time.Time{}, nil
	}
	known, found, err := gitstore.FindRef(ctx, q, r.ID, ref)
	if err != nil || !found || now.Sub(known.Observed) >= restless {
		return time.Time{}, err
	}
	return now.Add(settling), nil
}
