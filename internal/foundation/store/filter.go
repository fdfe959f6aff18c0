package store

import (
	"fmt"
	"reflect"
	"strings"
)

// Filter collects the conditions of a query that lists by id. Conditions that are not asked for are not in its text,
// so that the database can use its indexes for the others.
type Filter struct {
	conditions []string
	args       []any
}

// And adds a condition on a value unless that is zero; $ stands for it, such as "owner = $".
func (f *Filter) And(condition string, value any) {
	if reflect.ValueOf(value).IsZero() {
		return
	}
	f.args = append(f.args, value)
	f.Only(strings.ReplaceAll(condition, "$", fmt.Sprintf("$%d", len(f.args))))
}

// AnyOf adds that a column has one of some values, unless there are none.
func AnyOf[T ~string](f *Filter, column string, values []T) {
	var places []string
	for _, v := range values {
		f.args = append(f.args, v)
		places = append(places, fmt.Sprintf("$%d", len(f.args)))
	}
	if len(places) > 0 {
		f.Only(column + " IN (" + strings.Join(places, ", ") + ")")
	}
}

// Only adds a condition without a value.
func (f *Filter) Only(condition string) { f.conditions = append(f.conditions, condition) }

// Newest returns the end of the query and its arguments: the conditions, newest first, at most limit rows (50 when
// zero), only those before an id unless that is empty.
func (f *Filter) Newest(before string, limit int) (tail string, args []any) {
	f.And("id < $", before)
	if limit <= 0 {
		limit = 50
	}
	if len(f.conditions) > 0 {
		tail = " WHERE " + strings.Join(f.conditions, " AND ")
	}
	return tail + fmt.Sprintf(" ORDER BY id DESC LIMIT %d", limit), f.args
}
