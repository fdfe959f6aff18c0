package manifest

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// settingPaths returns the paths of one part of the settings.
func settingPaths(part string) func(i int) schema.Path {
	return func(i int) schema.Path { return schema.Path{"spec", "install", "settings"}.Index(i).Child(part) }
}

// eachSetting calls check for every setting and its path.
func (d *document) eachSetting(check func(s waybill.Setting, at schema.Path)) {
	for i, s := range d.declaration.App.Install.Settings {
		check(s, schema.Path{"spec", "install", "settings"}.Index(i))
	}
}

func (d *document) enumRules() {
	d.eachSetting(func(s waybill.Setting, at schema.Path) {
		written := d.written(at.Child("enum")...)
		switch {
		case s.Type == "enum" && !written:
			d.report(OptionsMismatch, at, "a setting of type enum needs enum", `add "enum: [a, b]"`)
		case s.Type != "enum" && s.Type != "" && written:
			d.report(OptionsMismatch, at.Child("enum"), "a setting of type "+s.Type+" has no enum", "delete it, or write type: enum")
		}
		seen := map[string]bool{}
		for i, v := range s.Enum {
			if seen[v] && v != "" {
				d.report(DuplicateOption, at.Child("enum").Index(i), "value "+quote(v)+" is there twice", "delete one")
			}
			seen[v] = true
		}
	})
}

func (d *document) patternRules() {
	d.eachSetting(func(s waybill.Setting, at schema.Path) {
		p := at.Child("pattern")
		if s.Pattern == "" {
			return
		}
		if s.Type != "string" && s.Type != "" {
			d.report(OptionsMismatch, p, "a setting of type "+s.Type+" has no pattern", "delete it, or write type: string")
			return
		}
		switch parsed, err := syntax.Parse(s.Pattern, syntax.Perl); {
		case err != nil:
			d.report(IllegalRegexp, p, quote(s.Pattern)+" is no regular expression", badRegexp(s.Pattern))
		case cost(parsed) > maxPattern:
			d.report(IllegalRegexp, p, quote(s.Pattern)+" repeats too much", "write * or + in place of large counts")
		}
	})
}

// maxPattern is how many steps a pattern may have when its counts are written out.
const maxPattern = 1000

// cost counts the steps of a pattern.
func cost(r *syntax.Regexp) int {
	n := 1
	for _, sub := range r.Sub {
		n += cost(sub)
	}
	if r.Op == syntax.OpRepeat {
		n *= max(r.Min, r.Max, 1)
	}
	return n
}

// matches reports whether value matches a legal pattern; one that is not legal is told elsewhere.
func matches(pattern, value string) bool {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil || cost(parsed) > maxPattern {
		return true
	}
	compiled, err := regexp.Compile(pattern)
	return err != nil || compiled.MatchString(value)
}

// badRegexp says what RE2 does not know of what people often write.
func badRegexp(pattern string) string {
	switch {
	case strings.Contains(pattern, "(?=") || strings.Contains(pattern, "(?!") || strings.Contains(pattern, "(?<"):
		return "look-ahead and look-behind do not exist in RE2"
	default:
		return `check brackets and backslashes; an example is ^L[0-9]{4}$`
	}
}

func (d *document) settingDefaults() {
	d.eachSetting(func(s waybill.Setting, at schema.Path) {
		p := at.Child("default")
		if s.Default == nil || !d.Usable(p) || d.holed(at.Child("enum")) || s.Type == "secret" {
			return
		}
		if hint := unset(s, *s.Default); hint != "" {
			d.report(IllegalDefault, p, quote(*s.Default)+" is not legal for a setting of type "+s.Type, hint)
		}
	})
}

func (d *document) settingSecrets() {
	d.eachSetting(func(s waybill.Setting, at schema.Path) {
		if s.Type == "secret" && s.Default != nil {
			d.report(PasswordDefault, at.Child("default"), "a secret has no default", "delete it; a workspace gives the value")
		}
	})
}

// address is what a setting of type url takes.
var address = regexp.MustCompile(`^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#]\S*)?$`)

// unset says what to write instead of a value that s does not take; it is empty when value is legal.
func unset(s waybill.Setting, value string) string {
	switch s.Type {
	case "number":
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return "write a number"
		}
	case "boolean":
		if value != "true" && value != "false" {
			return "write true or false"
		}
	case "enum":
		if len(s.Enum) > 0 && !slices.Contains(s.Enum, value) {
			return suggest(value, s.Enum)
		}
	case "url":
		if !address.MatchString(value) {
			return "write an address such as https://example.org"
		}
	case "string":
		if s.Pattern != "" && !matches(s.Pattern, value) {
			return "it must match the pattern " + quote(s.Pattern)
		}
	}
	return ""
}
