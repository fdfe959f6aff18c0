package inbox

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
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

// due says when a worker looks at a ref that a hook spoke of: at once (zero), or in a while when the ref moved just now,
// so that one look does for several pushes.
func due(now time.Time, known waybill.Ref) time.Time {
	if now.Sub(known.Observed) >= restless {
		return time.Time{}
	}
	return now.Add(settling)
}

// looks lists the look at each ref that the arrivals speak of. Whoever pushes to plain Git waits and watches, and is not
// kept waiting for more pushes.
func looks(ctx context.Context, tx *store.Tx, list []*arrival) ([]queue.Entry, error) {
	var names []gitstore.RefName
	for _, a := range list {
		if a.repository.Forge != plain {
			names = append(names, a.refs()...)
		}
	}
	known, err := gitstore.FindRefs(ctx, tx, names)
	if err != nil {
		return nil, err
	}
	var work []queue.Entry
	for _, a := range list {
		for _, n := range a.refs() {
			work = append(work, refEntry(a.repository, n.Name, due(a.delivery.Received, known[n])))
		}
	}
	return work, nil
}
