package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// table is rows under a heading. Cells are padded by runes; the last column is not.
type table struct {
	heading []string
	rows    [][]string
	paint   func(string) string // colours a cell; never changes its width on the screen
}

// table starts a table with a heading.
func (a *app) table(heading ...string) *table {
	t := &table{heading: heading, paint: func(s string) string { return s }}
	if a.Terminal {
		t.paint = paint
	}
	return t
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write writes the table, or what stands for an empty one.
func (t *table) write(w io.Writer, empty string) error {
	if len(t.rows) == 0 {
		_, err := fmt.Fprintln(w, empty)
		return err
	}
	widths := make([]int, len(t.heading))
	for _, row := range append([][]string{t.heading}, t.rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	t.line(&b, t.heading, widths, func(s string) string { return s })
	for _, row := range t.rows {
		t.line(&b, row, widths, t.paint)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *table) line(b *strings.Builder, row []string, widths []int, paint func(string) string) {
	var line strings.Builder
	for i, cell := range row {
		line.WriteString(paint(cell))
		if i < len(row)-1 {
			line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
	}
	b.WriteString(strings.TrimRight(line.String(), " "))
	b.WriteByte('\n')
}

// facts writes names and values in turn, aligned, leaving out empty values.
func facts(w io.Writer, pairs ...string) error {
	width := 0
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			width = max(width, len(pairs[i]))
		}
	}
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(&b, "%-*s  %s\n", width, pairs[i], pairs[i+1])
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// paint colours words that say how something stands. The word itself always says it too.
func paint(cell string) string {
	const red, green, yellow, reset = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"
	switch cell {
	case "ok", "success", "succeeded":
		return green + cell + reset
	case "failed", "failure", "error", "timed-out", "lost":
		return red + cell + reset
	case "running", "waiting", "queued", "pending":
		return yellow + cell + reset
	default:
		return cell
	}
}

// ago says how long before now t was; older than a month, the day. The zero time is a dash.
func ago(now, t time.Time) string {
	const day, month = 24 * time.Hour, 30 * 24 * time.Hour
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return "-"
	case d < 0 || d >= month:
		return t.UTC().Format(time.DateOnly)
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < day:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd ago", int(d/day))
	}
}

// ago says how long before now t was.
func (a *app) ago(t time.Time) string { return ago(a.Now(), t) }

// lasted says how long something took, such as 24ms, 2.1s, 3m05s or 20m.
func lasted(seconds float64) string {
	switch {
	case seconds == 0:
		return "-"
	case seconds < 0.1:
		return fmt.Sprintf("%dms", max(1, int(seconds*1000)))
	case seconds < 60:
		return fmt.Sprintf("%.1fs", seconds)
	case int(seconds)%60 == 0:
		return fmt.Sprintf("%dm", int(seconds)/60)
	default:
		return fmt.Sprintf("%dm%02ds", int(seconds)/60, int(seconds)%60)
	}
}

// allowed says how long something may take: whole seconds, so 10s and not 10.0s.
func allowed(seconds int64) string {
	if seconds < 60 {
		return fmt.Sprintf("%ds", seconds)
	}
	return lasted(float64(seconds))
}

// or returns text, or a dash when it is empty.
func or(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// sort orders rows by their first cell.
func (t *table) sort() {
	slices.SortFunc(t.rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
}

// joined writes values as key=value, ordered by key.
func joined(values map[string]string) string {
	pairs := make([]string, 0, len(values))
	for _, k := range slices.Sorted(maps.Keys(values)) {
		pairs = append(pairs, k+"="+values[k])
	}
	return strings.Join(pairs, " ")
}
