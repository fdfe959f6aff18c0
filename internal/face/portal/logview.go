package portal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Limits of what a page shows of a log. The whole log is one click away.
const (
	tailBytes = 16 << 10
	lineBytes = 2 << 10
	foundMax  = 200 // lines a search shows
)

// logPane shows the end of a log, or the lines a search found.
type logPane struct {
	ID     string // of the element and of the events that extend it
	Title  string
	Stderr bool
	Lines  []logLine
	Cut    int64  // bytes before the first line shown
	Size   int64  // where the shown part ends, in bytes
	Raw    string // address of the whole log
	Follow bool   // it is still written
	Search string
}

// logLine is one line. Level is empty unless the line is an application log record; Mark is the level whose colour a
// line of a build deserves.
type logLine struct{ Level, Mark, Text string }

// readPane reads the end of log id into pane. A log that was never written, or is gone, is empty.
func (p *Portal) readPane(pane logPane, id string) (logPane, error) {
	if id == "" {
		return pane, nil
	}
	f, err := p.Logs.Open(id)
	if waybill.IsCode(err, waybill.NotFound) {
		return pane, nil
	}
	if err != nil {
		return pane, err
	}
	defer f.Close()
	if pane.Search != "" {
		pane.Lines, pane.Size, err = searchLog(f, pane.Search)
		pane.Follow = false
		return pane, err
	}
	return readTail(pane, f)
}

// readTail fills pane with the last whole lines of f. A last line without end is left for the live updates while the
// log is written.
func readTail(pane logPane, f io.ReadSeeker) (logPane, error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return pane, fmt.Errorf("find the end of a log: %w", err)
	}
	start := max(0, end-tailBytes)
	if _, err := f.Seek(start, io.SeekStart); err != nil {
		return pane, fmt.Errorf("find the start of the end of a log: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, end-start))
	if err != nil {
		return pane, fmt.Errorf("read a log: %w", err)
	}
	if start > 0 {
		_, rest, _ := strings.Cut(string(text), "\n")
		start += int64(len(text) - len(rest))
		text = []byte(rest)
	}
	if pane.Follow {
		text = text[:strings.LastIndexByte(string(text), '\n')+1]
	}
	pane.Cut, pane.Size = start, start+int64(len(text))
	pane.Lines = logLines(string(text))
	return pane, nil
}

// searchLog returns the lines that hold query, whatever the case, and how long the log is.
func searchLog(r io.Reader, query string) (found []logLine, n int64, err error) {
	query = strings.ToLower(query)
	b := bufio.NewReader(r)
	for {
		line, err := b.ReadString('\n')
		n += int64(len(line))
		if strings.Contains(strings.ToLower(line), query) {
			found = append(found, newLogLine(line))
			found = found[max(0, len(found)-foundMax):]
		}
		if errors.Is(err, io.EOF) {
			return found, n, nil
		}
		if err != nil {
			return nil, n, fmt.Errorf("read a log: %w", err)
		}
	}
}

func logLines(text string) []logLine {
	var lines []logLine
	for line := range strings.Lines(text) {
		lines = append(lines, newLogLine(line))
	}
	return lines
}

// levels are those of an application log record, worst first (contracts, section Run contract).
func levels() []string {
	return []string{"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"}
}

// newLogLine reads a line: a JSON object with level and message is a record, anything else is text.
func newLogLine(line string) logLine {
	line = printable(strings.TrimRight(line, "\r\n"))
	var record map[string]any
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &record) != nil {
		return logLine{Mark: buildMark(line), Text: shorten(line)}
	}
	level, _ := record["level"].(string)
	message, _ := record["message"].(string)
	if !slices.Contains(levels(), level) || message == "" {
		return logLine{Text: shorten(line)}
	}
	delete(record, "level")
	delete(record, "message")
	for _, k := range slices.Sorted(maps.Keys(record)) {
		message += fmt.Sprintf("  %s=%v", k, record[k])
	}
	return logLine{Level: level, Text: shorten(printable(message))}
}

// buildMark finds what matters in the log of a build, whose lines begin with the number of a step.
func buildMark(line string) string {
	if _, rest, ok := strings.Cut(line, " "); ok && strings.HasPrefix(line, "#") && strings.HasPrefix(rest, "ERROR") {
		return "error"
	}
	return ""
}

// shorten cuts a line that would swell the page.
func shorten(line string) string {
	if len(line) <= lineBytes {
		return line
	}
	return strings.ToValidUTF8(line[:lineBytes], "") + " … (" + waybill.FormatBytes(int64(len(line)-lineBytes)) + " more in the download)"
}

// printable removes what terminals act on: colour sequences and control characters. After a carriage return only what
// would have stayed on the screen remains.
func printable(line string) string {
	if i := strings.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	if !strings.ContainsFunc(line, func(r rune) bool { return r != '\t' && !unicode.IsPrint(r) }) {
		return line
	}
	var b strings.Builder
	escape := false
	for _, r := range strings.ToValidUTF8(line, "�") {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r == '[' || r == ';' || r == '?' || unicode.IsDigit(r)
		case r == '\t' || unicode.IsPrint(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}
