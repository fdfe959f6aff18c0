package forge_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/waybill-dev/waybill/internal/git/forge"
)

// TestPages: a list is read to its end or until enough is known, and one without an end is given up.
func TestPages(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, c := range []struct {
		what  string
		pages map[int][]int // those that are not there lead nowhere
		enough,
		read, asked int
	}{
		{"empty", map[int][]int{0: {}}, -1, 0, 1},
		{"two", map[int][]int{0: {1, 2}, 1: {3}}, -1, 3, 2},
		{"enough", map[int][]int{0: {1, 2}, 1: {3}}, 2, 2, 1},
		{"without end", nil, -1, 50, 50},
		{"broken", map[int][]int{0: {1}, 1: {-1}}, -1, 1, 2},
	} {
		asked, read := 0, 0
		var failed error
		for n, err := range forge.Pages(func(page int) ([]int, int, error) {
			asked++
			if c.pages == nil {
				return []int{7}, page + 1, nil
			}
			list := c.pages[page]
			if slices.Contains(list, -1) {
				return nil, 0, broken
			}
			if _, more := c.pages[page+1]; more {
				return list, page + 1, nil
			}
			return list, 0, nil
		}) {
			if err != nil {
				failed = err
				continue
			}
			read++
			if n == c.enough {
				break
			}
		}
		if read != c.read || asked != c.asked || errors.Is(failed, broken) != (c.what == "broken") {
			t.Errorf("%s: %d read of %d pages, %v; want %d of %d", c.what, read, asked, failed, c.read, c.asked)
		}
	}
}
