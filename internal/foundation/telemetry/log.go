package telemetry

import (
	"io"
	"log/slog"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// NewLog returns a logger that writes to w. level is debug, info, warn or error; format is text or json.
// It reports Invalid for any other value.
func NewLog(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, waybill.Errorf(waybill.Invalid, "unknown log level %q: use debug, info, warn or error", level)
	}
	o := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	default:
		return nil, waybill.Errorf(waybill.Invalid, "unknown log format %q: use text or json", format)
	}
}
