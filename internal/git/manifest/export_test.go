package manifest

import (
	"github.com/waybill-dev/waybill/internal/foundation/memo"
	"github.com/waybill-dev/waybill/internal/foundation/schema"
)

// NewWithout returns a loader of other schemas that leaves one check out.
func NewWithout(files [][]byte, check string) (*Loader, error) { return newLoader(files, check) }

// Checks lists the Go checks that can be left out.
func (l *Loader) Checks() []string {
	names := []string{
		"version", "kind", "type", "platform", "link", "empty", "misnamed", "collision", "duplicate", "shared name",
	}
	for _, r := range l.rules {
		names = append(names, r.name)
	}
	for _, m := range schema.Mistakes() {
		names = append(names, "mistake "+string(m))
	}
	return names
}

// Remember makes the loader remember another amount of manifests, in bytes.
func (l *Loader) Remember(bytes int64) { l.known = memo.New[manifestKey, *file](bytes) }
