package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-dev/waybill/internal/face/starter"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// answers collects an answer to every question: from flags, else from the person, else the default.
func (s *start) answers(cmd *cobra.Command) (starter.Answers, error) {
	p := &prompt{app: s.app, lines: bufio.NewReader(s.Stdin), answers: starter.Answers{}}
	asking := s.Interactive && !s.yes
	var missing, still []string
	if asking {
		p.say("A new %s in %s.\nEnter takes the answer in [brackets], ? explains. Nothing is written before the end.\n", s.set.Kind, where(s.folder))
	}
	for i, q := range s.set.Questions {
		if asking && (i == 0 || s.set.Questions[i-1].Part != q.Part) {
			p.heading(s.set, q.Part)
		}
		given, err := p.given(cmd, q)
		switch {
		case err != nil:
			return nil, err
		case given || !q.Wanted(p.answers):
			continue
		case asking:
			if err := p.question(cmd.Context(), s.set, q); err != nil {
				return nil, err
			}
			continue
		}
		preset := q.Preset(p.answers)
		if !q.Optional {
			missing = append(missing, "--"+q.Name)
		}
		if len(preset) == 0 && !q.Optional {
			still = append(still, "--"+q.Name)
		}
		p.answers[q.Name] = preset
	}
	if len(still) > 0 || len(missing) > 0 && !asking && !s.yes {
		return nil, unanswered(missing, still, s.yes)
	}
	return p.answers, nil
}

// unanswered says which flags are missing where nobody can be asked.
func unanswered(missing, still []string, yes bool) error {
	flags := func(names []string) string { return strings.Join(names, ", ") }
	switch {
	case yes:
		return misuse("there is no default for %s", flags(still))
	case len(still) > 0:
		return misuse("nobody can be asked here, so answers have to be flags: %s; with --yes only %s", flags(missing), flags(still))
	default:
		return misuse("nobody can be asked here, so answers have to be flags: %s; --yes takes the defaults", flags(missing))
	}
}

// prompt asks a person line by line.
type prompt struct {
	*app
	lines   *bufio.Reader
	answers starter.Answers
}

func (p *prompt) say(format string, args ...any) { _, _ = fmt.Fprintf(p.Stdout, format, args...) }

// bold sets text off in a terminal.
func (p *prompt) bold(text string) string {
	if !p.Terminal {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}

// heading starts a part, and passes the ones before it that have no questions.
func (p *prompt) heading(set starter.Set, part string) {
	parts := set.Parts()
	i := slices.Index(parts, part)
	if i > 0 {
		if note := set.Note(parts[i-1]); note != "" {
			p.say("\n%s\n  %s\n", p.bold(fmt.Sprintf("%d/%d %s", i, len(parts), parts[i-1])), note)
		}
	}
	p.say("\n%s\n", p.bold(fmt.Sprintf("%d/%d %s", i+1, len(parts), part)))
}

// given takes the answer from the flag of q.
func (p *prompt) given(cmd *cobra.Command, q starter.Question) (bool, error) {
	flag := cmd.Flags().Lookup(q.Name)
	if flag == nil || !flag.Changed {
		return false, nil
	}
	if !q.Wanted(p.answers) {
		return false, misuse("--%s does not belong to the other answers", q.Name)
	}
	values := []string{flag.Value.String()}
	if q.Many {
		var err error
		if values, err = cmd.Flags().GetStringArray(q.Name); err != nil {
			return false, err
		}
	}
	p.answers[q.Name] = nil
	for _, v := range values {
		if v == "" && q.Optional {
			continue
		}
		if wrong := q.Wrong(v, p.answers); wrong != "" {
			return false, misuse("--%s %q: %s", q.Name, v, wrong)
		}
		p.answers[q.Name] = append(p.answers[q.Name], v)
	}
	return true, nil
}

// question asks q until the answer is right, also in the eyes of `waybill validate`.
func (p *prompt) question(ctx context.Context, set starter.Set, q starter.Question) error {
	if q.Steps != nil {
		return p.series(ctx, q)
	}
	for {
		answers, err := p.one(ctx, q, p.answers, "  ")
		if err != nil {
			return err
		}
		p.answers[q.Name] = answers
		wrong, err := p.trial(ctx, set, q)
		if err != nil || wrong == "" {
			return err
		}
		p.refuse("  ", wrong)
	}
}

// trial validates the manifest as it would be now, and returns what is wrong with the answer to q.
func (p *prompt) trial(ctx context.Context, set starter.Set, q starter.Question) (wrong string, err error) {
	if q.Path() == "" {
		return "", nil
	}
	answers := maps.Clone(p.answers)
	for _, later := range set.Questions {
		if _, there := answers[later.Name]; !there && later.Wanted(answers) {
			answers[later.Name] = later.Preset(answers)
		}
	}
	files, err := set.Files(answers)
	if err != nil {
		return "", err
	}
	findings, err := check(ctx, files)
	for _, f := range findings {
		if f.Severity == waybill.SeverityError && (f.Path == q.Path() || strings.HasPrefix(f.Path, q.Path()+"[")) {
			return strings.TrimSuffix(f.Message+": "+f.Hint, ": "), err
		}
	}
	return "", err
}

// series asks for answers made of steps until the first step stays empty.
func (p *prompt) series(ctx context.Context, q starter.Question) error {
	for {
		steps := starter.Answers{}
		for i, step := range q.Steps {
			if !step.Wanted(steps) {
				continue
			}
			if i == 0 {
				if !strings.EqualFold(q.Ask, step.Ask) {
					step.Ask = q.Ask + ", its " + strings.ToLower(step.Ask)
				}
				step.Ask += " (Enter: no " + map[bool]string{true: "more", false: strings.ToLower(q.Ask)}[len(p.answers[q.Name]) > 0] + ")"
			}
			answers, err := p.one(ctx, step, steps, map[bool]string{true: "  ", false: "    "}[i == 0])
			if err != nil {
				return err
			}
			if steps[step.Name] = answers; i == 0 && len(answers) == 0 {
				return nil
			}
		}
		answer := q.Join(steps)
		if wrong := q.Wrong(answer, p.answers); wrong != "" {
			p.refuse("  ", wrong)
			continue
		}
		p.answers[q.Name] = append(p.answers[q.Name], answer)
	}
}

// one asks for one line, which may hold several answers, until it is right.
func (p *prompt) one(ctx context.Context, q starter.Question, before starter.Answers, indent string) ([]string, error) {
	preset := q.Preset(before)
	listed := p.choices(q, indent)
	for {
		text := indent + q.Ask
		if listed != "" {
			text += " (" + listed + ")"
		}
		switch {
		case len(preset) > 0:
			text += " [" + strings.Join(preset, q.Apart) + "]"
		case q.Optional && !strings.Contains(q.Ask, "Enter:"):
			text += " (optional)"
		}
		p.say("%s: ", text)
		line, err := p.line(ctx)
		switch {
		case err != nil:
			return nil, err
		case line == "?":
			p.say("%s  %s\n", indent, strings.ReplaceAll(explained(q), "\n", "\n"+indent+"  "))
			continue
		case line == "" && (len(preset) > 0 || q.Optional):
			return preset, nil
		case line == "":
			p.refuse(indent, "an answer is needed here")
			continue
		}
		answers, wrong := split(q, line, before)
		if wrong == "" {
			return answers, nil
		}
		p.refuse(indent, wrong)
	}
}

// refuse says why an answer is not taken.
func (p *prompt) refuse(indent, wrong string) {
	end := "."
	if strings.HasSuffix(wrong, "?") {
		end = ""
	}
	p.say("%s  %s%s\n", indent, strings.ToUpper(wrong[:1])+wrong[1:], end)
}

// choices lists legal answers with their meaning, numbered; few without meaning go into the question.
func (p *prompt) choices(q starter.Question, indent string) (inQuestion string) {
	const short = 50
	var values []string
	meant := false
	for _, c := range q.Choices() {
		values = append(values, c.Value)
		meant = meant || c.Meaning != ""
	}
	if line := strings.Join(values, ", "); !meant && len(line) <= short {
		return line
	}
	for i, c := range q.Choices() {
		p.say("%s\n", strings.TrimRight(fmt.Sprintf("%s  %d  %-17s %s", indent, i+1, c.Value, c.Meaning), " "))
	}
	return ""
}

// explained says what may be answered.
func explained(q starter.Question) string {
	var values []string
	for _, c := range q.Choices() {
		values = append(values, c.Value)
	}
	text := q.Help
	if len(values) > 0 {
		text = strings.TrimSpace(text + "\nOne of: " + strings.Join(values, ", "))
	}
	if q.Many && q.Apart == "," {
		text = strings.TrimSpace(text + " Several have commas between them.")
	}
	if text == "" {
		return "Write what fits best; it can be changed in waybill.yaml later."
	}
	return text
}

// split reads the answers on a line. A choice may be given by its number.
func split(q starter.Question, line string, before starter.Answers) (answers []string, wrong string) {
	parts := []string{line}
	switch {
	case q.Many && q.Apart == " ":
		parts = strings.Fields(line)
	case q.Many && q.Apart != "":
		parts = strings.Split(line, q.Apart)
	}
	for _, v := range parts {
		v = strings.TrimSpace(v)
		if n, err := strconv.Atoi(v); err == nil && n > 0 && n <= len(q.Choices()) {
			v = q.Choices()[n-1].Value
		}
		if wrong := q.Wrong(v, before); wrong != "" {
			return nil, wrong
		}
		answers = append(answers, v)
	}
	return answers, ""
}

// line reads what the person types. An interrupt ends the waiting; the reader is left behind for the process to end.
func (p *prompt) line(ctx context.Context) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := p.lines.ReadString('\n')
		done <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		p.say("\n")
		return "", ctx.Err()
	case r := <-done:
		switch {
		case r.err == io.EOF && r.text == "": //nolint:errorlint // bufio returns it bare
			p.say("\n")
			return "", waybill.Errorf(waybill.Invalid, "the answers ended early; nothing was written")
		case r.err != nil && r.err != io.EOF: //nolint:errorlint // bufio returns it bare
			return "", waybill.Errorf(waybill.Unavailable, "cannot read answers: %w", r.err)
		}
		return strings.TrimSpace(r.text), nil
	}
}
