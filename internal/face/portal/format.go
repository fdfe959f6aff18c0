package portal

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// exact writes a time as people compare it with a log: UTC, to the second.
func exact(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// iso writes a time for the datetime attribute.
func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// ago says how long t lies before or after now, in one unit.
func ago(t, now time.Time) string {
	d := now.Sub(t)
	if d < 0 {
		if d > -5*time.Second { // clocks of two machines
			return "just now"
		}
		return "in " + coarse(-d)
	}
	if d < 5*time.Second {
		return "just now"
	}
	return coarse(d) + " ago"
}

// coarse writes a duration in its largest unit.
func coarse(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < day:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	case d < 60*day:
		return plural(int(d/day), "day")
	case d < 730*day:
		return plural(int(d/(30*day)), "month")
	default:
		return plural(int(d/(365*day)), "year")
	}
}

// duration writes how long something took, with three significant digits at most.
func duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "< 1 ms"
	case d < time.Second:
		return strconv.Itoa(int(d/time.Millisecond)) + " ms"
	case d < 10*time.Second:
		return strconv.FormatFloat(math.Floor(d.Seconds()*10)/10, 'f', -1, 64) + " s"
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < time.Hour:
		return two(d, time.Minute, "min", time.Second, "s")
	default:
		return two(d, time.Hour, "h", time.Minute, "min")
	}
}

// two writes a duration in two units, without the second when it is zero.
func two(d, big time.Duration, bigName string, small time.Duration, smallName string) string {
	text := fmt.Sprintf("%d %s", d/big, bigName)
	if rest := d % big / small; rest > 0 {
		text += fmt.Sprintf(" %d %s", rest, smallName)
	}
	return text
}

// took returns the duration between two times, or "" while one of them is unknown.
func took(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	return duration(to.Sub(from))
}

// shortDigest returns sha256: and twelve digits of a digest or image id.
func shortDigest(d string) string {
	if i := strings.LastIndex(d, "@"); i >= 0 {
		d = d[i+1:]
	}
	algorithm, hex, ok := strings.Cut(d, ":")
	if !ok {
		algorithm, hex = "", d
	} else {
		algorithm += ":"
	}
	return algorithm + hex[:min(12, len(hex))]
}

// clip shortens text to n runes, with an ellipsis in the middle: both ends of a name or a cause matter.
func clip(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	r := []rune(text)
	head := n * 2 / 3
	return string(r[:head]) + "…" + string(r[len(r)-(n-head-1):])
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
