// Package comment writes what Waybill says below a pull request, as Markdown that GitHub, Gitea and GitLab show alike.
//
// It is pure: equal input gives equal text, and no time is in it, so that what is equal need not be sent again. Whatever
// somebody else wrote (names, paths, messages) is shown as it is and means nothing: no markup, no mention, no link.
package comment

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Limit is how many bytes a text has at most.
const Limit = 60_000

// Of each part, so much is shown.
const (
	maxRows     = 100
	maxFindings = 40_000 // bytes of text up to which findings are added
	maxDetails  = 58_000 // the same for details
	maxName     = 120    // runes
	maxMessage  = 400
	maxAffected = 4 // in the table; the details name more
	maxNamed    = 50
)

// Input is what there is to say.
type Input struct {
	Pull  waybill.Pull
	Check waybill.Check // the newest of the head
	// Builds is what became of the images that the head needs.
	Builds []Build
	Page   string // address of the page about the head
	Note   string // what became of the last command that was not obeyed; may be empty
}

// Build is an image that the head needs.
type Build struct {
	waybill.Trial
	Page string // address of the page about it
}

// Markdown returns the text, at most Limit bytes less than reserved.
func Markdown(in Input, reserved int) string {
	w := &writer{Input: in, reserved: reserved}
	w.title()
	w.table()
	w.builds()
	w.findings()
	w.details()
	if in.Note != "" {
		w.line("", "Note: "+plain(in.Note, maxMessage))
	}
	w.line("", "["+waybill.ShortCommit(in.Check.Commit)+"]("+address(in.Page)+") · `/waybill plan` looks again · `/waybill retry` tries again what did not succeed")
	return w.text.String()
}

type writer struct {
	Input
	reserved int
	text     strings.Builder
}

// line writes lines.
func (w *writer) line(lines ...string) {
	for _, l := range lines {
		w.text.WriteString(l)
		w.text.WriteByte('\n')
	}
}

// room reports whether text fits below a limit.
func (w *writer) room(text string, limit int) bool {
	return w.text.Len()+len(text)+w.reserved < limit
}

// title says in a line how it stands.
func (w *writer) title() {
	c := w.Check
	errors := c.Findings.Errors()
	into := " into " + code(w.Pull.Base, maxName)
	switch {
	case errors > 0:
		w.line("### Waybill: " + waybill.Count(errors, "error") + " to mend before merging" + into)
	case c.State != waybill.StateSuccess:
		w.line("### Waybill: not planned", "", "Why: "+plain(c.Summary, maxMessage))
	case len(c.Changes) == 0:
		w.line("### Waybill: merging" + into + " changes nothing that is declared")
	default:
		w.line("### Waybill: " + waybill.Count(len(c.Changes), "change") + " when merged" + into + w.unbuilt())
	}
}

// table lists the changes.
func (w *writer) table() {
	if len(w.Check.Changes) == 0 {
		return
	}
	w.line("", "| what | change | goes to | affects |", "| --- | --- | --- | --- |")
	for i, c := range w.Check.Changes {
		if i == maxRows {
			w.line("", "and "+waybill.Count(len(w.Check.Changes)-i, "more change"))
			return
		}
		to := string(c.Environment)
		if to == "" {
			to = "nowhere"
		}
		w.line("| " + strings.Join([]string{
			cell(code(c.Identity.String(), maxName)), string(c.Class), to, cell(affected(c.Affected, maxAffected)),
		}, " | ") + " |")
	}
}

// affected lists who notices a change, kind:name each.
func affected(who []string, most int) string {
	if len(who) == 0 {
		return "nobody"
	}
	var list []string
	for i, w := range who {
		if i == most {
			list = append(list, strconv.Itoa(len(who)-i)+" more")
			break
		}
		kind, name, ok := strings.Cut(w, ":")
		if ok {
			list = append(list, plain(kind, maxName)+" "+code(name, maxName))
		} else {
			list = append(list, code(w, maxName))
		}
	}
	return strings.Join(list, ", ")
}

// findings lists the mistakes, errors first.
func (w *writer) findings() {
	all := w.Check.Findings
	if len(all) == 0 {
		return
	}
	warnings := len(all) - all.Errors()
	var counted []string
	for _, c := range []struct {
		n    int
		noun string
	}{{all.Errors(), "error"}, {warnings, "warning"}} {
		if c.n > 0 {
			counted = append(counted, waybill.Count(c.n, c.noun))
		}
	}
	w.line("", "**"+strings.Join(counted, ", ")+"**", "")
	shown := 0
	for _, severity := range []waybill.Severity{waybill.SeverityError, waybill.SeverityWarning} {
		for _, f := range all {
			if f.Severity != severity {
				continue
			}
			item := w.finding(f)
			if !w.room(item, maxFindings) {
				w.line("- and " + strconv.Itoa(len(all)-shown) + " more, on [the page](" + address(w.Page) + ")")
				return
			}
			w.line(item)
			shown++
		}
	}
}

// finding is one mistake with its place, which is a link where the forge has a page of it.
func (w *writer) finding(f waybill.Finding) string {
	place := code(f.Place(), 2*maxName)
	if at := w.source(f.File, f.Line); at != "" {
		place = "[" + place + "](" + at + ")"
	}
	text := "- " + place + " " + string(f.Severity) + " " + plain(string(f.Code), maxName) + ": " + plain(f.Message, maxMessage)
	if f.Hint != "" {
		text += " (" + plain(f.Hint, maxMessage) + ")"
	}
	return text
}

// details tells more of each change, folded.
func (w *writer) details() {
	const begin, end = "\n<details><summary>Details</summary>\n", "\n</details>\n"
	var b strings.Builder
	for i, c := range w.Check.Changes {
		text := detail(c)
		if text == "" {
			continue
		}
		if !w.room(begin+b.String()+text+end, maxDetails) {
			b.WriteString("\nand more of " + waybill.Count(len(w.Check.Changes)-i, "change") + ", on [the page](" + address(w.Page) + ")\n")
			break
		}
		b.WriteString(text)
	}
	if b.Len() > 0 {
		w.text.WriteString(begin + b.String() + end)
	}
}

// detail says what differs, why it matters and to whom; empty when there is nothing to add to the table.
func detail(c waybill.Change) string {
	var lines []string
	if len(c.Parts) > 0 {
		var parts []string
		for _, p := range c.Parts {
			parts = append(parts, code(p, maxName))
		}
		lines = append(lines, "- differs: "+strings.Join(parts[:min(maxNamed, len(parts))], ", "))
	}
	for _, r := range c.Reasons[:min(maxNamed, len(c.Reasons))] {
		lines = append(lines, "- note: "+plain(r, maxMessage))
	}
	if len(c.Affected) > maxAffected {
		lines = append(lines, "- affects: "+affected(c.Affected, maxNamed))
	}
	if len(lines) == 0 {
		return ""
	}
	return "\n" + code(c.Identity.String(), maxName) + " " + string(c.Class) + "\n\n" + strings.Join(lines, "\n") + "\n"
}

// source is the address of a line of the head at its forge, which the address of the pull request tells of; empty when it
// tells nothing.
func (w *writer) source(file string, line int) string {
	number := strconv.Itoa(w.Pull.Number)
	for _, form := range []struct{ pull, blob string }{
		{"/-/merge_requests/" + number, "/-/blob/"}, // GitLab
		{"/pulls/" + number, "/src/commit/"},        // Gitea
		{"/pull/" + number, "/blob/"},               // GitHub
	} {
		home, ok := strings.CutSuffix(w.Pull.URL, form.pull)
		if !ok || !strings.HasPrefix(home, "http://") && !strings.HasPrefix(home, "https://") {
			continue
		}
		return address(home + form.blob + w.Check.Commit + "/" + escape(file) + "#L" + strconv.Itoa(line))
	}
	return ""
}

// escape makes a path of a tree the path of a URL (RFC 3986, section 2.1).
func escape(file string) string {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"
	var b strings.Builder
	for _, c := range []byte(file) {
		if strings.IndexByte(unreserved, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// address makes a URL stand between the parentheses of a link.
func address(u string) string {
	return strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", " ", "%20", "\\", "%5C", "\n", "", "\r", "", "|", "%7C").Replace(u)
}
