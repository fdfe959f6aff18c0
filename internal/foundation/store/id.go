package store

import (
	"time"

	"github.com/oklog/ulid/v2"
)

// NewID returns a ULID of now: 26 characters whose order is the order of time, and within one millisecond of one
// process the order of the calls.
func NewID(now time.Time) string {
	if now.Before(time.UnixMilli(0)) {
		now = time.UnixMilli(0)
	}
	return ulid.MustNew(ulid.Timestamp(now), ulid.DefaultEntropy()).String()
}
