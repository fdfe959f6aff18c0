package run

import (
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestNextDue(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		tm, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return tm.UTC()
	}
	for _, test := range []struct{ spec, now, want string }{
		{"0 */6 * * *", "2026-03-01T10:00:30Z", "2026-03-01T12:00:00Z"},
		{"0 12 * * *", "2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z"}, // after, never at
		{"CRON_TZ=Europe/Berlin 0 6 * * *", "2026-03-01T10:00:00Z", "2026-03-02T05:00:00Z"},
		{"CRON_TZ=Europe/Berlin 0 6 * * *", "2026-03-28T10:00:00Z", "2026-03-29T04:00:00Z"}, // clocks went forward
		{"TZ=Asia/Tokyo 30 0 1 * *", "2026-03-01T10:00:00Z", "2026-03-31T15:30:00Z"},
		{"@daily", "2026-03-01T10:00:00+09:00", "2026-03-02T00:00:00Z"},
	} {
		got, ok, err := nextDue(test.spec, at(test.now))
		if err != nil || !ok || !got.Equal(at(test.want)) || got.Location() != time.UTC {
			t.Errorf("%s after %s = %v, %v, %v; want %s", test.spec, test.now, got, ok, err, test.want)
		}
	}
	if _, ok, err := nextDue("0 0 30 2 *", at("2026-03-01T10:00:00Z")); ok || err != nil {
		t.Errorf("30 February is due: %v, %v", ok, err)
	}
	for _, spec := range []string{"", "nonsense", "* * * *", "61 * * * *", "CRON_TZ=Nowhere/Land 0 * * * *", "CRON_TZ=UTC", "TZ=", "0 * * * * *"} {
		if _, _, err := nextDue(spec, at("2026-03-01T10:00:00Z")); !waybill.IsCode(err, waybill.Invalid) {
			t.Errorf("%q: %v, want invalid", spec, err)
		}
	}
}

func FuzzParseCron(f *testing.F) {
	for _, s := range []string{"0 */6 * * *", "CRON_TZ=Europe/Berlin 0 6 * * 1-5", "@every 1s", "TZ=", "CRON_TZ=UTC", "*/0 * * * *", "@"} {
		f.Add(s)
	}
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, spec string) {
		due, ok, err := nextDue(spec, now)
		if err == nil && ok && !due.After(now) {
			t.Errorf("%q is due at %v, not after %v", spec, due, now)
		}
	})
}
