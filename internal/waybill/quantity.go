package waybill

import (
	"strconv"
	"strings"
)

// maxBytes is 1 PiB, more than any machine has.
const maxBytes = 1 << 50

// ParseBytes reads an amount of memory or disk such as 512Mi, 2Gi, 500M or 1024. It reports false for anything else and
// for more than 1 PiB.
func ParseBytes(s string) (bytes int64, ok bool) {
	units := []struct {
		suffix string
		bytes  int64
	}{{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"", 1}}
	for _, u := range units {
		digits, found := strings.CutSuffix(s, u.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 0 || n > maxBytes/u.bytes {
			return 0, false
		}
		return n * u.bytes, true
	}
	return 0, false
}

// FormatBytes writes an amount for people: 500 MiB, 1.5 GiB.
func FormatBytes(n int64) string {
	for _, u := range []struct {
		suffix string
		bytes  int64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= u.bytes {
			return strings.TrimSuffix(strconv.FormatFloat(float64(n)/float64(u.bytes), 'f', 1, 64), ".0") + " " + u.suffix
		}
	}
	return strconv.FormatInt(n, 10) + " B"
}
