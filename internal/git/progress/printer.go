package progress

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// announceAfter is how long a step may run without a line of its own.
const announceAfter = 2 * time.Second

// noticeable is how many milliseconds a step takes before they are worth a word: 0.0s is none.
const noticeable = 50

// Widths of the columns. A longer word moves the rest of its line.
const (
	stepWidth    = 8 // validate
	outcomeWidth = 4
)

// Printer writes events as the lines a pusher reads (contracts, section 2). Every line is one Write, so that it is
// seen at once. Text from a repository cannot move the cursor or change colours: control characters are dropped.
type Printer struct {
	w       io.Writer
	err     error
	open    *block   // the block being printed; nil when none is
	waiting []*block // blocks that began later
}

// block is what is known of one ref.
type block struct {
	ref     Ref
	pending []Event         // not printed yet, because another block is open
	named   map[string]bool // declarations seen
	running []announcement
	lastURL string
	headed  bool // the header is printed
	blamed  bool // a step that is printed says why it failed
}

// announcement is a step on its way.
type announcement struct {
	step Step
	at   time.Time
	said bool
}

// NewPrinter writes to w.
func NewPrinter(w io.Writer) *Printer { return &Printer{w: w} }

// Print shows e, which arrived at now, and returns the first error of the writer.
func (p *Printer) Print(e Event, now time.Time) error {
	switch e := e.(type) {
	case Ref:
		p.begin(e)
	case Step:
		p.to(e.Ref, e, now)
	case Finding:
		p.to(e.Ref, e, now)
	case End:
		p.to(e.Ref, e, now)
	}
	return p.err
}

// Tick announces the steps of the open block that have been running for two seconds.
func (p *Printer) Tick(now time.Time) error {
	if p.open == nil {
		return p.err
	}
	for i, a := range p.open.running {
		if !a.said && now.Sub(a.at) >= announceAfter {
			p.open.running[i].said = true
			p.step(p.open, a.step)
		}
	}
	return p.err
}

// Leave ends every block that is still open: it says why and where to look. fallback is the address to name when the
// server has given none.
func (p *Printer) Leave(why, fallback string) error {
	for p.open != nil {
		p.head(p.open)
		p.line("  " + why)
		url := p.open.lastURL
		if url == "" {
			url = fallback
		}
		p.line("  " + url)
		p.next(time.Time{})
	}
	return p.err
}

// Open reports whether a block has begun and not ended.
func (p *Printer) Open() bool { return p.open != nil }

func (p *Printer) begin(r Ref) {
	if b := p.find(r.Ref); b != nil {
		b.ref = r
		p.header(b)
		return
	}
	b := &block{ref: r, named: map[string]bool{}}
	if p.open != nil {
		p.waiting = append(p.waiting, b)
		return
	}
	p.open = b
	p.header(b)
}

// find returns the block of a ref; the newest one for an empty name.
func (p *Printer) find(ref string) *block {
	if n := len(p.waiting); ref == "" && n > 0 {
		return p.waiting[n-1]
	}
	if p.open != nil && (ref == "" || p.open.ref.Ref == ref) {
		return p.open
	}
	for _, b := range p.waiting {
		if b.ref.Ref == ref {
			return b
		}
	}
	return nil
}

// to gives an event to the block of its ref. An event of a ref that was never opened is dropped.
func (p *Printer) to(ref string, e Event, now time.Time) {
	b := p.find(ref)
	switch {
	case b == nil:
	case b != p.open:
		b.pending = append(b.pending, e)
	case p.show(b, e, now):
		p.next(now)
	}
}

// show prints one event of the open block and reports whether it was the last one.
func (p *Printer) show(b *block, e Event, now time.Time) (last bool) {
	p.head(b)
	switch e := e.(type) {
	case Step:
		p.track(b, e, now)
	case Finding:
		for line := range strings.Lines(e.Text) {
			p.line("  " + line)
		}
	case End:
		if e.Description != "" && (!b.blamed || e.State == waybill.StateSuccess) {
			p.line("  " + e.Description)
		}
		if e.URL != "" {
			p.line("  " + e.URL)
		}
		return true
	}
	return false
}

// next opens the block that waits longest, with what has been said of it meanwhile.
func (p *Printer) next(now time.Time) {
	p.open = nil
	if len(p.waiting) == 0 {
		return
	}
	b := p.waiting[0]
	p.waiting = p.waiting[1:]
	p.open = b
	p.header(b)
	for _, e := range b.pending {
		if p.show(b, e, now) {
			p.next(now)
			return
		}
	}
}

// track prints a step that has ended, and remembers one that has not.
func (p *Printer) track(b *block, s Step, now time.Time) {
	if s.URL != "" {
		b.lastURL = s.URL
	}
	if s.Declaration != "" {
		b.named[s.Declaration] = true
	}
	i := slices.IndexFunc(b.running, func(a announcement) bool {
		return a.step.Step == s.Step && a.step.Declaration == s.Declaration
	})
	switch {
	case s.Outcome.Final():
		if i >= 0 {
			b.running = slices.Delete(b.running, i, i+1)
		}
		p.step(b, s)
	case i < 0 && (s.Outcome == waybill.Running || s.Description != ""):
		b.running = append(b.running, announcement{step: s, at: now})
	case i >= 0 && b.running[i].step.Outcome != s.Outcome:
		b.running[i] = announcement{step: s, at: now}
	}
}

// header prints the first line of the open block once, as soon as its commit is known.
func (p *Printer) header(b *block) {
	if b == p.open && b.ref.Commit != "" {
		p.head(b)
	}
}

// head prints the first line of a block, whatever is known, unless it is there.
func (p *Printer) head(b *block) {
	if b.headed {
		return
	}
	b.headed = true
	columns := []string{"waybill", b.ref.Repository, waybill.ShortCommit(b.ref.Commit), waybill.ShortRef(b.ref.Ref)}
	p.line(strings.Join(slices.DeleteFunc(columns, func(c string) bool { return c == "" }), "  "))
}

func (p *Printer) step(b *block, s Step) {
	columns := []string{fmt.Sprintf("  %-*s  %-*s", stepWidth, s.Step, outcomeWidth, s.Outcome)}
	if s.Declaration != "" && (b.ref.Declarations > 1 || len(b.named) > 1) {
		columns = append(columns, s.Declaration)
	}
	if text := strings.TrimPrefix(s.Description, string(s.Outcome)+", "); text != "" { // the outcome is said once
		columns = append(columns, text)
		b.blamed = b.blamed || s.Outcome == waybill.Failed || s.Outcome == waybill.Errored
	}
	if s.DurationMS >= noticeable {
		columns = append(columns, duration(time.Duration(s.DurationMS)*time.Millisecond))
	}
	p.line(strings.Join(columns, "  "))
}

// duration writes 2.1s, or 3m07s from a minute on.
func duration(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
}

func (p *Printer) line(text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, clean(text)+"\n")
	}
}

// clean drops what a terminal would obey, and trailing blanks.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
	return strings.TrimRightFunc(text, unicode.IsSpace)
}
