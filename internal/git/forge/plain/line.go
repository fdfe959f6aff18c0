package plain

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// line is one status in a note.
type line struct {
	Context     string        `json:"context"`
	State       waybill.State `json:"state"`
	Description string        `json:"description"`
	URL         string        `json:"url"`
	Updated     string        `json:"updated"` // RFC 3339, UTC
}

// merge returns the text of a note that had old, with the statuses in it: the aggregate first and the others by context,
// then the lines of other people. same reports that old says this already, whatever it says about times.
func merge(old []byte, statuses []waybill.Status) (text []byte, same bool, err error) {
	had, others := split(old)
	byContext := make(map[string]line, len(had)+len(statuses))
	for _, l := range had {
		byContext[l.Context] = l
	}
	for _, s := range statuses {
		byContext[s.Context] = line{
			Context: s.Context, State: s.State, Description: s.Description, URL: s.URL,
			Updated: s.Updated.UTC().Truncate(time.Second).Format(time.RFC3339),
		}
	}
	want := slices.Collect(maps.Values(byContext))
	slices.SortFunc(want, func(a, b line) int { return strings.Compare(sortKey(a), sortKey(b)) })

	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, l := range want {
		if err := enc.Encode(l); err != nil {
			return nil, false, waybill.Wrap(waybill.Internal, err, "a status cannot be written")
		}
	}
	b.Write(others)
	return b.Bytes(), slices.EqualFunc(had, want, equal), nil
}

// sortKey puts the aggregate before everything.
func sortKey(l line) string {
	if l.Context == waybill.AggregateContext {
		return ""
	}
	return l.Context
}

func equal(a, b line) bool {
	a.Updated, b.Updated = "", ""
	return a == b
}

// split tells our lines of a note from other people's.
func split(note []byte) (ours []line, others []byte) {
	for l := range bytes.Lines(note) {
		var s line
		if json.Unmarshal(l, &s) == nil && s.Context != "" && s.State != "" {
			ours = append(ours, s)
			continue
		}
		others = append(others, l...)
	}
	return ours, others
}
