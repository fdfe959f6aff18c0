package reference

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// The patterns here are written in what ECMA 262 and RE2 have in common.

const minute, day = 60, 24 * 60 * 60 // seconds

func relative() *Schema { return &Schema{Pattern: "^[^/]"} }

// upTo takes durations none of whose parts is above a limit in seconds; JSON Schema cannot add the parts up.
func upTo(seconds int64, positive bool) *Schema {
	s := &Schema{Pattern: fmt.Sprintf("^(%sd|%sh|%sm|%ss)+$", atMost(seconds/day), atMost(seconds/(60*minute)), atMost(seconds/minute), atMost(seconds))}
	if positive {
		s.AllOf = []*Schema{{Pattern: "[1-9]"}}
	}
	return s
}

// amount takes amounts of memory from least bytes to 1 PiB.
func amount(least int64) *Schema {
	units := []struct {
		suffix string
		bytes  int64
	}{{"", 1}, {"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}}
	legal, small := make([]string, len(units)), make([]string, len(units))
	for i, u := range units {
		legal[i], small[i] = atMost(1<<50/u.bytes)+u.suffix, atMost((least-1)/u.bytes)+u.suffix
	}
	return &Schema{Pattern: "^(" + strings.Join(legal, "|") + ")$", Not: &Schema{Pattern: "^(" + strings.Join(small, "|") + ")$"}}
}

// atMost returns a pattern of the decimal numbers up to n.
func atMost(n int64) string {
	digits := strconv.FormatInt(n, 10)
	choices := []string{digits}
	if len(digits) > 1 {
		choices = append(choices, fmt.Sprintf("[0-9]{1,%d}", len(digits)-1))
	}
	for i, d := range digits {
		least := '0'
		if i == 0 && len(digits) > 1 {
			least = '1'
		}
		if d > least {
			choices = append(choices, fmt.Sprintf("%s[%c-%c][0-9]{%d}", digits[:i], least, d-1, len(digits)-i-1))
		}
	}
	return "0*(" + strings.Join(choices, "|") + ")"
}

// schedule takes five cron fields with their ranges, and a time zone in front, unless it is for a day that no month has.
// Whether the zone exists it cannot know.
func schedule() *Schema {
	const months = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
	const days = "SUN|MON|TUE|WED|THU|FRI|SAT"
	fields := []string{
		cronField(atMost(59), ""), cronField(atMost(23), ""), cronField("0*([1-9]|[12][0-9]|3[01])", ""),
		cronField("0*([1-9]|1[0-2])", months), cronField(atMost(6), days),
	}
	const space = "[^!-~]"
	return &Schema{
		Pattern: "^" + space + "*((CRON_)?TZ=[!-~]+" + space + "+)?" + strings.Join(fields, space+"+") + space + "*$",
		Not:     &Schema{Pattern: never()},
	}
}

// never is a pattern of schedules on 30 or 31 February, or on the 31st of short months only.
func never() string {
	const gap = "[ \\t]+"
	list := func(numbers, names string) string {
		item := `(\+?0*(` + numbers + ")"
		if names != "" {
			item += "|" + anyCase(names)
		}
		return ",*" + item + ")(,+" + item + "))*,*"
	}
	february := list("3[01]", "") + gap + list("2", "FEB")
	short := list("31", "") + gap + list("[2469]|11", "FEB|APR|JUN|SEP|NOV")
	return gap + "(" + february + "|" + short + ")" + gap + "[*?][ \\t]*$"
}

// cronField returns a pattern of one cron field: *, numbers, names, ranges, steps and lists of them.
func cronField(number, names string) string {
	value := `\+?` + number
	if names != "" {
		value = "(" + value + "|" + anyCase(names) + ")"
	}
	item := `([*?](-[^,/ ]*)?|` + value + "(-" + value + `)?)(/\+?0*[1-9][0-9]*)?`
	return ",*" + item + "(,+" + item + ")*,*"
}

// anyCase returns a pattern of a text in any case of letters, in which _ stands for - as well: keys of fields become names
// of environment variables.
func anyCase(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '_':
			b.WriteString("[_-]")
		case unicode.IsLetter(r):
			fmt.Fprintf(&b, "[%c%c]", unicode.ToUpper(r), unicode.ToLower(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// glob takes the patterns of path.Match.
func glob() *Schema {
	return &Schema{Pattern: `^([^\\\[]|\\.|\[\^?((\\.|[^\\\]-])(-(\\.|[^\\\]-]))?)+\])*$`}
}

// tagPattern takes globs with a *, in front of which stands what a tag may begin with.
func tagPattern() *Schema {
	return &Schema{
		AllOf: []*Schema{glob(), {Pattern: `\*`}},
		Not:   &Schema{Pattern: `^([./-]|refs/)|^[^*?\[\\]*([\x00-\x20\x7f~^:]|\.\.|@\{|//|/\.|\.lock/)`},
	}
}

// branch takes short names of branches (git check-ref-format).
func branch() *Schema {
	return &Schema{Not: &Schema{Pattern: `^[./-]|^refs/|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|[./]$|^@$`}}
}

// dayOfMonth refuses days that a month does not have, 29 February of most years among them.
func dayOfMonth() *Schema {
	const twoDigits = "[0-9]{2}"
	const notByFour = "([0-9][13579]|[02468][26]|[13579][048])" // what is no multiple of four
	common := twoDigits + notByFour + "|" + notByFour + "00"
	return &Schema{Not: &Schema{Pattern: "-(02-3[01]|0[469]-31|11-31)$|^(" + common + ")-02-29$"}}
}
