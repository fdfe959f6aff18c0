package cli

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// word is the value of a flag that takes one of a few words.
type word struct {
	to    *string
	legal []string
}

func (w word) String() string { return *w.to }

// Type is what the help calls the value.
func (word) Type() string { return "string" }

// Set takes a legal word.
func (w word) Set(text string) error {
	if !slices.Contains(w.legal, text) {
		return oneOf(w.legal)
	}
	*w.to = text
	return nil
}

// words is the value of a flag that takes some of a few words, between commas or one at a time.
type words struct {
	to    *[]string
	legal []string
}

func (w words) String() string { return strings.Join(*w.to, ",") }

// Type is what the help calls the value.
func (words) Type() string { return "strings" }

// Set adds legal words.
func (w words) Set(text string) error {
	given := strings.Split(text, ",")
	for _, g := range given {
		if !slices.Contains(w.legal, g) {
			return oneOf(w.legal)
		}
	}
	*w.to = append(*w.to, given...)
	return nil
}

func oneOf(legal []string) error { return errors.New("use one of " + strings.Join(legal, ", ")) }

// wordFlag adds a flag that takes one of legal, and completes it. What to points at is the default.
func wordFlag(c *cobra.Command, to *string, name, usage string, legal ...string) {
	c.Flags().Var(word{to, legal}, name, usage)
	_ = c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(legal, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
}

// wordsFlag adds a flag that takes some of legal, and completes it.
func wordsFlag(c *cobra.Command, to *[]string, name, usage string, legal ...string) {
	c.Flags().Var(words{to, legal}, name, usage)
	_ = c.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(legal, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
}

// count is the value of a flag that says how many.
type count struct{ to *int }

func (n count) String() string { return strconv.Itoa(*n.to) }

// Type is what the help calls the value.
func (count) Type() string { return "int" }

// Set takes a whole number from 1 on.
func (n count) Set(text string) error {
	v, err := strconv.Atoi(text)
	if err != nil || v < 1 {
		return errors.New("write a whole number from 1 on")
	}
	*n.to = v
	return nil
}

// limitFlag adds the flag that bounds a list.
func limitFlag(c *cobra.Command, to *int, standard int, usage string) {
	*to = standard
	c.Flags().Var(count{to}, "limit", usage)
}

// lifetime is the value of a flag that says how long something is good. Unlike time.Duration it knows days.
type lifetime struct{ to *time.Duration }

// String is empty for what never ends.
func (l lifetime) String() string {
	if *l.to == 0 {
		return ""
	}
	return l.to.String()
}

// Type is what the help calls the value.
func (lifetime) Type() string { return "duration" }

// Set takes a duration of a second or more, such as 90m or 30d.
func (l lifetime) Set(text string) error {
	const day = 24 * time.Hour
	days, whole := strings.CutSuffix(text, "d")
	d, err := time.ParseDuration(text)
	if n, failed := strconv.ParseUint(days, 10, 16); whole && failed == nil {
		d, err = time.Duration(n)*day, nil
	}
	if err != nil || d < time.Second {
		return errors.New("write a duration such as 90m, 720h or 30d")
	}
	*l.to = d
	return nil
}

// setting is the value of a flag that the configuration checks, as it was written.
type setting struct{ text, kind string }

func (s *setting) String() string { return s.text }

// Type is what the help calls the value: that of a bool need not be written.
func (s *setting) Type() string { return s.kind }

// Set takes any text.
func (s *setting) Set(text string) error {
	s.text = text
	return nil
}
