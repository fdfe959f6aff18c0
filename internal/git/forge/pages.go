package forge

import (
	"iter"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// PerPage is how much of a list to ask for at once. Forges may give less, so what is bounded is how much there may be
// together: more than maxEntries is nothing that people wrote. maxPages ends what never ends and brings little.
const (
	PerPage    = 100
	maxEntries = 5000
	maxPages   = 500
)

// Pages goes through a list that comes page by page. ask returns one page and the number of the next, 0 for none; the
// first is asked for as 0. What goes wrong comes last. TooLarge: there is more, and who takes the list for whole would
// miss it.
func Pages[T any](ask func(page int) (list []T, next int, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		page, left := 0, maxEntries
		for range maxPages {
			list, next, err := ask(page)
			if err != nil {
				yield(none, err)
				return
			}
			if left -= len(list); left < 0 {
				break
			}
			for _, one := range list {
				if !yield(one, nil) {
					return
				}
			}
			if page = next; page == 0 {
				return
			}
		}
		yield(none, waybill.Errorf(waybill.TooLarge, "the list has more than %d entries or %d pages", maxEntries, maxPages))
	}
}
