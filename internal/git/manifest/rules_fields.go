package manifest

import (
	"maps"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// eachField calls check for every field and its path.
func (d *document) eachField(check func(f waybill.Field, at schema.Path)) {
	for i, f := range d.declaration.Connector.Fields {
		check(f, schema.Path{"spec", "fields"}.Index(i))
	}
}

func (d *document) keyRules() {
	first := map[string]int{}
	for i, f := range d.declaration.Connector.Fields {
		if f.Key != "" {
			d.keyRule(f, schema.Path{"spec", "fields"}.Index(i).Child("key"), i, first)
		}
	}
}

// keyRule checks the environment variable that a key becomes; first holds the fields seen so far.
func (d *document) keyRule(f waybill.Field, at schema.Path, i int, first map[string]int) {
	env := f.EnvName()
	before, taken := first[env]
	switch {
	case taken && d.declaration.Connector.Fields[before].Key == f.Key:
		d.report(CollapsingKeys, at, "field "+quote(f.Key)+" is declared twice", "delete one, or give it another key")
	case taken:
		d.report(CollapsingKeys, at, quote(f.Key)+" and "+quote(d.declaration.Connector.Fields[before].Key)+" both become "+env,
			"give one of them another key")
	case strings.HasPrefix(env, "WAYBILL_") || slices.Contains(reserved, env):
		d.report(ReservedName, at, quote(f.Key)+" becomes "+env+", which is not the connector's", "give it another key")
	}
	if !taken {
		first[env] = i
	}
}

// reserved are the environment variables that a program needs as they are.
var reserved = []string{"PATH", "HOME", "HOSTNAME", "LD_PRELOAD", "LD_LIBRARY_PATH"}

// optionRules checks that options are where they belong.
func (d *document) optionRules() {
	d.eachField(func(f waybill.Field, at schema.Path) {
		choice := f.Type == "select" || f.Type == "multiselect"
		written := d.written(at.Child("options")...)
		switch {
		case choice && !written:
			d.report(OptionsMismatch, at, "a field of type "+f.Type+" needs options", `add "options: [{value: a, label: A}]"`)
		case !choice && written && f.Type != "":
			d.report(OptionsMismatch, at.Child("options"), "a field of type "+f.Type+" has no options", "delete them, or write type: select")
		}
	})
}

// optionValueRules checks that options differ.
func (d *document) optionValueRules() {
	d.eachField(func(f waybill.Field, at schema.Path) {
		seen := map[string]bool{}
		for i, o := range f.Options {
			p := at.Child("options").Index(i).Child("value")
			if seen[o.Value] && d.Usable(p) {
				d.report(DuplicateOption, p, "option "+quote(o.Value)+" is there twice", "delete one")
			}
			seen[o.Value] = true
		}
	})
}

func (d *document) passwordRules() {
	d.eachField(func(f waybill.Field, at schema.Path) {
		if f.Type == "password" && f.Default != nil {
			d.report(PasswordDefault, at.Child("default"), "a password has no default", "delete it; a site gives the value")
		}
	})
}

func (d *document) defaultRules() {
	d.eachField(func(f waybill.Field, at schema.Path) {
		p := at.Child("default")
		if f.Default == nil || !d.Usable(p) || d.holed(at.Child("options")) {
			return
		}
		if hint := unfit(f, *f.Default); hint != "" {
			d.report(IllegalDefault, p, quote(*f.Default)+" is not legal for a field of type "+f.Type, hint)
		}
	})
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
	if !d.holed(schema.Path{"spec", "fields"}) {
		d.config(d.declaration.Connector.Fields, d.wire.Spec.Release.Dev.Config, schema.Path{"spec", "release", "dev", "config"}, "declare it in spec.fields")
	}
}

// config checks values against the fields of a connector; none says what to do when there are no fields at all.
func (d *document) config(fields []waybill.Field, config map[string]string, at schema.Path, none string) {
	names := keys(fields, func(f waybill.Field) string { return f.Key })
	for _, key := range slices.Sorted(maps.Keys(config)) {
		i := slices.Index(names, key)
		if i < 0 {
			d.report(UnknownConfigKey, at.Child(key), "there is no field "+quote(key), suggestField(key, names, none))
			d.atKey(at.Child(key))
			continue
		}
		if hint := unfit(fields[i], config[key]); hint != "" {
			d.report(IllegalConfig, at.Child(key), quote(config[key])+" is not legal for a field of type "+fields[i].Type, hint)
		}
		if fields[i].Type == "password" {
			d.report(PasswordDefault, at.Child(key), "a password does not belong in a manifest", "delete it; give the value at the site")
		}
	}
}

func suggestField(key string, keys []string, none string) string {
	if len(keys) == 0 {
		return none
	}
	return suggest(key, keys)
}
