package api

import (
	"regexp"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Listing holds the parameters of every list. It is exported, as are the paths, because the API framework reads exported fields only.
type Listing struct {
	Cursor string `query:"cursor" maxLength:"100" doc:"Where the page begins: next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many items a page has at most."`
}

// more is how many rows to read for one page: one more than fits tells whether there is another.
func (l Listing) more() int { return l.Limit + 1 }

// before returns the cursor of a list that is ordered by id. Invalid for one that no page gave.
func (l Listing) before() (string, error) {
	if l.Cursor != "" && !idRule.MatchString(l.Cursor) {
		return "", waybill.Errorf(waybill.Invalid, "cursor %q is not one of this list", l.Cursor)
	}
	return l.Cursor, nil
}

// idRule is how ids look.
var idRule = regexp.MustCompile(`^[0-9A-Z]{26}$`)

// page makes a page of rows that were read with limit more, newest first.
func page[T, R any](l Listing, rows []R, id func(R) string, convert func(R) T) wire.Page[T] {
	var next string
	if len(rows) > l.Limit {
		rows = rows[:l.Limit]
		next = id(rows[len(rows)-1])
	}
	return wire.Page[T]{Items: each(rows, convert), Next: next}
}

// named makes a page of rows that were all read, ordered by a name that is unique.
func named[T, R any](l Listing, rows []R, name func(R) string, convert func(R) T) wire.Page[T] {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b R) int { return strings.Compare(name(a), name(b)) })
	if l.Cursor != "" {
		rows = slices.DeleteFunc(rows, func(r R) bool { return name(r) <= l.Cursor })
	}
	return page(l, rows, name, convert)
}

// each converts a list; an empty list stays one.
func each[T, R any](rows []R, convert func(R) T) []T {
	items := make([]T, 0, len(rows))
	for _, r := range rows {
		items = append(items, convert(r))
	}
	return items
}
