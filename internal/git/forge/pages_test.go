package forge_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestPages: a list is read to its end or until enough is known. One that is longer than anybody reads is no list: who
// took its beginning for the whole would not know.
func TestPages(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	of := func(sizes ...int) func(page int) int { // how much a page has; -1: it is broken, -2: there is none
		return func(page int) int {
			if page < len(sizes) {
				return sizes[page]
			}
			return -2
		}
	}
	for _, c := range []struct {
		what        string
		pages       func(page int) int
		enough      int // entries; 0: all
		read, asked int
		want        waybill.Code
	}{
		{"empty", of(0), 0, 0, 1, ""},
		{"two", of(2, 1), 0, 3, 2, ""},
		{"enough", of(2, 1), 2, 2, 1, ""},
		{"broken", of(1, -1), 0, 1, 2, waybill.Internal},
		{"5,000 by 50", of(slices.Repeat([]int{50}, 100)...), 0, 5000, 100, ""},
		{"5,000 by 50 and an empty page", of(append(slices.Repeat([]int{50}, 100), 0)...), 0, 5000, 101, ""},
		{"5,001", of(append(slices.Repeat([]int{100}, 50), 1)...), 0, 5000, 51, waybill.TooLarge},
		{"enough of what has no end", func(int) int { return 100 }, 4000, 4000, 40, ""},
		{"without end", func(int) int { return 100 }, 0, 5000, 51, waybill.TooLarge},
		{"without end, and nearly nothing", func(int) int { return 1 }, 0, 500, 500, waybill.TooLarge},
		{"without end, and nothing", func(int) int { return 0 }, 0, 0, 500, waybill.TooLarge},
	} {
		asked, read := 0, 0
		var failed error
		for _, err := range forge.Pages(func(page int) ([]int, int, error) {
			asked++
			n := c.pages(page)
			if n == -1 {
				return nil, 0, broken
			}
			if c.pages(page+1) == -2 {
				return make([]int, n), 0, nil
			}
			return make([]int, n), page + 1, nil
		}) {
			if err != nil {
				failed = err
				continue
			}
			if read++; read == c.enough {
				break
			}
		}
		if read != c.read || asked != c.asked || waybill.CodeOf(failed) != c.want {
			t.Errorf("%s: %d read of %d pages, %v; want %d of %d, %q", c.what, read, asked, failed, c.read, c.asked, c.want)
		}
	}
}
