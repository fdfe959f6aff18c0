package forge

import "iter"

// PerPage is how much of a list to ask for at once, and maxPages how often: more is nothing that people wrote.
const (
	PerPage  = 100
	maxPages = 50
)

// Pages goes through a list that comes page by page. ask returns one page and the number of the next, 0 for none; the
// first is asked for as 0. What goes wrong comes last.
func Pages[T any](ask func(page int) (list []T, next int, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		page := 0
		for range maxPages {
			list, next, err := ask(page)
			if err != nil {
				var none T
				yield(none, err)
				return
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
	}
}
