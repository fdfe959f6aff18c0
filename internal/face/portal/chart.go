package portal

import (
	"slices"
	"strconv"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Measures of the chart in its own units; the page stretches it.
const (
	chartSlots  = 40
	chartSlot   = 10
	chartHeight = 64
)

// chart shows the durations of the last runs as bars, newest at the right, coloured by their end.
type chart struct {
	Bars    []bar
	Summary string // the same in words
	Width   int
	Height  int
}

// bar is one run.
type bar struct {
	X, Y, W, H int
	Tone       string
	Title      string
}

// newChart draws runs, which are given newest first. It has no bars when none has ended.
func newChart(runs []waybill.Run) chart {
	var ended []waybill.Run
	for _, r := range runs {
		if r.State.Final() && !r.Started.IsZero() && len(ended) < chartSlots {
			ended = append(ended, r)
		}
	}
	c := chart{Width: chartSlots * chartSlot, Height: chartHeight}
	if len(ended) == 0 {
		return c
	}
	durations, good := make([]time.Duration, len(ended)), 0
	for i, r := range ended {
		durations[i] = r.Ended.Sub(r.Started)
		if r.State == waybill.RunSucceeded {
			good++
		}
	}
	longest := max(slices.Max(durations), 1)
	for i, r := range ended {
		h := max(3, int(int64(chartHeight-2)*int64(durations[i])/int64(longest)))
		m := markRun(r.State)
		c.Bars = append(c.Bars, bar{
			X: (chartSlots - 1 - i) * chartSlot, Y: chartHeight - h, W: chartSlot - 3, H: h, Tone: m.Tone,
			Title: m.Word + " after " + duration(durations[i]) + ", " + exact(r.Ended),
		})
	}
	slices.Sort(durations)
	c.Summary = summary(good, len(ended), durations[len(durations)/2], longest)
	return c
}

func summary(good, all int, median, longest time.Duration) string {
	last := "The last run"
	if all > 1 {
		last = "Of the last " + plural(all, "run")
	}
	switch {
	case all == 1 && good == 1:
		return last + " succeeded after " + duration(longest) + "."
	case all == 1:
		return last + " did not succeed; it took " + duration(longest) + "."
	case good == all:
		last += " all succeeded"
	case good == 0:
		last += " none succeeded"
	default:
		last += " " + strconv.Itoa(good) + " succeeded"
	}
	return last + ". Median " + duration(median) + ", longest " + duration(longest) + "."
}
