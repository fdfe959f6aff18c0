package run

import (
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// parseCron reads a schedule: five fields, or a descriptor such as @daily, optionally after CRON_TZ=<zone> and a space;
// without a zone it is in UTC. It reports Invalid.
func parseCron(spec string) (cron.Schedule, error) {
	for _, prefix := range []string{"TZ=", "CRON_TZ="} {
		if strings.HasPrefix(spec, prefix) && !strings.Contains(spec, " ") {
			return nil, waybill.Errorf(waybill.Invalid, "schedule %q has a zone and no times", spec) // the library panics
		}
	}
	s, err := cron.ParseStandard(spec)
	if err != nil {
		return nil, waybill.Wrap(waybill.Invalid, err, "schedule \""+spec+"\" cannot be read: "+err.Error())
	}
	return s, nil
}

// nextDue returns the first moment after now that spec names, in UTC; ok is false when there is none.
func nextDue(spec string, now time.Time) (due time.Time, ok bool, err error) {
	s, err := parseCron(spec)
	if err != nil {
		return time.Time{}, false, err
	}
	due = s.Next(now.UTC())
	return due.UTC(), !due.IsZero(), nil
}
