package waybill_test

import (
	"testing"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestParseBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "2K": 2000, "2Ki": 2048, "3M": 3e6, "512Mi": 512 << 20, "1G": 1e9, "2Gi": 2 << 30, "1048576Gi": 1 << 50,
		"": -1, "x": -1, "-1": -1, "1.5Gi": -1, "1Ti": -1, "1048577Gi": -1, "99999999999999999999": -1, "1 Gi": -1,
	} {
		got, ok := waybill.ParseBytes(text)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("ParseBytes(%q) = %d, %v; want %d", text, got, ok, want)
		}
	}
}

func TestFormatBytes(t *testing.T) {
	t.Parallel()
	for in, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 512 << 20: "512 MiB", 3 << 29: "1.5 GiB", 1 << 40: "1 TiB", 1 << 50: "1024 TiB",
	} {
		if got := waybill.FormatBytes(in); got != want {
			t.Errorf("FormatBytes(%d) = %q, want %q", in, got, want)
		}
	}
}
