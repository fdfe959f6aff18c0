package store

import (
	"time"

	"github.com/oklog/ulid/v2"
)

// NewID returns a ULID of now: 26 characters whose order is the order of time, and within one millisecond of one
// process the order of the calls, unless an id of another time is made between them.
func NewID(now time.Time) string {
	if now.Before(time.UnixMilli(0)) {
		now = time.UnixMilli(0)
	}
	return ulid.MustNew(ulid.Timestamp(now), ulid.DefaultEntropy()).String()
}

// timeDigits is how many characters of an id say when it was made, to the millisecond.
const timeDigits = 10

// FirstID returns what is not above any id that was made at or after a time, and above all that were made before its
// millisecond. It makes no id: the order of those would begin anew.
func FirstID(at time.Time) string {
	var id ulid.ULID
	if at.Before(time.UnixMilli(0)) {
		at = time.UnixMilli(0)
	}
	_ = id.SetTime(ulid.Timestamp(at)) // fails after the year 10889
	return id.String()[:timeDigits]
}
