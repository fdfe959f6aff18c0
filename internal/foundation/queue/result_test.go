package queue

import (
	"fmt"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestEachCodeHasAResult(t *testing.T) {
	t.Parallel()
	want := map[waybill.Code]string{
		waybill.Invalid: "discard", waybill.Unauthenticated: "discard", waybill.Denied: "discard",
		waybill.NotFound: "discard", waybill.TooLarge: "discard", waybill.Conflict: "retry", waybill.Limited: "snooze",
		waybill.Unavailable: "retry", waybill.Internal: "retry",
	}
	for _, code := range waybill.Codes() {
		r := Of(waybill.Errorf(code, "x"))
		if r.String() != want[code] || r.Err() == nil {
			t.Errorf("%s: %s with %v, want %s", code, r, r.Err(), want[code])
		}
	}
	if r := Of(nil); r.String() != "done" || r.Err() != nil {
		t.Errorf("no error: %s with %v", r, r.Err())
	}
}

func TestBackoffGrowsToItsLimit(t *testing.T) {
	t.Parallel()
	for attempt := range 100 {
		want := 15 * time.Minute
		if attempt >= 1 && attempt <= 10 {
			want = min(want, time.Second<<(attempt-1))
		}
		if attempt == 0 {
			want = time.Second
		}
		shares := map[time.Duration]bool{}
		for key := range 20 {
			got := backoff(fmt.Sprint(key), attempt)
			if got < want*8/10 || got > want*12/10 {
				t.Fatalf("attempt %d: %s, want %s ± 20 %%", attempt, got, want)
			}
			shares[got] = true
		}
		if len(shares) < 15 {
			t.Errorf("attempt %d: only %d different pauses", attempt, len(shares))
		}
	}
}
