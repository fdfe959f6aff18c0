package comment

import (
	"regexp"
	"strings"
	"unicode"
)

// gap is a space of no width. Forges look for mentions and references in the text that Markdown leaves, where no escape
// is seen any more; with a gap in it they find none.
const gap = "\u200b"

// marks are what Markdown, or HTML in it, gives a meaning within a line.
const marks = "\\`*_[]<>|~&#!$^"

// calls begin mentions and references, at one forge or another.
const calls = "@#!$%&~^"

var (
	issue = regexp.MustCompile(`(?i)\b([A-Z][A-Z0-9]*)-([0-9])`)
	www   = regexp.MustCompile(`(?i)(www)\.`)
)

// plain makes text stand in a line as it is: no part of it is Markdown, HTML, a mention, a reference or a link. It is cut
// off after so many runes.
func plain(text string, most int) string {
	text = clean(text, most)
	text = strings.ReplaceAll(text, "://", ":"+gap+"//")
	text = www.ReplaceAllString(text, "$1"+gap+".")
	text = issue.ReplaceAllString(text, "$1-"+gap+"$2")
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(marks, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		if strings.ContainsRune(calls, r) {
			b.WriteString(gap)
		}
	}
	return b.String()
}

// code makes text stand in a line as code: forges look for nothing in it.
func code(text string, most int) string {
	text = clean(text, most)
	longest, run := 0, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}

// cell makes Markdown fit into a cell of a table, which a bar ends also within code.
func cell(markdown string) string {
	var b strings.Builder
	escaped := false
	for _, r := range markdown {
		if r == '|' && !escaped {
			b.WriteByte('\\')
		}
		escaped = r == '\\' && !escaped
		b.WriteRune(r)
	}
	return b.String()
}

// clean makes one line of printable characters of text, and cuts it. It is never empty.
func clean(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r): // also what turns the direction of the text that follows
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	if text == "" {
		return "…"
	}
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return text
}
