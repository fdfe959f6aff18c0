package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Time is the column of t, as an argument and as a destination: UTC microseconds, 0 for the zero time.
func Time(t *time.Time) any { return timeColumn{t} }

// JSON is the column of what v points to, as an argument and as a destination: JSON text.
func JSON(v any) any { return jsonColumn{v} }

// Micros returns t as it is stored.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros returns the time that is stored as micros, in UTC.
func FromMicros(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

type timeColumn struct{ t *time.Time }

func (c timeColumn) Value() (driver.Value, error) { return Micros(*c.t), nil }

func (c timeColumn) Scan(src any) error {
	micros, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", src)
	}
	*c.t = FromMicros(micros)
	return nil
}

type jsonColumn struct{ v any }

func (c jsonColumn) Value() (driver.Value, error) {
	text, err := json.Marshal(c.v)
	return string(text), err
}

func (c jsonColumn) Scan(src any) error {
	switch text := src.(type) {
	case string:
		return json.Unmarshal([]byte(text), c.v)
	case []byte:
		return json.Unmarshal(text, c.v)
	default:
		return fmt.Errorf("JSON is stored as %T", src)
	}
}

// clean makes arguments the same for both drivers: plain strings and integers only, strings that both databases take.
func clean(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = plain(a)
	}
	return out
}

func plain(arg any) any {
	switch arg := arg.(type) {
	case driver.Valuer:
		return arg
	case []string:
		list := make([]string, len(arg))
		for i, text := range arg {
			list[i] = plainText(text)
		}
		return list
	}
	v := reflect.ValueOf(arg)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.String:
		return plainText(v.String())
	case v.Kind() == reflect.Bool && v.Bool():
		return int64(1)
	case v.Kind() == reflect.Bool:
		return int64(0)
	case v.CanInt():
		return v.Int()
	default:
		return arg
	}
}

func plainText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}
