package waybill

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Level is how serious an application log record is, as in RFC 5424.
type Level string

// The levels, most serious first.
const (
	LevelEmergency Level = "emergency"
	LevelAlert     Level = "alert"
	LevelCritical  Level = "critical"
	LevelError     Level = "error"
	LevelWarning   Level = "warning"
	LevelNotice    Level = "notice"
	LevelInfo      Level = "info"
	LevelDebug     Level = "debug"
)

// Levels lists every level, most serious first.
func Levels() []Level {
	return []Level{
		LevelEmergency, LevelAlert, LevelCritical, LevelError, LevelWarning, LevelNotice, LevelInfo, LevelDebug,
	}
}

// AtLeast reports whether l is as serious as least, or more.
func (l Level) AtLeast(least Level) bool {
	all := Levels()
	i := slices.Index(all, l)
	return i >= 0 && i <= slices.Index(all, least)
}

// LineKind says what a program meant by a line of its standard output.
type LineKind string

// The kinds of lines.
const (
	LineText   LineKind = "text"
	LineRecord LineKind = "record" // application log record: a JSON object with level and message
	LineRow    LineKind = "row"    // output: a JSON object without level
)

// Line is one line of a program's standard output.
type Line struct {
	Kind    LineKind
	Level   Level  // records only
	Message string // records only
}

// ParseLine says what text means (contracts, section Run contract).
func ParseLine(text []byte) Line {
	text = bytes.TrimSpace(text)
	if !bytes.HasPrefix(text, []byte("{")) {
		return Line{Kind: LineText}
	}
	var object struct {
		Level   json.RawMessage `json:"level"`
		Message *string         `json:"message"`
	}
	err := json.Unmarshal(text, &object)
	switch {
	case !json.Valid(text):
		return Line{Kind: LineText}
	case object.Level == nil:
		return Line{Kind: LineRow}
	}
	var level Level
	if err == nil {
		err = json.Unmarshal(object.Level, &level)
	}
	if err != nil || object.Message == nil || !slices.Contains(Levels(), level) {
		return Line{Kind: LineText}
	}
	return Line{Kind: LineRecord, Level: level, Message: *object.Message}
}
