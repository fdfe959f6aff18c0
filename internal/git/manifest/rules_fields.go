package manifest

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func (d *document) fieldRules() {
	first := map[string]int{}
	for i, f := range d.declaration.Connector.Fields {
		at := schema.Path{"spec", "fields"}.Index(i)
		if f.Key != "" {
			d.keyRule(f, at.Child("key"), i, first)
		}
		if f.Type != "" {
			d.optionRules(f, at)
			d.defaultRule(f, at.Child("default"))
		}
	}
}

// keyRule checks the environment variable that a key becomes; first holds the fields seen so far.
func (d *document) keyRule(f waybill.Field, at schema.Path, i int, first map[string]int) {
	env := f.EnvName()
	before, taken := first[env]
	switch {
	case taken && d.declaration.Connector.Fields[before].Key == f.Key:
		d.report(CollapsingKeys, at, "field "+strconv.Quote(f.Key)+" is declared twice", "delete one, or give it another key")
	case taken:
		d.report(CollapsingKeys, at, strconv.Quote(f.Key)+" and "+strconv.Quote(d.declaration.Connector.Fields[before].Key)+" both become "+env,
			"give one of them another key")
	case strings.HasPrefix(env, "WAYBILL_") || slices.Contains(reserved, env):
		d.report(ReservedName, at, strconv.Quote(f.Key)+" becomes "+env+", which is not the connector's", "give it another key")
	}
	if !taken {
		first[env] = i
	}
}

// reserved are the environment variables that a program needs as they are.
var reserved = []string{"PATH", "HOME", "HOSTNAME", "LD_PRELOAD", "LD_LIBRARY_PATH"}

func (d *document) optionRules(f waybill.Field, at schema.Path) {
	choice := f.Type == "select" || f.Type == "multiselect"
	written := d.written(at.Child("options")...)
	switch {
	case choice && !written:
		d.report(OptionsMismatch, at, "a field of type "+f.Type+" needs options", `add "options: [{value: a, label: A}]"`)
	case !choice && written:
		d.report(OptionsMismatch, at.Child("options"), "a field of type "+f.Type+" has no options", "delete them, or write type: select")
	}
	seen := map[string]bool{}
	for i, o := range f.Options {
		p := at.Child("options").Index(i).Child("value")
		if seen[o.Value] && d.Usable(p) {
			d.report(DuplicateOption, p, "option "+strconv.Quote(o.Value)+" is there twice", "delete one")
		}
		seen[o.Value] = true
	}
}

func (d *document) defaultRule(f waybill.Field, at schema.Path) {
	if f.Default == nil {
		return
	}
	if f.Type == "password" {
		d.report(PasswordDefault, at, "a password has no default", "delete it; a site gives the value")
		return
	}
	if hint := unfit(f, *f.Default); hint != "" && (d.Usable(at) && !d.holed(at[:len(at)-1].Child("options"))) {
		d.report(IllegalDefault, at, strconv.Quote(*f.Default)+" is not legal for a field of type "+f.Type, hint)
	}
}

// holed reports whether something stands at p that cannot be used.
func (d *document) holed(p schema.Path) bool { return d.written(p...) && !d.Usable(p) }

// unfit says what to write instead of a value that f does not take; it is empty when value is legal.
func unfit(f waybill.Field, value string) string {
	legal := func(v string) bool {
		return slices.ContainsFunc(f.Options, func(o waybill.Option) bool { return o.Value == v })
	}
	var values []string
	for _, o := range f.Options {
		values = append(values, o.Value)
	}
	switch f.Type {
	case "checkbox":
		if value != "true" && value != "false" {
			return "write true or false"
		}
	case "select":
		if !legal(value) && len(values) > 0 {
			return suggest(value, values)
		}
	case "multiselect":
		for v := range strings.SplitSeq(value, ",") {
			if value != "" && len(values) > 0 && !legal(strings.TrimSpace(v)) {
				return "write some of them with commas between: " + strings.Join(values, ", ")
			}
		}
	case "input":
		if strings.ContainsAny(value, "\r\n") {
			return "write one line, or type: textarea"
		}
	}
	return ""
}

// configRules checks the values for the dev site against the fields.
func (d *document) configRules() {
	at := schema.Path{"spec", "release", "dev", "config"}
	fields := d.declaration.Connector.Fields
	var keys []string
	for _, f := range fields {
		keys = append(keys, f.Key)
	}
	config := d.wire.Spec.Release.Dev.Config
	for _, key := range slices.Sorted(maps.Keys(config)) {
		i := slices.Index(keys, key)
		if i < 0 {
			if !d.holed(schema.Path{"spec", "fields"}) {
				d.report(UnknownConfigKey, at.Child(key), "there is no field "+strconv.Quote(key), suggestField(key, keys))
				d.atKey(at.Child(key))
			}
			continue
		}
		if hint := unfit(fields[i], config[key]); hint != "" {
			d.report(IllegalConfig, at.Child(key), strconv.Quote(config[key])+" is not legal for a field of type "+fields[i].Type, hint)
		}
		if fields[i].Type == "password" {
			d.report(PasswordDefault, at.Child(key), "a password does not belong in a manifest", "delete it; give the value at the site")
		}
	}
}

func suggestField(key string, keys []string) string {
	if len(keys) == 0 {
		return "declare it in spec.fields"
	}
	return suggest(key, keys)
}
